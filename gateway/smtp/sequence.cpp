#include "gateway/smtp/sequence.h"

#include "gateway/base/ensure.h"

namespace sallyport::smtp {
namespace {

Permission in_order(bool condition) { return condition ? Permission::go : Permission::bad_sequence; }

// RFC 3207, 4: the commands allowed before STARTTLS when TLS is required. RSET and HELO are harmless here, and some
// clients begin with them.
bool is_allowed_before_tls(Verb verb) {
  switch (verb) {
    case Verb::helo:
    case Verb::ehlo:
    case Verb::starttls:
    case Verb::noop:
    case Verb::rset:
    case Verb::quit:
    case Verb::xclient:  // sent by a trusted front end; it describes the connection, not a mail
    case Verb::xforward:
      return true;
    default:
      return false;
  }
}

}  // namespace

Permission Sequence::may(Verb verb) const {
  const bool is_offered = verb == Verb::auth       ? auth_offered_
                          : verb == Verb::xclient  ? xclient_offered_
                          : verb == Verb::xforward ? xforward_offered_
                          : verb == Verb::starttls ? starttls_offered_
                                                   : verb != Verb::expn && verb != Verb::etrn && verb != Verb::turn &&
                                                         verb != Verb::send && verb != Verb::unknown;
  if (!is_offered) return Permission::not_offered;
  if (tls_required_ && !tls_ && !is_allowed_before_tls(verb)) return Permission::starttls_first;

  switch (verb) {
    case Verb::mail:
      return in_order(greeted_ && !mail_);
    case Verb::rcpt:
      return in_order(mail_ && !chunks_);
    case Verb::data:
      if (!mail_ || chunks_) return Permission::bad_sequence;
      return recipients_ == 0 ? Permission::no_recipients : Permission::go;
    case Verb::bdat:
      return in_order(mail_ && recipients_ != 0 && !failed_);
    case Verb::starttls:
      return in_order(!tls_ && !mail_);
    case Verb::auth:
      return in_order(extended_ && !mail_);
    case Verb::xclient:
    case Verb::xforward:
      return in_order(!mail_);
    default:
      return Permission::go;
  }
}

void Sequence::offer(Verb verb) {
  ensure(verb == Verb::auth || verb == Verb::xclient || verb == Verb::xforward,
         "Sequence: offered by itself, or never");
  auth_offered_ = auth_offered_ || verb == Verb::auth;
  xclient_offered_ = xclient_offered_ || verb == Verb::xclient;
  xforward_offered_ = xforward_offered_ || verb == Verb::xforward;
}

void Sequence::greeted(bool extended) {
  end_transaction();
  greeted_ = true;
  extended_ = extended;
}

void Sequence::start_over() {
  end_transaction();
  greeted_ = false;
  extended_ = false;
}

void Sequence::tls_established() {
  ensure(!tls_, "Sequence: TLS inside TLS");
  start_over();
  tls_ = true;
}

void Sequence::mail_accepted() {
  ensure(greeted_ && !mail_, "Sequence: MAIL accepted out of order");
  mail_ = true;
}

void Sequence::recipient_accepted() {
  ensure(mail_ && !chunks_, "Sequence: RCPT accepted out of order");
  ++recipients_;
}

void Sequence::chunk_begun() {
  ensure(mail_, "Sequence: BDAT accepted out of order");
  chunks_ = true;
}

void Sequence::chunk_failed() {
  if (!mail_) return;  // BDAT outside a transaction; may() refuses the next one anyway
  chunks_ = true;
  failed_ = true;
}

void Sequence::end_transaction() {
  mail_ = false;
  chunks_ = false;
  failed_ = false;
  recipients_ = 0;
}

}  // namespace sallyport::smtp
