// XCLIENT (Postfix, XCLIENT_README): a front door that we trust says for whom it speaks (threats.md S35). What it says
// is judged as if the client itself had typed it; the session is then that client's, from the greeting on.
#include <utility>

#include "gateway/session/session.h"
#include "gateway/smtp/xclient.h"

namespace sallyport::session {

namespace {

template <class T>
const T& known_or(const smtp::Said<T>& said, const T& otherwise) {
  return said.is_known() ? said.value : otherwise;
}

Refusal refusal_of(smtp::XclientError error) {
  Refusal refusal{.code = 501, .dsn = "5.5.4", .text = "Syntax: XCLIENT name=value ...", .incident = Violation::syntax};
  switch (error) {
    case smtp::XclientError::missing:
      break;
    case smtp::XclientError::unknown:
      refusal.text = "An attribute of XCLIENT is not offered here";
      break;
    case smtp::XclientError::repeated:
      refusal.text = "An attribute of XCLIENT is given twice";
      break;
    case smtp::XclientError::bad_value:
      refusal.text = "An attribute of XCLIENT has no valid value";
      break;
  }
  return refusal;
}

}  // namespace

Task<Flow> Session::on_xclient(const smtp::Command& command) {
  auto said = smtp::parse_xclient(command.arguments);
  if (!said) co_return refuse(refusal_of(said.error()));
  take_introduction(*said);
  end_mail();
  sequence_.start_over();
  offered_ = {};
  connection_.client.helo.clear();
  connection_.client.extended = false;
  // Without ADDR it is the client that it was: it is not counted as a connection once more.
  if (said->addr) {
    begin_client();
    if (!slot_) co_return refuse(refusals::too_many_sessions);
    if (!co_await admit()) co_return Flow::end;
  }
  queue_greeting();
  co_return Flow::next;
}

// LOGIN is not asked for; who says it all the same says it for nothing. What a command does not mention stays as it was
// said before.
void Session::take_introduction(const smtp::ClientAttributes& said) {
  policies::Client& client = connection_.client;
  if (!introduction_)
    introduction_ = std::make_unique<Introduction>(SocketAddress{client.ip, client.port}, destination_);
  if (said.addr) client.ip = known_or(*said.addr, introduction_->peer.ip);
  if (said.port) client.port = known_or(*said.port, std::uint16_t{0});
  if (said.name) client.rdns = known_or(*said.name, std::string());
  if (said.helo) introduction_->helo = known_or(*said.helo, std::string());
  if (said.extended) introduction_->extended = said.extended;
  if (said.dest_addr) destination_.ip = known_or(*said.dest_addr, introduction_->destination.ip);
  if (said.dest_port) destination_.port = known_or(*said.dest_port, introduction_->destination.port);
  client.fcrdns = !client.rdns.empty();
}

// S14: after a handshake nothing counts that was said before it.
void Session::forget_introduction() {
  if (!introduction_) return;
  connection_.client.ip = introduction_->peer.ip;
  connection_.client.port = introduction_->peer.port;
  destination_ = introduction_->destination;
  connection_.client.rdns.clear();
  connection_.client.fcrdns = false;
  introduction_.reset();
  begin_client();
}

// Nothing that was found out about another client, or counted for it, is this one's.
void Session::begin_client() {
  connection_.id = host_.ids.next(host_.clock.wall_now());
  began_ = now();
  errors_ = 0;
  junk_ = 0;
  refused_recipients_ = 0;
  begin_checks();
  recognise_client();
  slot_.reset();  // first: the last of all slots is free for whom it is taken now
  slot_ = host_.slots.take(connection_.client.ip, share_of_client());
}

bool Session::speaks_for_itself() const {
  return may_introduce_ && (!introduction_ || connection_.client.ip == introduction_->peer.ip);
}

}  // namespace sallyport::session
