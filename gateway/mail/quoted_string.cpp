#include "gateway/mail/quoted_string.h"

namespace sallyport::mail {

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace sallyport::mail
