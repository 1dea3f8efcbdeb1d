// What may come when: the table of SMTP's states and commands (RFC 5321, 4.1.4; RFC 3207; RFC 3030).
//
// Pure: the session tells it what was said and accepted, it says what a verb is worth now. Every way out of a
// transaction is one call of end_transaction(), so that nothing of it survives (threats.md I4).
#pragma once

#include <cstdint>

#include "gateway/smtp/command.h"

namespace sallyport::smtp {

enum class Permission : std::uint8_t {
  go,
  bad_sequence,    // 503 5.5.1
  no_recipients,   // DATA with no accepted recipient: 554 5.5.1 (S28)
  starttls_first,  // 530 5.7.0: the listener demands TLS (T12)
  not_offered,     // 502 5.5.1: STARTTLS not configured, AUTH, EXPN, ETRN ...
};

class Sequence {
 public:
  Sequence(bool starttls_offered, bool tls_required)
      : starttls_offered_(starttls_offered), tls_required_(tls_required) {}

  // Verb::unknown is answered 500 before anyone asks; here it is `not_offered`.
  // BDAT without a transaction or an accepted recipient is bad_sequence, not no_recipients (S33): its chunk is read and
  // discarded all the same.
  Permission may(Verb verb) const;

  // AUTH, XCLIENT and XFORWARD are not offered unless the listener or the peer allows them (S34, S35).
  void offer(Verb verb);

  void greeted(bool extended);  // HELO or EHLO was accepted; ends a transaction
  void tls_established();       // nothing said before it remains
  void mail_accepted();
  void recipient_accepted();
  void chunk_begun();   // the first BDAT of a message; DATA and RCPT are out of order from here (S28)
  void chunk_failed();  // later chunks are read and answered 503 up to LAST or RSET (S33)
  void end_transaction();

  bool is_greeted() const { return greeted_; }
  bool is_extended() const { return extended_; }
  bool in_transaction() const { return mail_; }
  bool in_chunks() const { return chunks_; }
  bool chunks_failed() const { return failed_; }
  bool in_tls() const { return tls_; }
  std::uint64_t recipients() const { return recipients_; }

 private:
  bool starttls_offered_;
  bool tls_required_;
  bool auth_offered_ = false;
  bool xclient_offered_ = false;
  bool xforward_offered_ = false;
  bool greeted_ = false;
  bool extended_ = false;
  bool tls_ = false;
  bool mail_ = false;
  bool chunks_ = false;
  bool failed_ = false;
  std::uint64_t recipients_ = 0;
};

}  // namespace sallyport::smtp
