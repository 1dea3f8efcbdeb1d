// What is seen of a session from outside.
#include "gateway/session/session.h"

namespace sallyport::session {

namespace {

std::string shortened(std::string_view text) { return std::string(text.substr(0, Look::most_text)); }

}  // namespace

Look look_at(const policies::Transaction& connection, const MailUnderWay* mail, const Listener& listener) {
  Look look;
  look.id = mail ? mail->transaction.id : connection.id;
  look.client = connection.client.ip;
  look.listener = listener.settings.address;
  look.tenant = mail ? mail->transaction.tenant.name : connection.tenant.name;
  look.is_tls = connection.client.tls.has_value();
  look.helo = shortened(connection.client.helo);
  if (mail) {
    look.sender = mail->transaction.from ? shortened(mail->transaction.from->to_string()) : std::string();
    look.recipients = mail->transaction.rcpts.size();
    look.held_octets = mail->held.octets();
  }
  return look;
}

Look Session::look() const {
  Look look = look_at(connection_, mail_.get(), listener_);
  look.phase = phase_;
  look.in_phase_since = in_phase_since_;
  if (const auto since = channel_.flushing_since()) {
    look.phase = Phase::reply;
    look.in_phase_since = *since;
  }
  if (verb_) look.verb = smtp::name(*verb_);
  look.protocol = word(config::ListenProtocol::smtp);
  look.peer = peer_;
  look.began = began_;
  look.client_silent_since = channel_.flushing_since() ? channel_.flushing_since() : channel_.waiting_since();
  return look;
}

}  // namespace sallyport::session
