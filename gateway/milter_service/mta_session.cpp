#include "gateway/milter_service/mta_session.h"

#include <algorithm>
#include <utility>

#include "gateway/base/exception_text.h"
#include "gateway/base/text.h"
#include "gateway/milter/negotiation.h"
#include "gateway/milter_service/client_facts.h"
#include "gateway/smtp/command.h"

namespace sallyport::milter_service {

using milter::Verb;
using policies::Stage;
using session::Refusal;
namespace refusals = session::refusals;

namespace {

// From request_stop() on (R12): how long a session without content may wait for others than its MTA.
constexpr Duration patience_without_content = std::chrono::seconds(5);

}  // namespace

MtaSession::MtaSession(session::Host& host, std::shared_ptr<const session::WorkerSnapshot> snapshot,
                       const session::Listener& listener, std::unique_ptr<io::Stream> stream, SocketAddress mta,
                       MissingActions& missing_actions)
    : host_(host),
      snapshot_(std::move(snapshot)),
      listener_(listener),
      missing_actions_(missing_actions),
      mta_(mta),
      channel_(host.scheduler, std::move(stream)),
      began_(host.scheduler.now()),
      in_phase_since_(began_) {
  connection_.id = host_.ids.next(host_.clock.wall_now());
  connection_.client.ip = mta.ip;
  host_.counters.add(Gauge::sessions, 1);
}

MtaSession::~MtaSession() {
  record_cut_mail();
  host_.counters.add(Gauge::sessions, -1);
  if (connection_.client.tls) host_.counters.add(Gauge::tls_sessions, -1);
}

Task<void> MtaSession::run() {
  std::exception_ptr mistake;
  try {
    Flow flow = Flow::next;
    // Until the MTA names a client, the connection counts as one session of nobody's (R5).
    slot_ = host_.slots.take(mta_.ip, io::SessionSlots::Share::unlimited);
    if (!may_ask()) flow = handle_breach("not in milter_from");
    if (!slot_) flow = Flow::end;
    while (flow == Flow::next) flow = co_await next_command();
  } catch (...) {
    mistake = std::current_exception();
  }
  try {
    close_books(mistake);
    static_cast<void>(co_await channel_.flush());
    channel_.close();
  } catch (...) {
    channel_.abort();
  }
}

// Who may open the file of a unix-domain socket is for its mode to say.
bool MtaSession::may_ask() const {
  return listener_.settings.address.is_unix() || session::is_in(mta_.ip, listener_.settings.milter_from);
}

std::string MtaSession::name_of_mta() const {
  if (!macros_[Macro::mta].empty()) return macros_[Macro::mta];
  return listener_.settings.address.is_unix() ? listener_.settings.address.to_string() : mta_.to_string();
}

// A mistake of ours, or want of memory, ends this connection; all others go on (threats.md I10, R7). The MTA takes none
// of what was about to be said for the answer.
void MtaSession::close_books(const std::exception_ptr& mistake) {
  if (mistake) {
    channel_.answers().clear();
    const std::string what = description_of(mistake);
    fail(Fault::internal, record::Outcome::tempfail, what);
  }
  end_mail();
  is_over_ = true;
}

Task<void> MtaSession::break_off() {
  try {
    cut_mail();
    is_over_ = true;
    channel_.close();
  } catch (...) {
    channel_.abort();
  }
  co_return;
}

// However a session ends, each mail that was begun has its record.
void MtaSession::record_cut_mail() noexcept {
  try {
    cut_mail();
  } catch (...) {
    host_.counters.add(Fault::log);  // there is no memory for the record
  }
}

// The MTA puts the mail off by itself when the connection is gone.
void MtaSession::cut_mail() {
  if (!mail_) return;
  record::Decision decision;
  decision.outcome = record::Outcome::tempfail;
  decision.stage = mail_->stage();
  decision.check = refusals::shutting_down.check;
  decide(std::move(decision));
  end_mail();
}

// ---- what comes ----

Time MtaSession::deadline() const {
  const config::TimeoutSettings& timeouts = settings().timeouts;
  if (state_ == State::open) return now() + timeouts.handshake;
  // The MTA waits for its client's commands, and takes the client's message in before it tells us of any of it.
  const Time deadline = now() + timeouts.command + timeouts.data_total;
  return mail_ ? std::min(deadline, mail_->content_deadline) : deadline;
}

Task<MtaSession::Flow> MtaSession::next_command() {
  if (is_stopping() && is_idle()) {
    cut_mail();
    co_return Flow::end;
  }
  is_waiting_for_mta_ = true;
  in_phase_since_ = now();
  auto packet = co_await channel_.next(deadline(), settings().timeouts.data_block);
  is_waiting_for_mta_ = false;
  in_phase_since_ = now();
  if (!packet && is_stopping() && is_idle()) {
    cut_mail();
    co_return Flow::end;
  }
  if (!packet) co_return handle_lost_mta(packet.error());
  const auto command = milter::decode_command(*packet);
  if (!command) co_return handle_breach("a packet that is no command");
  if (const auto flow = obey_at_once(*command)) co_return *flow;
  co_return co_await obey(*command);
}

// All that needs no waiting, so that the many packets of a message cost no frame each. Nothing: obey() has it.
std::optional<MtaSession::Flow> MtaSession::obey_at_once(const milter::Command& command) {
  const Verb verb = milter::verb_of(command);
  if (const auto* offered = std::get_if<milter::Terms>(&command)) {
    if (state_ != State::open) return handle_breach("a second offer");
    return on_offer(*offered);
  }
  if (verb == Verb::quit) {
    end_connection();
    return Flow::end;
  }
  if (state_ == State::open) return handle_breach("no offer");
  if (const auto* macros = std::get_if<milter::Macros>(&command)) {
    macros_.take(*macros);
    return Flow::next;
  }
  if (verb == Verb::quit_and_reuse) return end_connection();
  if (verb == Verb::abort) {
    end_mail();
    macros_.end_mail();
    return Flow::next;
  }
  if ((state_ == State::negotiated) != (verb == Verb::connect)) return handle_breach("out of order");
  if (verb == Verb::connect) return std::nullopt;
  if (!standing_answer_.empty()) {
    if (milter::is_answered(terms_, verb)) channel_.answers() += standing_answer_;
    return Flow::next;
  }
  if (verb == Verb::unknown) {
    go_on(verb);
    return Flow::next;
  }
  if (verb == Verb::helo || verb == Verb::mail) return std::nullopt;
  // What belongs to no mail, as the rest of one that was refused.
  if (!mail_) {
    if (milter::is_answered(terms_, verb)) channel_.say(milter::Word::tempfail);
    return Flow::next;
  }
  if (state_ == State::in_content && (verb == Verb::rcpt || verb == Verb::data)) return handle_breach("out of order");
  if (const auto* field = std::get_if<milter::Header>(&command)) return on_header(*field);
  if (const auto* body = std::get_if<milter::Body>(&command)) return on_body(body->octets);
  if (verb == Verb::end_of_header) return on_end_of_header();
  if (verb == Verb::data) return on_data();
  return std::nullopt;
}

Task<MtaSession::Flow> MtaSession::obey(const milter::Command& command) {
  if (const auto* connect = std::get_if<milter::Connect>(&command)) co_return co_await on_connect(*connect);
  if (const auto* helo = std::get_if<milter::Helo>(&command)) co_return co_await on_helo(*helo);
  if (const auto* mail = std::get_if<milter::Mail>(&command)) co_return co_await on_mail(*mail);
  if (const auto* rcpt = std::get_if<milter::Rcpt>(&command)) co_return co_await on_rcpt(*rcpt);
  if (const auto* end = std::get_if<milter::EndOfMessage>(&command)) co_return co_await on_end_of_message(end->octets);
  co_return handle_breach("out of order");
}

// ---- the connection ----

MtaSession::Flow MtaSession::on_offer(const milter::Terms& offered) {
  const auto terms = agree(offered);
  if (!terms) return handle_breach("a version that is not spoken here");
  terms_ = *terms;
  state_ = State::negotiated;
  missing_actions_.tell(host_.log, terms_, name_of_mta());
  encode_agreement(channel_.answers(), terms_);
  return Flow::next;
}

Task<MtaSession::Flow> MtaSession::on_connect(const milter::Connect& connect) {
  state_ = State::connected;
  began_ = now();
  host_.counters.add(Total::connections);
  connection_.id = host_.ids.next(host_.clock.wall_now());
  // Where there is one tenant, it is whose mail this will be.
  const checks::Plans& plans = snapshot_->plans->plans();
  if (plans.tenants.size() == 1) connection_.tenant.name = plans.tenants.begin()->first;
  connection_.client = client_of(connect, macros_);
  connection_.listener = listener_.settings.address;
  connection_.client.is_trusted = session::is_in(connection_.client.ip, settings().trusted.networks);
  checks_.emplace(session::services_of(host_, settings()), snapshot_->plans, [this] { record(Violation::dns_budget); });
  const bool is_free = session::is_unlimited(connection_.client, plans);
  slot_.reset();  // first: the last of all places is free for whom it is taken now
  slot_ = host_.slots.take(connection_.client.ip,
                           is_free ? io::SessionSlots::Share::unlimited : io::SessionSlots::Share::limited);
  const std::size_t before = channel_.answers().size();
  if (is_stopping()) {
    refuse(refusals::shutting_down_at_connect);
  } else if (!slot_) {
    refuse(refusals::too_many_sessions);
  } else {
    const checks::Disposition disposition = co_await checks_->connected(connection_);
    if (!disposition.refuses()) {
      go_on(Verb::connect);
      co_return Flow::next;
    }
    apply(disposition, Stage::connect);
  }
  standing_answer_ = channel_.answers().substr(before);
  co_return Flow::next;
}

Task<MtaSession::Flow> MtaSession::on_helo(const milter::Helo& helo) {
  end_mail();
  state_ = State::connected;
  const auto name = smtp::parse_greeting(helo.name);
  if (!name) {
    refuse(name.error() == smtp::GreetingError::missing ? refusals::no_host_name : refusals::bad_host_name);
    co_return Flow::next;
  }
  learn_tls();
  std::string before = std::exchange(connection_.client.helo, std::string(*name));
  const checks::Disposition disposition = co_await checks_->greeted(connection_);
  if (disposition.refuses()) {
    apply(disposition, Stage::helo);
    connection_.client.helo = std::move(before);  // what is refused was not said
    co_return Flow::next;
  }
  if (text::for_header(connection_.client.helo) != connection_.client.helo) record(Violation::hdr_inject);  // S37
  go_on(Verb::helo);
  co_return Flow::next;
}

void MtaSession::learn_tls() {
  const bool had_tls = connection_.client.tls.has_value();
  connection_.client.tls = tls_of(macros_);
  const bool has_tls = connection_.client.tls.has_value();
  if (has_tls != had_tls) host_.counters.add(Gauge::tls_sessions, has_tls ? 1 : -1);
}

// Nothing of this client remains for the next one, which the same connection may tell us of.
MtaSession::Flow MtaSession::end_connection() {
  end_mail();
  forget_client();
  state_ = State::negotiated;
  return Flow::next;
}

void MtaSession::forget_client() {
  macros_.clear();
  learn_tls();
  checks_.reset();
  standing_answer_.clear();
  connection_ = {};
  connection_.id = host_.ids.next(host_.clock.wall_now());
  connection_.client.ip = mta_.ip;
}

// F9: whoever says such things is no MTA, or a broken one; what it would say next is not believed.
MtaSession::Flow MtaSession::handle_breach(std::string_view what) {
  fail(Violation::milter_protocol, record::Outcome::tempfail, what);
  channel_.answers().clear();
  return Flow::end;
}

MtaSession::Flow MtaSession::handle_lost_mta(MtaChannel::Lost lost) {
  if (!lost) return handle_breach("no packet of the milter protocol");
  const bool is_late = *lost == io::Error::timed_out;
  // A mail all of whose recipients were refused loses nothing; nor does anybody where no mail is under way.
  const bool was_decided = mail_ && mail_->decision && mail_->transaction.rcpts.empty();
  if (!mail_ || was_decided) {
    if (is_late) record(Violation::slow_client);
    return Flow::end;
  }
  const record::Incident kind =
      is_late ? record::Incident(Violation::slow_client) : record::Incident(Fault::client_lost);
  fail(kind, record::Outcome::drop, io::name(*lost));
  return Flow::end;
}

// ---- the end ----

void MtaSession::request_stop() {
  if (is_stopping()) return;
  stop_requested_at_ = now();
  // There are no words for it that the MTA has not asked for: it notices the end when it has something to ask.
  if (is_idle() && is_waiting_for_mta_ && !channel_.is_flushing()) channel_.close();
}

session::Phase MtaSession::phase() const {
  using session::Phase;
  if (is_over_) return Phase::ending;
  if (channel_.is_flushing()) return Phase::reply;
  const bool is_in_content = mail_ && mail_->message;
  if (is_waiting_for_mta_) return is_in_content ? Phase::content : Phase::command;
  if (is_in_content) return Phase::checking;
  return state_ == State::open ? Phase::connecting : Phase::working;
}

session::Look MtaSession::look() const {
  session::Look look = session::look_at(connection_, mail_.get(), listener_);
  look.phase = phase();
  look.in_phase_since = in_phase_since_;
  look.protocol = word(config::ListenProtocol::milter);
  look.peer = mta_;
  look.began = began_;
  if (is_waiting_for_mta_ || channel_.is_flushing()) look.client_silent_since = in_phase_since_;
  return look;
}

bool MtaSession::holds_up_for_nothing() const {
  return is_stopping() && is_idle() && now() - *stop_requested_at_ >= patience_without_content;
}

}  // namespace sallyport::milter_service
