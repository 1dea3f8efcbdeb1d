#include "gateway/base/mail_address.h"

#include <algorithm>

namespace sallyport {

// By RFC 5321 one with dots at its ends or in a row needs quotes. Servers take it without, and some take a quoted local
// part for another one: it goes on as those write it who have such addresses.
bool is_dot_string(std::string_view local) {
  return !local.empty() && std::all_of(local.begin(), local.end(), [](char c) { return c == '.' || is_atext(c); });
}

bool MailAddress::is_postmaster() const { return text::equals_ignoring_case(local, "postmaster"); }

std::string MailAddress::to_string() const {
  if (is_null()) return "";
  std::string out;
  out.reserve(local.size() + 1 + domain.size());
  if (is_dot_string(local)) {
    out = local;
  } else {
    out += '"';
    for (const char c : local) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  if (!domain.empty()) out.append("@").append(domain);
  return out;
}

bool MailAddress::has_routing_local() const { return local.find_first_of("@%!") != std::string::npos; }

bool MailAddress::needs_utf8() const { return !text::is_ascii(local) || !text::is_ascii(domain); }

}  // namespace sallyport
