// MacroValues: what an MTA tells of the client and the mail with macros, as far as we want to know it. What is given
// for a step of the connection holds until the next connection, what is given for one of a mail no longer than the
// mail.
//
// Values come from the MTA, and partly from strangers through it: at most 512 octets of each are kept, in printable
// ASCII.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/milter/command.h"

namespace sallyport::milter_service {

enum class Macro : std::uint8_t {
  mta,          // j: the MTA's host name
  queue_id,     // i: the MTA's name for the mail
  daemon_name,  // which of its doors the client came to
  client_addr,
  client_port,
  client_ptr,      // the client's reverse name, whether or not it is confirmed
  client_resolve,  // OK: it is
  tls_version,
  cipher,
  cipher_bits,
  cert_subject,
  cert_issuer,
  verify,  // OK: the client's certificate verifies
  auth_type,
  auth_authen,
  count_,
};

class MacroValues {
 public:
  void take(const milter::Macros& macros);
  // Empty where it was not given.
  const std::string& operator[](Macro macro) const;

  // To be called at MAIL, after the macros for it: nothing of an earlier mail remains.
  void begin_mail();
  void end_mail();
  void clear();

 private:
  using Values = std::array<std::string, static_cast<std::size_t>(Macro::count_)>;
  Values of_connection_;
  Values of_mail_;
  bool is_mail_announced_ = false;  // macros for a MAIL have come, and it has not
};

}  // namespace sallyport::milter_service
