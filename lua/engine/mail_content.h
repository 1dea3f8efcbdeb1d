// What rules can reach of a mail's content: its parts, what is decoded of them, its URLs. All of it was found, or is
// found when a rule asks, by code that policies share (policies::Findings); a mail whose rules ask for none of it costs
// nothing here.
#pragma once

#include <cstdint>

#include "gateway/mail/message.h"
#include "gateway/mime/contents.h"
#include "gateway/mime/tree.h"
#include "gateway/url/mail_urls.h"
#include "lua/engine/lua_api.h"

namespace sallyport::lua {

struct MailContent {
  const mail::Message& message;
  const mime::Tree& tree;
  mime::Contents& contents;
  url::MailUrls& urls;
};

// The content of the mail of the handle at index 1, valid until the end of the slice. Raises an error where nobody has
// looked for the parts: before stage message, and where policy.content is off.
MailContent content_of(lua_State* L);

// The index of a part or URL that the handle at index 1 stands for. Raises an error when there are fewer than that.
std::uint32_t item_of(lua_State* L, std::size_t count);

// Each pushes what tx.msg, at index 1, gives under the name.
void push_parts(lua_State* L);
void push_files(lua_State* L, std::uint64_t depth);
void push_visible_text(lua_State* L);
void push_html(lua_State* L);

struct UrlChoice {
  std::uint64_t most = UINT64_MAX;
  bool with_addresses = false;  // mail addresses too
};
void push_urls(lua_State* L, const UrlChoice& choice);
void push_url_domains(lua_State* L, const UrlChoice& choice);

}  // namespace sallyport::lua
