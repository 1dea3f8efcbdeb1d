// What is seen of a session from outside.
#include "gateway/session/session.h"

namespace sallyport::session {

Look Session::look() const {
  Look look;
  look.id = id();
  look.phase = phase_;
  look.in_phase_since = in_phase_since_;
  if (const auto since = channel_.flushing_since()) {
    look.phase = Phase::reply;
    look.in_phase_since = *since;
  }
  if (verb_) look.verb = smtp::name(*verb_);
  look.protocol = word(config::ListenProtocol::smtp);
  look.peer = peer_;
  look.client = connection_.client.ip;
  look.listener = listener_.settings.address;
  look.tenant = mail_ ? mail_->transaction.tenant.name : connection_.tenant.name;
  look.is_tls = connection_.client.tls.has_value();
  look.helo = shortened(connection_.client.helo);
  if (mail_) {
    look.sender = mail_->transaction.from ? shortened(mail_->transaction.from->to_string()) : std::string();
    look.recipients = mail_->transaction.rcpts.size();
    look.held_octets = mail_->held.octets();
  }
  look.began = began_;
  look.client_silent_since = channel_.flushing_since() ? channel_.flushing_since() : channel_.waiting_since();
  return look;
}

}  // namespace sallyport::session
