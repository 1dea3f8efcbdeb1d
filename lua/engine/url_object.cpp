// URLs of a mail: tx.msg:urls(), :url_domains(), and the objects of type url that the former gives.
#include <set>
#include <string>
#include <string_view>

#include "lua/engine/binding_list.h"
#include "lua/engine/context.h"
#include "lua/engine/mail_content.h"
#include "lua/engine/objects.h"

namespace sallyport::lua {

namespace {

using url::Found;

// The URLs of the mail, all found. The run pays for the reading, once for a mail.
url::MailUrls& read_urls(lua_State* L) {
  // So much is read between two looks at the run's budget: some milliseconds' work.
  constexpr std::uint64_t octets_at_a_time = 64u << 10;
  const MailContent content = content_of(L);
  while (content.urls.read(content.message, content.tree, content.contents, octets_at_a_time)) {
    Context::of(L).meter.spend(L, octets_at_a_time);
  }
  Context::of(L).meter.spend(L, 1 + content.urls.set().urls().size());
  return content.urls;
}

const Found& found_of(lua_State* L) {
  const std::vector<Found>& urls = content_of(L).urls.set().urls();
  return urls[item_of(L, urls.size())];
}

int to_url_text(lua_State* L) {
  // tostring() may be called in a run that is not the URL's own, so the check of other accesses is made here.
  check_handle(L, 1);
  push(L, found_of(L).url.text);
  return 1;
}

void push_tricks(lua_State* L) {
  lua_newtable(L);
  lua_Integer count = 0;
  for (const url::Trick trick : found_of(L).url.tricks) {
    push(L, word(trick));
    lua_rawseti(L, -2, ++count);
  }
}

void push_outer(lua_State* L) {
  const Found& found = found_of(L);
  const std::vector<Found>& urls = content_of(L).urls.set().urls();
  found.within&&* found.within < urls.size() ? push(L, urls[*found.within].url.text) : lua_pushnil(L);
}

constexpr Field fields[] = {
    {"url", "string", "The whole URL in its one form: printable ASCII. `tostring` gives it, too.",
     [](lua_State* L) { push(L, found_of(L).url.text); }},
    {"scheme", "string", "`\"http\"`, `\"https\"`, `\"ftp\"`, `\"ftps\"`, `\"mailto\"`.",
     [](lua_State* L) { push(L, found_of(L).url.scheme); }},
    {"host", "string", "In lower case, as A-labels.", [](lua_State* L) { push(L, found_of(L).url.host); }},
    {"domain", "string?", "The registrable domain of the host; nil for an address, and for a name that has none.",
     [](lua_State* L) { push_or_nil(L, found_of(L).url.domain); }},
    {"port", "integer?", "Where it is not the scheme's own.",
     [](lua_State* L) {
       const std::uint16_t port = found_of(L).url.port;
       port == 0 ? lua_pushnil(L) : lua_pushinteger(L, port);
     }},
    {"path", "string", "Path, query and fragment.", [](lua_State* L) { push(L, found_of(L).url.path()); }},
    {"user", "string?", "What stands before the host and `@`; of a mail address what stands before its `@`.",
     [](lua_State* L) { push_or_nil(L, found_of(L).url.user); }},
    {"is_ip", "boolean", "True when the host is an address.",
     [](lua_State* L) { lua_pushboolean(L, found_of(L).url.is_ip); }},
    {"place", "string", "Where it was found: `form`, `link`, `text`, `resource` (pictures and the like), `header`.",
     [](lua_State* L) { push(L, word(found_of(L).place)); }},
    {"shown", "string?", "The text that a link shows, at most 256 octets.",
     [](lua_State* L) { push_or_nil(L, found_of(L).shown); }},
    {"shows_other", "boolean", "True when that text names another domain than the link leads to.",
     [](lua_State* L) { lua_pushboolean(L, found_of(L).shows_other); }},
    {"within", "string?", "The URL that leads to this one, such as that of a redirector.", push_outer},
    {"tricks", "string[]",
     "What is unusual about the way it was written: `no_scheme`, `defanged`, `userinfo`, `slashes`, `spaces`, "
     "`encoded`, `invisible`, `letters`, `ip`, `idn`, `odd_host`, `cut`.",
     push_tricks},
};

}  // namespace

const ObjectType url_type{
    .name = "url",
    .about = "A URL of the message, in one form whatever form it was written in.",
    .fields = fields,
    .is_handle = true,
    .to_text = to_url_text,
};

void push_urls(lua_State* L, const UrlChoice& choice) {
  const std::vector<Found>& urls = read_urls(L).set().urls();
  lua_newtable(L);
  std::uint64_t count = 0;
  for (std::uint32_t i = 0; i < urls.size() && count < choice.most; ++i) {
    if (urls[i].url.is_address() && !choice.with_addresses) continue;
    push_handle(L, url_type, mail_of(L), i);
    lua_rawseti(L, -2, static_cast<lua_Integer>(++count));
  }
}

void push_url_domains(lua_State* L, const UrlChoice& choice) {
  const std::vector<const Found*>& urls = read_urls(L).by_suspicion();
  lua_newtable(L);
  std::set<std::string_view> known;
  for (const Found* found : urls) {
    if (known.size() >= choice.most) break;
    const url::Url& url = found->url;
    if (url.domain.empty() || (url.is_address() && !choice.with_addresses)) continue;
    if (!known.insert(url.domain).second) continue;
    push(L, url.domain);
    lua_rawseti(L, -2, static_cast<lua_Integer>(known.size()));
  }
}

}  // namespace sallyport::lua
