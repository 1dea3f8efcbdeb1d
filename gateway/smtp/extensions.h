// Service extensions (RFC 5321, 2.2): writes and reads what an EHLO reply offers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/smtp/xclient.h"

namespace sallyport::smtp {

struct Extensions {
  bool pipelining = false;
  bool eight_bit_mime = false;
  bool smtputf8 = false;
  bool chunking = false;
  bool dsn = false;
  bool enhanced_status_codes = false;
  bool starttls = false;
  bool requiretls = false;
  bool size = false;
  std::uint64_t max_size = 0;             // octets; 0 = no fixed limit (RFC 1870)
  std::optional<std::uint64_t> rcpt_max;  // LIMITS RCPTMAX (RFC 9422)
  std::optional<std::uint64_t> mail_max;  // LIMITS MAILMAX
  AttributeSet xclient;                   // what XCLIENT takes; empty: not offered
  AttributeSet xforward;                  // what XFORWARD takes

  friend bool operator==(const Extensions&, const Extensions&) = default;
};

// The keyword lines of an EHLO reply, without the greeting line.
std::vector<std::string> to_ehlo_lines(const Extensions& offered);
// Reads the lines of an upstream's EHLO reply; the first line (its name) is skipped. Unknown keywords and malformed
// limits are ignored. If a keyword occurs twice, the last counts.
Extensions read_ehlo_lines(const std::vector<std::string>& lines);
// Removes the lines of these keywords (in capitals) from an EHLO reply; the first line stays.
void hide_keywords(std::vector<std::string>& lines, const std::vector<std::string>& keywords);
// What to offer the client. Of 8BITMIME, SMTPUTF8, DSN and REQUIRETLS: what `own` and all upstreams have (nothing
// without an upstream). Of SIZE: the smallest. PIPELINING, CHUNKING, STARTTLS, ENHANCEDSTATUSCODES, LIMITS and XCLIENT
// concern only the connection to the gateway and are taken from `own`.
Extensions offer_for(const Extensions& own, const std::vector<Extensions>& upstreams);

}  // namespace sallyport::smtp
