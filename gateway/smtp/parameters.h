// Parses the parameters of MAIL and RCPT: SIZE, BODY, SMTPUTF8, REQUIRETLS, RET, ENVID, NOTIFY, ORCPT (RFC 1870, 6152,
// 6531, 8689, 3461).
//
// A parameter of an extension that this session was not offered is an error, whatever its value (S11, S27). One
// exception: BODY=BINARYMIME is a bad value of BODY whether or not 8BITMIME was offered (S34).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/smtp/extensions.h"

namespace sallyport::smtp {

enum class Body : std::uint8_t { unspecified, seven_bit, eight_bit_mime };

struct MailParameters {
  std::optional<std::uint64_t> size;
  Body body = Body::unspecified;
  bool smtputf8 = false;
  bool requiretls = false;
  std::string ret;    // "FULL", "HDRS" or empty
  std::string envid;  // xtext, not decoded; empty when absent
};

struct RcptParameters {
  std::string notify;  // "NEVER", or those given of SUCCESS,FAILURE,DELAY in this order; empty when absent
  std::string orcpt;   // "type;xtext" or "utf-8;...", as it came; empty when absent. UTF-8 only with SMTPUTF8
};

enum class ParameterError : std::uint8_t {
  unknown,    // 555 5.5.4
  repeated,   // 501 5.5.4
  bad_name,   // 501 5.5.4: no keyword of RFC 5321
  bad_value,  // 501 5.5.4
  glued,      // 501 5.5.4: text directly after the path, without a space
  too_large,  // 552 5.3.4: SIZE does not fit 64 bits
};

// `text` is ParsedPath::rest, with its leading space.
Result<MailParameters, ParameterError> parse_mail_parameters(std::string_view text, const Extensions& offered);
Result<RcptParameters, ParameterError> parse_rcpt_parameters(std::string_view text, const Extensions& offered);

// True if 8-bit octets stand where none may (S11). In RCPT's arguments they may stand in an ORCPT of type utf-8, when
// SMTPUTF8 was given with MAIL (RFC 6533, 3); whether they are UTF-8 is judged with the value.
bool has_misplaced_8bit(std::string_view text, bool smtputf8);

// True if SMTPUTF8 is among the words of MAIL's arguments. The session asks this before parse_path(), because it
// decides how the path is parsed.
bool asks_for_smtputf8(std::string_view arguments);

}  // namespace sallyport::smtp
