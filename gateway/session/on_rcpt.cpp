// RCPT (RFC 5321, 4.1.1.3): is it ours, may it be, and what does the upstream itself say to it?
#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"
#include "gateway/session/session.h"
#include "gateway/session/verdict_reply.h"

namespace sallyport::session {

using smtp::Reply;

namespace {

// The tenant a domain belongs to: the one that names it, else the one whose pattern says most about it.
const config::TenantSettings* tenant_of(const std::string& domain, const config::Settings& settings) {
  const config::TenantSettings* found = nullptr;
  std::size_t longest = 0;
  for (const auto& [name, tenant] : settings.tenants) {
    if (domain.empty()) return &tenant;  // <postmaster> is everybody's
    for (const std::string& pattern : tenant.domains) {
      if (pattern == domain) return &tenant;
      if (pattern.size() <= longest || !domain_matches(domain, pattern)) continue;
      longest = pattern.size();
      found = &tenant;
    }
  }
  return found;
}

}  // namespace

Task<Flow> Session::on_rcpt(const smtp::Command& command) {
  if (command.is_malformed) co_return error(Violation::syntax, 501, "5.5.4", "Syntax: RCPT TO:<address>");
  auto path = smtp::parse_path(command.arguments, smtp::PathKind::forward, mail_->parameters.smtputf8);
  if (!path) co_return error(refusal_of(path.error(), smtp::PathKind::forward));
  if (!text::is_ascii(path->rest)) co_return error(Violation::nonascii, 500, "5.5.2", "Only ASCII is allowed here");
  auto parameters = smtp::parse_rcpt_parameters(path->rest, offered_);
  if (!parameters) co_return error(refusal_of(parameters.error()));
  // S21: the first 1,000 stay valid; who goes on and on is sent away.
  std::uint64_t most = settings().limits.recipients;
  if (++mail_->recipients_offered > 2 * most) {
    Reply reply(421, "4.7.0", settings().hostname + " Too many recipients, closing connection");
    co_return part(Violation::rcpt_limit, reply);
  }
  if (mail_->recipients_offered > most) {
    record(Violation::rcpt_limit);
    co_return say(Reply(452, "4.5.3", "Too many recipients, send the message again for the others"));
  }
  const std::string& id = mail_->facts_of.id;
  if (path->path.is_literal()) {
    co_return co_await refuse_recipient(Violation::syntax,
                                        refusal(550, "5.1.2", "Address literals are not served here", id));
  }
  if (path->path.has_routing_local() && !settings().limits.allow_routed_local) {
    co_return co_await refuse_recipient(Violation::routed_address,
                                        refusal(550, "5.7.1", "Routed addresses are not accepted", id));
  }
  if (auto no_route = bind_route(path->path)) co_return co_await refuse_recipient("recipients", *no_route);

  // Copied before any wait: the line lies in the input.
  smtp::Path to = std::move(path->path);
  smtp::RcptParameters wishes = std::move(*parameters);
  if (checks_.any()) {
    mail_->facts_of.rcpt = policies::EnvelopeAddress{to.local, to.domain, to.to_string()};
    policies::Verdict verdict = co_await checks_.recipient(mail_->facts_of);
    if (verdict.check == name(Violation::split_route)) {
      Reply reply = reply_for(verdict, mail_->facts_of.id);
      decide("tempfail", "rcpt", Violation::split_route, reply);
      co_return say(reply);
    }
    if (verdict.action >= policies::Action::tempfail) co_return apply(verdict, policies::Stage::rcpt);
  }
  co_return co_await ask_upstream(std::move(to), std::move(wishes));
}

// Finds tenant and upstream of a recipient. One final reply must never cover two outcomes, so the first one accepted
// decides for the whole transaction (S22). Nothing when all is well.
std::optional<Reply> Session::bind_route(const smtp::Path& to) {
  const std::string& id = mail_->facts_of.id;
  const config::TenantSettings* found = tenant_of(to.domain, settings());
  if (!found) return refusal(550, "5.7.1", "Relaying denied", id);
  UpstreamGroup* group = host_.board.find(found->upstream);
  ensure(group != nullptr, "a tenant without an upstream passed the configuration's check");
  if (mail_->route == group && mail_->tenant == found->name) return std::nullopt;
  if (sequence_.recipients() > 0) {
    record(Violation::split_route);
    return refusal(452, "4.5.3", "Send the message to this recipient separately", id);
  }
  mail_->delivery.reset();  // with the server of a recipient that was refused
  mail_->tenant = found->name;
  mail_->route = group;
  mail_->facts_of.tenant.name = found->name;
  mail_->facts_of.route.upstream = found->upstream;
  return std::nullopt;
}

Task<Flow> Session::refuse_recipient(std::string_view check, const Reply& reply) {
  refuse_mail("rcpt", check, reply);
  if (reply.is_permanent()) co_return co_await note_refused_recipient();
  co_return Flow::next;
}

// The same for what the client did wrong, which is counted.
Task<Flow> Session::refuse_recipient(Violation kind, const Reply& reply) {
  decide("reject", "rcpt", kind, reply);
  channel_.queue(reply);
  co_return co_await note_refused_recipient();
}

Task<Flow> Session::ask_upstream(smtp::Path to, smtp::RcptParameters parameters) {
  if (!mail_->delivery) {
    UpstreamTimeouts timeouts{settings().timeouts.upstream_connect, settings().timeouts.upstream_reply};
    mail_->delivery = std::make_unique<Delivery>(host_.scheduler, host_.pool, *mail_->route, timeouts, mail_->from,
                                                 mail_->parameters);
  }
  bool is_news = !mail_->delivery->has_failed();
  auto answer = co_await mail_->delivery->recipient(to, parameters);
  for (const FailedServer& failed : mail_->delivery->passed_over()) {
    mail_->outcome.upstream = failed.server->address().to_string();
    record(incident_of(failed.error), failed.error.detail);
  }
  if (checks_.any()) checks_.recipient_answered(answer && answer->is_positive());
  if (!answer) {
    Reply reply = reply_for(answer.error(), false, mail_->facts_of.id);
    mail_->outcome.upstream = mail_->delivery->server_name();
    decide("tempfail", "rcpt", incident_of(answer.error()), reply, answer.error().detail, is_news);
    co_return say(reply);
  }
  Reply reply = smtp::pass_on(*answer);
  mail_->outcome.upstream = mail_->delivery->server_name();
  if (!answer->is_positive()) {
    host_.counters.add(Total::recipients_refused);
    const smtp::Extensions* can = mail_->delivery->extensions();
    if (mail_->parameters.smtputf8 && can != nullptr && !can->smtputf8) {
      // S11: found out only here, and without asking the server.
      co_return co_await refuse_recipient(
          Violation::nonascii,
          refusal(550, "5.6.7", "The server for this recipient takes no internationalized mail", mail_->facts_of.id));
    }
    if (mail_->delivery->lacks_required_tls()) {  // T12: the same
      co_return co_await refuse_recipient(
          Violation::tls_error,
          refusal(550, "5.7.30", "The server for this recipient does not support REQUIRETLS", mail_->facts_of.id));
    }
    co_return co_await refuse_recipient("upstream", reply);
  }
  overrule();
  host_.counters.add(Total::recipients_accepted);
  sequence_.recipient_accepted();
  mail_->facts_of.rcpts.push_back({to.local, to.domain, to.to_string()});
  co_return say(reply);
}

// S20: address harvesting. Each refusal beyond the first few comes a second late; then that is enough.
Task<Flow> Session::note_refused_recipient() {
  ++refused_recipients_;
  const config::LimitSettings& limits = settings().limits;
  if (refused_recipients_ >= limits.unknown_recipients_close) {
    Reply reply(421, "4.7.0", settings().hostname + " Too many unknown recipients, closing connection");
    co_return part(Violation::harvest, reply);
  }
  if (refused_recipients_ > limits.unknown_recipients) {
    co_await async::sleep_for(host_.scheduler, std::chrono::seconds(1));
  }
  co_return Flow::next;
}

}  // namespace sallyport::session
