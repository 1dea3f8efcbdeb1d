// RCPT (RFC 5321, 4.1.1.3): is it ours, may it be, and what does the upstream itself say to it?
#include "gateway/checks/changes.h"
#include "gateway/session/session.h"

namespace sallyport::session {

using policies::Stage;
using smtp::Reply;

namespace {

// Why bind_route() has refused, for the log.
std::string why_unbound(const MailAddress& to, const checks::Plan* recipient, const checks::Plan* mail) {
  if (recipient == nullptr || mail == nullptr) return "no tenant serves " + to.domain;
  return "tenant " + recipient->tenant + ", after recipients of tenant " + mail->tenant;
}

}  // namespace

Task<Flow> Session::on_rcpt(const smtp::Command& command) {
  if (command.is_malformed) co_return refuse(refusals::rcpt_syntax);
  auto path = smtp::parse_path(command.arguments, smtp::PathKind::forward, mail_->parameters.smtputf8);
  if (!path) co_return refuse(refusal_of(path.error(), smtp::PathKind::forward));
  if (smtp::has_misplaced_8bit(path->rest, mail_->parameters.smtputf8)) co_return refuse(refusals::not_ascii);
  auto parameters = smtp::parse_rcpt_parameters(path->rest, offered_);
  if (!parameters) co_return refuse(refusal_of(parameters.error()));

  // Copied before any wait: the line lies in the input.
  smtp::RcptParameters wishes = std::move(*parameters);
  mail_->transaction.rcpt_parameters = path->rest;
  mail_->transaction.rcpt = std::move(path->path);
  mail_->recipient_plan = mail_->snapshot->plans->plans().serving(mail_->transaction.rcpt->domain);
  const std::uint64_t refused_before = refused_recipients_;
  const std::size_t accepted_before = mail_->transaction.rcpts.size();
  const Flow flow = co_await decide_recipient(std::move(wishes));
  if (mail_->transaction.rcpts.size() == accepted_before) co_await note_refused_recipient(flow);
  // S20: each permanent refusal beyond the first few comes a second late.
  const bool was_refused = refused_recipients_ > refused_before;
  if (flow == Flow::next && was_refused && refused_recipients_ > settings().limits.unknown_recipients) {
    co_await async::sleep_for(host_.scheduler, std::chrono::seconds(1));
  }
  co_return flow;
}

// Before the client hears of it.
Task<void> Session::note_refused_recipient(Flow flow) {
  if (flow == Flow::next && mail_->decision) {
    const policies::RefusedRecipient refused = refused_recipient(*mail_->decision);
    co_await checks_->recipient_refused(mail_->transaction, refused);
  }
  checks_->recipient_answered(false);
}

Task<Flow> Session::decide_recipient(smtp::RcptParameters parameters) {
  const MailAddress& to = *mail_->transaction.rcpt;
  // S21: the first 1,000 stay valid; a client that goes on and on is sent away.
  const std::uint64_t most = mail_settings().limits.recipients;
  ++mail_->recipients_offered;
  if (mail_->recipients_offered > 2 * most) co_return refuse(refusals::far_too_many_recipients);
  if (mail_->recipients_offered > most) co_return refuse(refusals::too_many_recipients);
  if (to.is_literal()) co_return refuse(refusals::literal_recipient);
  if (to.has_routing_local() && !mail_settings().limits.allow_routed_local) {
    co_return refuse(refusals::routed_recipient);
  }
  if (const Refusal* refusal = bind_route()) {
    const std::string because = refusal == &refusals::tenant_busy
                                    ? "tenant " + mail_->recipient_plan->tenant + " has half of all sessions"
                                    : why_unbound(to, mail_->recipient_plan, mail_->plan);
    co_return refuse(*refusal, {.because = because});
  }
  if (sequence_.recipients() > 0 && upstream_group().takes_one_recipient) {
    co_return refuse(refusals::one_recipient_behind,
                     {.because = "upstream " + mail_->transaction.route.upstream + " speaks LMTP"});
  }

  const checks::Plan* plan_before = &checks_->plan();
  const std::optional<checks::Disposition> disposition = co_await checks_->recipient(mail_->transaction, *mail_->plan);
  if (&checks_->plan() != plan_before) learn_client_name();
  if (disposition && !disposition->refuses()) co_return co_await ask_upstream(std::move(parameters));
  co_return disposition ? apply(*disposition, Stage::rcpt)
                        : refuse(refusals::split_route, {.because = "another verdict than for those before"});
}

// Makes the mail that of the recipient's tenant, with its upstream. One final reply must never cover two outcomes, so
// the first recipient that is accepted decides for the whole transaction (S22). Null when all is well.
const Refusal* Session::bind_route() {
  const checks::Plan* plan = mail_->recipient_plan;
  if (plan == nullptr) return &refusals::relaying;
  if (mail_->plan == plan) return nullptr;
  if (sequence_.recipients() > 0) return &refusals::split_route;
  mail_->place_of_tenant.reset();
  if (plan->payer != 0) mail_->place_of_tenant = host_.slots.take_for_mail(plan->payer);
  if (plan->payer != 0 && !mail_->place_of_tenant) return &refusals::tenant_busy;
  mail_->delivery.reset();  // with the server of a recipient that was refused
  mail_->plan = plan;
  mail_->transaction.tenant.name = plan->tenant;
  mail_->transaction.route.upstream = plan->upstream;
  channel_.set_payer(plan->payer);
  return nullptr;
}

upstream::UpstreamGroup& Session::upstream_group() const {
  const auto& groups = mail_->snapshot->shared->upstreams;
  const auto group = groups.find(mail_->transaction.route.upstream);
  ensure(group != groups.end(), "a tenant without an upstream passed the configuration's check");
  return *group->second;
}

// The verdicts are those on the recipients accepted so far and on this one, which do not differ in that (S22).
const Refusal* Session::choose_upstream() {
  const std::string_view redirect = checks::redirect(checks_->verdicts());
  const std::string_view target = redirect.empty() ? std::string_view(mail_->plan->upstream) : redirect;
  if (!mail_->plan->may_go_to(target)) return &refusals::foreign_upstream;
  if (mail_->transaction.route.upstream == target) return nullptr;
  if (sequence_.recipients() > 0) return &refusals::split_route;
  mail_->delivery.reset();  // with the server of a recipient that was refused
  mail_->transaction.route.upstream = target;
  return nullptr;
}

void Session::begin_delivery(const MailAddress& from, const smtp::MailParameters& parameters) {
  mail_->delivery.reset();
  const config::TimeoutSettings& timeouts = mail_settings().timeouts;
  mail_->delivery = std::make_unique<upstream::Delivery>(
      host_.scheduler, host_.pool, upstream_group(),
      upstream::UpstreamTimeouts{timeouts.upstream_connect, timeouts.upstream_reply}, from, parameters, channel_);
  mail_->delivery->pay_as(mail_->plan->payer);
  if (upstream_group().settings.client_info != config::ClientInfoWay::headers) {
    mail_->delivery->speak_for(client_info());
  }
}

Task<Flow> Session::ask_upstream(smtp::RcptParameters parameters) {
  if (const Refusal* refusal = choose_upstream()) {
    const std::string because = "redirected to " + std::string(checks::redirect(checks_->verdicts()));
    co_return refuse(*refusal, {.because = because});
  }
  if (!mail_->delivery) begin_delivery(*mail_->transaction.from, mail_->parameters);
  const bool is_news = !mail_->delivery->has_failed();
  auto answer = co_await mail_->delivery->recipient(*mail_->transaction.rcpt, parameters);
  record_passed_over_servers();
  mail_->upstream = mail_->delivery->server_name();
  if (const auto untold = mail_->delivery->take_untold()) record(Fault::client_info, *untold);
  const bool is_accepted = answer && answer->is_positive();
  if (!is_accepted) co_return pass_on_refusal(answer, is_news);
  checks_->recipient_answered(true);
  overrule();
  host_.counters.add(Total::recipients_accepted);
  sequence_.recipient_accepted();
  if (!parameters.notify.empty() || !parameters.orcpt.empty()) {
    mail_->accepted_parameters.emplace(mail_->transaction.rcpts.size(), std::move(parameters));
  }
  mail_->transaction.rcpts.push_back(*mail_->transaction.rcpt);
  co_return say(smtp::pass_on(*answer));
}

void Session::record_passed_over_servers() {
  for (const upstream::FailedServer& failed : mail_->delivery->passed_over()) {
    if (failed.is_refusal) continue;
    mail_->upstream = failed.server->name();
    record(incident_of(failed.error), failed.error.detail);
  }
}

// What a server may be told of the client, as upstreams.*.client_info wants.
upstream::ClientInfo Session::client_info() const {
  const policies::Transaction& mail = mail_->transaction;
  upstream::ClientInfo info;
  info.address = {mail.client.ip, mail.client.port};
  info.destination = destination_;
  info.name = mail.client.rdns;
  info.is_nameless = checks_->facts().tell().is_client_nameless;
  info.helo = mail.client.helo;
  info.extended = mail.client.extended;
  info.mail_id = mail.id;
  return info;
}

// The upstream has refused the recipient, or could not be asked.
Flow Session::pass_on_refusal(const Result<smtp::UpstreamReply, upstream::UpstreamError>& answer, bool is_news) {
  if (!answer) {
    const upstream::UpstreamError& error = answer.error();
    return refuse(refusal_of(error, false, About::recipient), {.detail = error.detail, .is_news = is_news});
  }
  // S11, T12: found out only here, and without asking the server.
  const smtp::Extensions* can = mail_->delivery->extensions();
  if (mail_->parameters.smtputf8 && can != nullptr && !can->smtputf8) return refuse(refusals::no_smtputf8_behind);
  if (mail_->delivery->lacks_required_tls()) return refuse(refusals::no_requiretls_behind);
  const bool is_of_sender = !mail_->delivery->is_mail_accepted();
  return refuse(is_of_sender ? refusals::sender_by_upstream : refusals::recipient_by_upstream, smtp::pass_on(*answer),
                {});
}

}  // namespace sallyport::session
