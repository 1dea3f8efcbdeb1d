// All replies that the gateway gives to clients by itself, those of sessions and those of the policies, for the
// documentation.
#pragma once

#include <string>
#include <vector>

namespace sallyport::cli {

// As gateway/session/reply_table.h says.
struct DocumentedReply {
  int code = 0;
  std::string dsn;
  std::string text;
  std::string kind;
  std::string when;
  std::string remedy;
  bool ends_session = false;

  template <class V>
  void fields(V& visit) {
    visit("code", code);
    visit("dsn", dsn);
    visit("text", text);
    visit("kind", kind);
    visit("when", when);
    visit("remedy", remedy);
    visit("ends_session", ends_session);
  }
};

// By code, then by enhanced code.
std::vector<DocumentedReply> all_replies();

}  // namespace sallyport::cli
