// Writes the Received-SPF field, which tells later readers what the SPF check found (RFC 7208, 9.1).
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mail {

// Empty texts are left out. `result` and `identity` are our own words; all others may come from outside and are
// filtered and quoted here (threats.md S37, D23).
struct ReceivedSpfInfo {
  std::string_view result;         // "pass"
  std::string_view identity;       // "mailfrom", "helo"
  std::string_view client_ip;      // "192.0.2.1", "2001:db8::1"
  std::string_view envelope_from;  // for a null reverse-path, the postmaster@ address that was checked instead
  std::string_view helo;
  std::string_view receiver;   // our host name
  std::string_view mechanism;  // the SPF term that decided; empty writes "default"
  std::string_view problem;    // description of an error
  bool utf8 = false;           // SMTPUTF8 was used: the field may contain UTF-8 (RFC 6532)
};

// The whole field, folded, with its last CRLF.
std::string make_received_spf(const ReceivedSpfInfo& info);

}  // namespace sallyport::mail
