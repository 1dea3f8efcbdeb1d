// The Received-SPF field: what was found out about a sender, for those who come after us (RFC 7208, 9.1).
#pragma once

#include <string>
#include <string_view>

namespace sallyport::mail {

// Empty texts are left out. All but `result` and `identity`, which are words of ours, may be a stranger's: they are
// filtered and quoted here (threats.md S37, D23).
struct ReceivedSpfInfo {
  std::string_view result;         // "pass"
  std::string_view identity;       // "mailfrom", "helo"
  std::string_view client_ip;      // "192.0.2.1", "2001:db8::1"
  std::string_view envelope_from;  // of a null reverse-path the postmaster@ that was checked in its place
  std::string_view helo;
  std::string_view receiver;   // our host name
  std::string_view mechanism;  // the term that decided; empty: "default"
  std::string_view problem;    // of an error
  bool utf8 = false;           // SMTPUTF8 was used: the field may have UTF-8 in it (RFC 6532)
};

// The whole field, folded, with its last CRLF.
std::string make_received_spf(const ReceivedSpfInfo& info);

}  // namespace sallyport::mail
