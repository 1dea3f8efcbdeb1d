// All replies that a session gives by itself, with what people should know of them: for the documentation. What
// policies refuse with stands in policies/reply_list.h; what the server behind says is passed on as it is.
//
// The replies come from where the session has them (refusals.h), so that a row says what a client hears.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sallyport::session {

struct ReplyRow {
  int code = 0;
  std::string dsn;          // empty: a reply without one
  std::string text;         // "{}" stands for what the reply names; without our host name in front and the id behind
  std::string kind;         // under which it is counted and logged; empty: it is no refusal
  std::string_view when;    // a sentence for administrators
  std::string_view remedy;  // what the sender, or the administrator here, can do; empty: nothing is wrong
  bool ends_session = false;
};

// By code.
std::vector<ReplyRow> reply_table();

}  // namespace sallyport::session
