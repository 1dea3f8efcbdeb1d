// ReplyText: a reply with which a policy refuses, said once: what the client hears, and what people should know of it.
// A policy has those of its own in its file replies.h, and policies/reply_list.h has them all, for the documentation.
#pragma once

#include <string_view>

#include "policies/api/verdict.h"

namespace sallyport::policies {

struct ReplyText {
  int code;  // 4xx: for now
  std::string_view dsn;
  std::string_view text;    // "{}" stands for what the judge names, such as a domain
  std::string_view when;    // a sentence for administrators
  std::string_view remedy;  // what the sender, or the administrator here, can do
};

// The verdict that refuses with it.
Verdict refuse_with(const ReplyText& reply, std::string_view what = {});

}  // namespace sallyport::policies
