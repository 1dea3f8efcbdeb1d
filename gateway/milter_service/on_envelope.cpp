// MAIL and RCPT, as the MTA has accepted them itself: only what the checks say is added to that.
#include "gateway/base/text.h"
#include "gateway/checks/changes.h"
#include "gateway/milter_service/mta_session.h"
#include "gateway/smtp/path.h"

namespace sallyport::milter_service {

using milter::Verb;
using policies::Stage;
using session::Refusal;
namespace refusals = session::refusals;

namespace {

// Of the parameters only what policies know. The MTA has accepted them; those of extensions that we do not know are its
// own business.
struct KnownParameters {
  std::optional<std::uint64_t> size;
  bool smtputf8 = false;
};

KnownParameters known_of(const std::vector<std::string_view>& parameters) {
  constexpr std::string_view size = "SIZE=";
  KnownParameters known;
  for (const std::string_view parameter : parameters) {
    if (text::starts_with_ignoring_case(parameter, size)) known.size = text::to_number(parameter.substr(size.size()));
    if (text::equals_ignoring_case(parameter, "SMTPUTF8")) known.smtputf8 = true;
  }
  return known;
}

// As they stood behind the path.
std::string words_of(const std::vector<std::string_view>& parameters) {
  std::string words;
  for (const std::string_view parameter : parameters) words.append(" ").append(parameter);
  return words;
}

// What bind_tenant() has refused for, for the log.
std::string why_unbound(const MailAddress& to, const checks::Plan* recipient, const checks::Plan* mail) {
  if (recipient == nullptr || mail == nullptr) return "no tenant serves " + to.domain;
  return "tenant " + recipient->tenant + ", after recipients of tenant " + mail->tenant;
}

}  // namespace

Task<MtaSession::Flow> MtaSession::on_mail(const milter::Mail& command) {
  end_mail();
  state_ = State::connected;
  macros_.begin_mail();
  const KnownParameters parameters = known_of(command.parameters);
  auto path = smtp::parse_path(command.path, smtp::PathKind::reverse, parameters.smtputf8);
  if (!path) {
    refuse(session::refusal_of(path.error(), smtp::PathKind::reverse));
    co_return Flow::next;
  }
  const auto snapshot = host_.snapshot;
  const std::uint64_t most = snapshot->shared->settings->limits.message_size;
  if (parameters.size && *parameters.size > most) {
    refuse(refusals::declared_size, {.what = std::to_string(most)});
    co_return Flow::next;
  }

  learn_tls();
  mail_ = std::make_unique<MailState>(host_.counters);
  mail_->snapshot = snapshot;
  mail_->began = now();
  policies::Transaction& mail = mail_->transaction;
  mail = connection_;
  mail.now = host_.clock.wall_now();
  mail.is_clock_suspect = host_.clock.is_suspect();
  mail.id = host_.ids.next(mail.now);
  mail.from = std::move(path->path);
  mail.declared_size = parameters.size;
  mail.smtputf8 = parameters.smtputf8;
  mail.mail_parameters = words_of(command.parameters);
  host_.counters.add(Total::transactions);
  if (host_.pressure.level_for_one_inside() == io::Pressure::Level::full) {
    refuse(refusals::overloaded);
    end_mail();
    co_return Flow::next;
  }
  // A user of the MTA's own, wherever he is: what is asked of strangers is not asked of him.
  if (const std::string& user = macros_[Macro::auth_authen]; !user.empty()) {
    record::Decision decision;
    decision.outcome = record::Outcome::relay;
    decision.stage = Stage::mail;
    decision.check = "authenticated";
    decision.because = "as " + user + (macros_[Macro::auth_type].empty() ? "" : " by " + macros_[Macro::auth_type]);
    decide(std::move(decision));
    channel_.say(milter::Word::accept);
    end_mail();
    co_return Flow::next;
  }

  const config::TimeoutSettings& timeouts = mail_settings().timeouts;
  checks_->set_limits(timeouts.policy, mail_settings().limits.dns_per_message, session::time_outside(timeouts));
  const checks::Disposition disposition = co_await checks_->mail_begun(mail, mail_->snapshot->plans);
  learn_client_name();
  if (disposition.refuses()) {
    apply(disposition, Stage::mail);
    end_mail();
    co_return Flow::next;
  }
  state_ = State::in_mail;
  go_on(Verb::mail);
  co_return Flow::next;
}

// The client's name was looked up beside the dialogue. What the MTA has said of it holds where nothing was looked up.
void MtaSession::learn_client_name() {
  policies::Client& client = mail_->transaction.client;
  const std::string& found = checks_->facts().tell().client_name;
  client.rdns = found.empty() ? connection_.client.rdns : found;
  client.fcrdns = !client.rdns.empty();
}

Task<MtaSession::Flow> MtaSession::on_rcpt(const milter::Rcpt& command) {
  auto path = smtp::parse_path(command.path, smtp::PathKind::forward, mail_->transaction.smtputf8);
  if (!path) {
    refuse(session::refusal_of(path.error(), smtp::PathKind::forward));
    co_return Flow::next;
  }
  mail_->transaction.rcpt = std::move(path->path);
  mail_->transaction.rcpt_parameters = words_of(command.parameters);
  mail_->recipient_plan = mail_->snapshot->plans->plans().serving(mail_->transaction.rcpt->domain);
  const std::size_t accepted_before = mail_->transaction.rcpts.size();
  co_await decide_recipient();
  if (mail_->transaction.rcpts.size() > accepted_before) co_return Flow::next;
  if (mail_->decision) {
    const policies::RefusedRecipient refused = session::refused_recipient(*mail_->decision);
    co_await checks_->recipient_refused(mail_->transaction, refused);
  }
  checks_->recipient_answered(false);
  co_return Flow::next;
}

Task<void> MtaSession::decide_recipient() {
  const MailAddress& to = *mail_->transaction.rcpt;
  // S21. Twice as many are not refused more harshly: the MTA has limits of its own for its clients.
  if (++mail_->recipients_offered > mail_settings().limits.recipients) co_return refuse(refusals::too_many_recipients);
  if (mail_->recipient_plan == nullptr && may_relay()) co_return accept_recipient();
  if (to.is_literal()) co_return refuse(refusals::literal_recipient);
  if (to.has_routing_local() && !mail_settings().limits.allow_routed_local) {
    co_return refuse(refusals::routed_recipient);
  }
  if (const Refusal* refusal = bind_tenant()) {
    co_return refuse(*refusal, {.because = why_unbound(to, mail_->recipient_plan, mail_->plan)});
  }

  const checks::Plan* plan_before = &checks_->plan();
  const std::optional<checks::Disposition> disposition = co_await checks_->recipient(mail_->transaction, *mail_->plan);
  if (&checks_->plan() != plan_before) learn_client_name();
  const Refusal* objection = nullptr;
  std::string because = "another verdict than for those before";
  if (!disposition) {
    objection = &refusals::split_route;
  } else if (disposition->refuses()) {
    co_return apply(*disposition, Stage::rcpt);
  } else if ((objection = objection_to_redirect()) != nullptr) {
    because = "redirected to " + std::string(checks::redirect(checks_->verdicts()));
  }
  if (objection != nullptr) co_return refuse(*objection, {.because = because});
  checks_->recipient_answered(true);
  accept_recipient();
}

// One final answer must never cover two outcomes, so the first recipient that is accepted decides for the whole mail
// (S22).
const Refusal* MtaSession::bind_tenant() {
  const checks::Plan* plan = mail_->recipient_plan;
  if (plan == nullptr) return &refusals::relaying;
  if (mail_->plan == plan) return nullptr;
  if (mail_->plan != nullptr && !mail_->transaction.rcpts.empty()) return &refusals::split_route;
  mail_->plan = plan;
  mail_->transaction.tenant.name = plan->tenant;
  return nullptr;
}

// We cannot send a mail elsewhere, because the MTA delivers it, and the mail must not go where the verdict does not
// want it.
const Refusal* MtaSession::objection_to_redirect() const {
  const std::string_view target = checks::redirect(checks_->verdicts());
  return target.empty() || target == mail_->plan->upstream ? nullptr : &refusals::foreign_upstream;
}

void MtaSession::accept_recipient() {
  mail_->decision.reset();
  mail_->of_refused.reset();
  host_.counters.add(Total::recipients_accepted);
  mail_->transaction.rcpts.push_back(*mail_->transaction.rcpt);
  go_on(Verb::rcpt);
}

bool MtaSession::may_relay() const { return mail_->transaction.client.is_trusted; }

}  // namespace sallyport::milter_service
