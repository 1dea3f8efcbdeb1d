#include "gateway/upstream/delivery.h"

#include <algorithm>

namespace sallyport::upstream {

using Kind = UpstreamError::Kind;
using ReplyOrError = Result<smtp::UpstreamReply, UpstreamError>;
using std::chrono::seconds;

namespace {

// A server's session knows the mailboxes of the time it began. A refusal by an older one is asked for again.
constexpr Duration reliable_age = seconds(20);
constexpr Duration new_session_patience = seconds(5);

// True if the server says that it takes no mail for now, whatever the mail (RFC 3463, 3.4: X.3.X is the mail system).
bool is_about_server(const smtp::UpstreamReply& reply) {
  return reply.is_temporary() && (reply.enhanced.starts_with("4.3.") || (reply.enhanced.empty() && reply.code == 452));
}

// True if a session that began later may answer otherwise, as it has newer tables. Servers that are set to be careful
// refuse unknown mailboxes with 450 (X.1.X is the address).
bool may_be_outdated(const smtp::UpstreamReply& reply) {
  return reply.is_permanent() || (reply.is_temporary() && (reply.enhanced.starts_with("4.1.") ||
                                                           (reply.enhanced.empty() && reply.code == 450)));
}

}  // namespace

Delivery::Delivery(async::Scheduler& scheduler, UpstreamPool& pool, UpstreamGroup& group, UpstreamTimeouts timeouts,
                   MailAddress from, smtp::MailParameters parameters, DeliveryClient& client)
    : scheduler_(scheduler),
      pool_(pool),
      group_(group),
      timeouts_(timeouts),
      from_(std::move(from)),
      parameters_(std::move(parameters)),
      client_(client) {}

Delivery::~Delivery() {
  // A lease destroyed without give_back() resets its connection, which is right for content cut short.
  if (lease_ && !in_content_) pool_.give_back(std::move(lease_), mail_accepted_);
}

std::string Delivery::server_name() const {
  const UpstreamServer* server = lease_ ? &lease_.server() : last_server_;
  return server != nullptr ? server->name() : std::string();
}

const smtp::Extensions* Delivery::extensions() const {
  if (!envelope_.is_empty()) return &envelope_.extensions();
  return lease_ ? &lease_->extensions() : nullptr;
}

// Whatever is open on the connection ends with it.
void Delivery::let_go() {
  if (!lease_) return;
  last_server_ = &lease_.server();
  lease_ = {};
  mail_accepted_ = false;
}

UpstreamError Delivery::lost(UpstreamError error) {
  const bool is_servers_fault = error.kind == Kind::down || error.kind == Kind::timed_out ||
                                error.kind == Kind::protocol || error.kind == Kind::early;
  if (lease_ && is_servers_fault) pool_.note_broken(lease_.server(), error);
  let_go();
  failure_ = error;
  return error;
}

// What the answer says of the server, rather than of the mail (U19).
void Delivery::note_answer(const smtp::UpstreamReply& reply) {
  if (!lease_) return;
  if (is_about_server(reply)) {
    lease_.server().refused_for_now(scheduler_.now());
  } else {
    pool_.note_served(lease_.server());
  }
}

void Delivery::finish() {
  if (!lease_) return;
  last_server_ = &lease_.server();
  pool_.give_back(std::move(lease_), mail_accepted_);
}

// -- silence

void Delivery::give_up() noexcept {
  unlink();
  last_server_ = &lease_.server();
  mail_accepted_ ? pool_.give_up(std::move(lease_)) : pool_.give_back(std::move(lease_), false);
  mail_accepted_ = false;
}

void Delivery::fall_silent() {
  if (lease_ && !in_content_) pool_.note_silent(*this);
}

// The client goes on. What has become of the connection meanwhile is seen here, before anything is said on it.
void Delivery::notice_end_of_silence() {
  const bool was_silent = is_linked();
  unlink();
  silence_ = was_silent ? scheduler_.now() - silent_since : Duration::zero();
  if (!was_silent) return;
  const Standing standing = lease_->standing();
  if (standing == Standing::closed || standing == Standing::farewell) let_go();
}

// -- recipients

Task<ReplyOrError> Delivery::recipient(const MailAddress& to, const smtp::RcptParameters& parameters) {
  passed_over_.clear();
  if (failure_) co_return *failure_;
  notice_end_of_silence();
  auto reply = co_await ask_recipient(to, parameters);
  if (reply && is_about_server(*reply)) note_answer(*reply);
  fall_silent();
  co_return reply;
}

Task<ReplyOrError> Delivery::ask_recipient(const MailAddress& to, const smtp::RcptParameters& parameters) {
  while (true) {
    if (!mail_accepted_ && !envelope_.is_empty()) {
      auto opened = co_await open_again(deadline_in(timeouts_.connect));
      if (!opened) co_return lost(std::move(opened).error());
    }
    if (!mail_accepted_) co_return co_await open_transaction(to, parameters);

    const std::string command = rcpt_command(to, parameters, lease_->extensions());
    lease_->start_anew();
    const Time began = scheduler_.now();
    auto reply = co_await lease_->ask(command, deadline_in(timeouts_.reply));
    if (reply) group_.figures->reply.add(scheduler_.now() - began);
    if (reply && !reply->is_intermediate()) {
      if (reply->is_positive()) envelope_.accepted(command);
      if (may_be_outdated(*reply)) co_return co_await ask_new_session(std::move(*reply), to, parameters);
      co_return reply;
    }
    UpstreamError error = reply ? UpstreamError{Kind::protocol, "354 to RCPT", false} : std::move(reply).error();
    if (may_open_again_after(error)) continue;
    if (!envelope_.is_empty()) co_return lost(std::move(error));
    // No recipient has been accepted yet, so another server may take the mail.
    if (!pass_over_server(error, answer_by_)) co_return error;
  }
}

// Once for each mail: the server has ended the transaction, while the client was silent or because it wants no more of
// this connection. The connection is gone then.
bool Delivery::may_open_again_after(const UpstreamError& error) {
  const bool has_ended_in_silence =
      silence_ >= long_silence && error.nothing_read && (error.kind == Kind::down || error.kind == Kind::timed_out);
  // U7. Without an accepted recipient the 421 is an answer, unless it comes of the recipients refused before.
  const bool has_said_farewell =
      error.kind == Kind::closing && (!envelope_.is_empty() || (lease_ && lease_->refusals() > 0));
  if (has_opened_again_ || (!has_ended_in_silence && !has_said_farewell)) return false;
  has_opened_again_ = true;
  let_go();
  return true;
}

// Drops the connection of a server that failed; true when another server may be asked (U6). False when the server has
// answered, by a malformed reply or 421 (U2, U7), or when the deadline is over.
bool Delivery::pass_over_server(const UpstreamError& error, Time deadline) {
  UpstreamServer& server = lease_.server();
  let_go();
  const bool is_gone = error.kind == Kind::down || error.kind == Kind::timed_out;
  if (is_gone || error.kind == Kind::protocol) pool_.note_broken(server, error);
  const bool may_go_elsewhere = is_gone || error.kind == Kind::resource;
  if (!may_go_elsewhere || scheduler_.is_over(deadline)) return false;
  passed_over_.push_back({&server, error});
  return true;
}

std::optional<smtp::UpstreamReply> Delivery::refuse_unfit_server() const {
  smtp::UpstreamReply cannot;
  cannot.code = 550;
  if (parameters_.smtputf8 && !lease_->extensions().smtputf8) {  // S11: known only at RCPT, when the server is known
    cannot.enhanced = "5.6.7";
    cannot.lines = {"5.6.7 The server for this recipient takes no internationalized mail"};
    return cannot;
  }
  if (lacks_required_tls()) {  // T12: known only at RCPT, as above
    cannot.enhanced = "5.7.30";
    cannot.lines = {"5.7.30 The server for this recipient does not support REQUIRETLS"};
    return cannot;
  }
  return std::nullopt;
}

// U9: the server has closed the kept connection, or does not answer on it; or it was lost for a shortage of ours. Some
// servers say 421 to a kept connection not at MAIL, but at the first RCPT after it.
bool Delivery::is_dead_when_kept(const UpstreamError& error, bool reused) const {
  if (!reused) return false;
  if (error.kind == Kind::closing) return true;
  const bool is_lost = error.kind == Kind::down || error.kind == Kind::timed_out || error.kind == Kind::resource;
  return !mail_accepted_ && error.nothing_read && is_lost;
}

Task<ReplyOrError> Delivery::open_transaction(const MailAddress& to, const smtp::RcptParameters& parameters) {
  const Time deadline = deadline_in(timeouts_.connect);
  bool fresh = false;
  std::optional<smtp::UpstreamReply> not_now;  // of a server that takes no mail for now
  while (true) {
    if (!lease_) {  // after a refused MAIL the connection is kept
      const UpstreamPool::Wish wish{deadline, fresh, nullptr, &client_, spoken_for(), payer_};
      auto acquired = co_await pool_.acquire(group_, passed_over_, wish);
      if (!acquired && acquired.error().kind == Kind::unwelcome) co_return *acquired.error().refusal;
      if (!acquired && not_now && acquired.error().kind != Kind::client_lost) co_return std::move(*not_now);
      if (!acquired) co_return std::move(acquired).error();
      lease_ = std::move(*acquired);
    }
    const bool reused = lease_.is_reused() && !fresh;
    auto reply = co_await say_envelope(to, parameters);
    if (!lease_) co_return reply;
    if (reply && may_be_outdated(*reply) && (mail_accepted_ || (reply->is_permanent() && !refuse_unfit_server())))
      co_return co_await ask_new_session(std::move(*reply), to, parameters);
    const bool may_go_elsewhere = reply && (mail_accepted_ ? is_about_server(*reply) : reply->is_temporary());
    if (reply && !may_go_elsewhere) co_return reply;

    // U9: a server that accepts a limited number of mails on one connection answers 4xx to MAIL from then on.
    if (reply ? reused && !mail_accepted_ : is_dead_when_kept(reply.error(), reused)) {
      let_go();
      fresh = true;
      continue;
    }
    if (reply || reply.error().kind == Kind::closing) {  // U7: perhaps another server takes it
      UpstreamServer& server = lease_.server();
      server.refused_for_now(scheduler_.now());
      last_server_ = &server;
      UpstreamError error = reply ? UpstreamError{Kind::closing, "mail is refused for now", false} : reply.error();
      if (reply) {
        not_now = std::move(*reply);
        pool_.give_back(std::move(lease_), mail_accepted_);
      }
      let_go();
      mail_accepted_ = false;
      passed_over_.push_back({&server, std::move(error), true});
    } else if (!pass_over_server(reply.error(), deadline)) {
      co_return std::move(reply).error();
    }
    fresh = false;
  }
}

Task<Result<std::optional<smtp::UpstreamReply>, UpstreamError>> Delivery::introduce_client(UpstreamPool::Lease& lease) {
  const Duration patience = lease.is_reused() ? std::min(timeouts_.reply, patience_with_old) : timeouts_.reply;
  auto told = co_await introduce(*lease, group_, lease.server().address(), *spoken_for_, scheduler_, patience);
  if (!told) co_return std::move(told).error();
  // By tproxy some clients are seen and some cannot be, whatever the server does: one line for each server is enough.
  const bool depends_on_client = group_.settings.client_info == config::ClientInfoWay::tproxy;
  if (told->untold.empty() && depends_on_client) co_return std::move(told->refusal);
  const bool is_news = lease.server().note_untold(!told->untold.empty());
  if (is_news && !told->untold.empty()) untold_ = std::move(told->untold);
  co_return std::move(told->refusal);
}

// Who the client is, MAIL and the first RCPT. Without a connection afterwards, the reply is about the client: nobody
// else's mail could go on that one.
Task<ReplyOrError> Delivery::say_envelope(const MailAddress& to, const smtp::RcptParameters& parameters) {
  if (spoken_for_) {
    auto refusal = co_await introduce_client(lease_);
    if (!refusal) co_return std::move(refusal).error();
    if (*refusal) {
      let_go();
      co_return std::move(**refusal);
    }
  }
  if (auto cannot = refuse_unfit_server()) co_return std::move(*cannot);
  envelope_.begin(mail_command(from_, parameters_, lease_->extensions()), lease_->extensions());
  co_return co_await say_mail_and_rcpt(rcpt_command(to, parameters, lease_->extensions()));
}

// Sends MAIL and the first RCPT in one write where the server can take that (RFC 2920). When MAIL is refused, that
// refusal is the answer to RCPT.
Task<ReplyOrError> Delivery::say_mail_and_rcpt(std::string rcpt_line) {
  const Time began = scheduler_.now();
  Time deadline = deadline_in(timeouts_.reply);
  const bool pipelined = lease_->extensions().pipelining;
  lease_->count_mail();
  const std::string group = pipelined ? envelope_.mail() + rcpt_line : std::string();
  auto sent = co_await lease_->send(pipelined ? group : envelope_.mail(), pipelined ? 2 : 1, deadline);
  if (!sent) co_return std::move(sent).error();

  auto mail =
      co_await lease_->read_reply(lease_.is_reused() ? std::min(deadline, began + patience_with_old) : deadline);
  const bool is_slow = !mail && mail.error().kind == Kind::timed_out && !mail.error().nothing_read;
  if (is_slow) mail = co_await lease_->read_reply(deadline);  // it has begun to answer
  if (!mail) co_return mail;
  if (mail->is_intermediate()) co_return UpstreamError{Kind::protocol, "354 to MAIL", false};
  mail_accepted_ = mail->is_positive();
  deadline = deadline_in(timeouts_.reply);
  if (!pipelined) {
    if (!mail_accepted_) co_return mail;
    sent = co_await lease_->send(rcpt_line, 1, deadline);
    if (!sent) co_return std::move(sent).error();
  }
  auto rcpt = co_await lease_->read_reply(deadline);
  if (!rcpt) co_return rcpt;
  if (rcpt->is_intermediate()) co_return UpstreamError{Kind::protocol, "354 to RCPT", false};
  if (!mail_accepted_) {
    // U5: a recipient cannot be accepted for a mail that was not.
    if (rcpt->is_positive()) co_return UpstreamError{Kind::protocol, "RCPT accepted after MAIL was refused", false};
    co_return mail;
  }
  lease_.server().answered_after(scheduler_.now() - began);
  group_.figures->reply.add(scheduler_.now() - began);
  if (rcpt->is_positive()) envelope_.accepted(rcpt_line);
  co_return rcpt;
}

// A server's session may hold tables as old as itself (Postfix keeps them until the client leaves): a mailbox made
// since then is unknown to it, and a sender let in since then is not. So a recipient or sender that an old session
// refuses is asked for in a new one, which then goes on with the mail; when there is none, or it does not take what was
// accepted before, the refusal stands.
Task<ReplyOrError> Delivery::ask_new_session(smtp::UpstreamReply refusal, const MailAddress& to,
                                             const smtp::RcptParameters& parameters) {
  lease_->count_refusal();
  if (lease_->age() < reliable_age) co_return refusal;
  lease_->wear_out();
  auto acquired = co_await pool_.acquire_beside(group_, lease_.server(), new_session_patience, spoken_for());
  if (!acquired) co_return refusal;
  UpstreamPool::Lease other = std::move(*acquired);
  if (spoken_for_) {
    auto unwanted = co_await introduce_client(other);
    if (!unwanted || *unwanted) co_return refusal;
  }
  std::string mail = mail_command(from_, parameters_, other->extensions());
  const std::string rcpt = rcpt_command(to, parameters, other->extensions());
  const Duration patience = std::min(timeouts_.reply, new_session_patience);
  if (!envelope_.is_empty()) {
    if (!envelope_.suits(other->extensions())) co_return refusal;
    auto said = co_await envelope_.say_again(scheduler_, *other, patience);
    if (!said) co_return refusal;
  } else {
    other->count_mail();
    auto said = co_await other->ask(mail, scheduler_.now() + patience);
    if (!said || !said->is_positive()) co_return refusal;
  }
  auto answer = co_await other->ask(rcpt, scheduler_.now() + patience);
  if (!answer || answer->is_intermediate()) co_return refusal;
  pool_.part_with(std::move(lease_));
  lease_ = std::move(other);
  mail_accepted_ = true;
  if (envelope_.is_empty()) envelope_.begin(std::move(mail), lease_->extensions());
  if (answer->is_positive()) envelope_.accepted(rcpt);
  if (may_be_outdated(*answer)) lease_->count_refusal();
  co_return answer;
}

// U17: the same commands on another connection, before any content.
Task<Result<Done, UpstreamError>> Delivery::open_again(Time deadline) {
  bool fresh = false;
  while (true) {
    const UpstreamPool::Wish wish{deadline, fresh, last_server_, &client_, spoken_for(), payer_};
    auto acquired = co_await pool_.acquire(group_, passed_over_, wish);
    if (!acquired) co_return std::move(acquired).error();
    lease_ = std::move(*acquired);
    const bool reused = lease_.is_reused();
    if (spoken_for_) {
      auto unwanted = co_await introduce_client(lease_);
      const bool is_dead = !unwanted && is_dead_when_kept(unwanted.error(), reused);
      if (is_dead) {
        let_go();
        fresh = true;
        continue;
      }
      if (!unwanted) co_return std::move(unwanted).error();
      if (*unwanted) co_return UpstreamError{Kind::unwelcome, "the server refuses the client", false};
    }
    if (lacks_required_tls() || !envelope_.suits(lease_->extensions())) {
      pool_.give_back(std::move(lease_), false);
      co_return UpstreamError{Kind::changed, "the server lacks what the mail needs", false};
    }
    const Duration patience = reused ? std::min(timeouts_.reply, patience_with_old) : timeouts_.reply;
    auto said = co_await envelope_.say_again(scheduler_, *lease_, patience);
    if (said) {
      mail_accepted_ = true;
      silence_ = Duration::zero();
      pool_.counters().add(Total::upstream_reopened);
      co_return Done{};
    }
    const bool is_stale = said.error().kind == Kind::changed || is_dead_when_kept(said.error(), reused);
    if (!reused || !is_stale) co_return said;
    let_go();  // U9, and a kept session may know less than a new one
    fresh = true;
  }
}

}  // namespace sallyport::upstream
