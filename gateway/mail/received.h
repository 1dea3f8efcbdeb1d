// Trace information (RFC 5321, 4.4 and 6.3): writes our Received field and counts the signs of a mail loop in others.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/units.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {

struct ReceivedInfo {
  std::string_view helo;        // chosen by the client; filtered here
  std::string_view rdns;        // the confirmed reverse name; empty writes "unknown"
  std::string_view ip_literal;  // "[192.0.2.1]", "[IPv6:2001:db8::1]"
  std::string_view by;          // our host name
  bool extended = false;        // EHLO
  bool tls = false;
  bool utf8 = false;             // SMTPUTF8 was used
  std::string_view tls_version;  // "TLSv1.3"
  std::string_view tls_cipher;   // "TLS_AES_256_GCM_SHA384"
  int tls_bits = 0;
  std::string_view id;
  std::string_view for_address;  // only when there is exactly one recipient, else empty
  WallTime date{};
};

// The whole field, folded, with its last CRLF. The protocol word is that of RFC 3848 or RFC 6531: SMTP, ESMTP, ESMTPS,
// UTF8SMTPS ...
std::string make_received(const ReceivedInfo& info);

struct LoopSigns {
  std::uint64_t received_fields = 0;
  std::uint64_t own_marks = 0;  // Received fields "by" our name with an id in the form of ours (S39)
};
LoopSigns find_loop_signs(const HeaderSection& header, std::string_view own_name);

}  // namespace sallyport::mail
