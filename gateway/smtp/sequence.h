// Sequence: which command is allowed in which state (RFC 5321, 4.1.4; RFC 3207; RFC 3030).
//
// No I/O: the session reports what was accepted and asks whether a verb is allowed now. Every end of a transaction is
// one call of end_transaction(), so that no part of its state remains (threats.md I4).
#pragma once

#include <cstdint>

#include "gateway/smtp/command.h"

namespace sallyport::smtp {

enum class Permission : std::uint8_t {
  go,
  bad_sequence,    // 503 5.5.1
  no_recipients,   // DATA with no accepted recipient: 554 5.5.1 (S28)
  starttls_first,  // 530 5.7.0: the listener requires TLS (T12)
  not_offered,     // 502 5.5.1: STARTTLS not configured, AUTH, EXPN, ETRN ...
};

class Sequence {
 public:
  Sequence(bool starttls_offered, bool tls_required)
      : starttls_offered_(starttls_offered), tls_required_(tls_required) {}

  // The session answers Verb::unknown with 500 without asking; here it is `not_offered`. BDAT without a transaction or
  // an accepted recipient is bad_sequence, not no_recipients (S33): the session reads and discards its chunk all the
  // same.
  Permission may(Verb verb) const;

  // Call it when the listener or the peer's address permits AUTH, XCLIENT or XFORWARD (S34, S35); they are not offered
  // otherwise.
  void offer(Verb verb);

  void greeted(bool extended);  // HELO or EHLO (`extended`) was accepted; ends the transaction
  void start_over();            // the state is as after connecting; TLS stays (XCLIENT)
  void tls_established();       // the state is as after connecting (RFC 3207, 4.2)
  void mail_accepted();
  void recipient_accepted();
  void chunk_begun();   // the first BDAT of a message was accepted; DATA and RCPT are out of order now (S28)
  void chunk_failed();  // the session reads later chunks and answers 503, until LAST or RSET (S33)
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
