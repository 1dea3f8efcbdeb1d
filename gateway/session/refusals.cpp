#include "gateway/session/refusals.h"

#include "gateway/base/text.h"
#include "gateway/mail/received.h"

namespace sallyport::session {

using policies::Action;
using Kind = upstream::UpstreamError::Kind;

namespace {

record::Outcome outcome_of(Action action) {
  switch (action) {
    case Action::none:
    case Action::accept:
      return record::Outcome::relay;
    case Action::tag:
      return record::Outcome::tag;
    case Action::quarantine:  // relayed with a mark, as long as there is no quarantine
      return record::Outcome::quarantine;
    case Action::discard:
      return record::Outcome::discard;
    case Action::tempfail:
      return record::Outcome::tempfail;
    case Action::reject:
      return record::Outcome::reject;
    case Action::drop:
      break;
  }
  return record::Outcome::drop;
}

// As the log shows a reply; empty without a code.
std::string one_line(const smtp::Reply& reply) {
  if (reply.code() == 0) return {};
  std::string line = std::to_string(reply.code());
  if (!reply.enhanced().empty()) line.append(" ").append(reply.enhanced());
  return line.append(" ").append(reply.text());
}

std::string_view words_of_shortage(io::Shortage shortage) {
  switch (shortage) {
    case io::Shortage::open_files:
      return "Out of open files here, try again later";
    case io::Shortage::memory:
      return "Out of memory for sockets here, try again later";
    case io::Shortage::ports:
      return "Out of local ports here, try again later";
    case io::Shortage::packet_filter:
      return "A packet filter here forbids the connection to the mail server, try again later";
    case io::Shortage::unknown:
      break;
  }
  return "Out of resources here (open files, ports or memory), try again later";
}

}  // namespace

Refusal refusal_of(smtp::PathError error, smtp::PathKind kind) {
  const std::string_view dsn = kind == smtp::PathKind::reverse ? "5.1.7" : "5.1.3";
  Refusal refusal{.code = 501, .dsn = dsn, .text = "That is no mail address", .incident = Violation::syntax};
  switch (error) {
    case smtp::PathError::syntax:
      break;
    case smtp::PathError::no_domain:
      refusal.text = "The address has no domain";
      break;
    case smtp::PathError::empty_label:
      refusal.text = "The domain has an empty label";
      break;
    case smtp::PathError::bad_domain:
      refusal.text = "The domain of the address is no domain name";
      break;
    case smtp::PathError::bad_literal:
      refusal.text = "The address literal is not valid";
      break;
    case smtp::PathError::bad_quotes:
      refusal.text = "The quoted local part is not valid";
      break;
    case smtp::PathError::too_long:
      refusal.text = "The address is too long";
      break;
    case smtp::PathError::domain_too_long:
      refusal.text = "The domain of the address is too long";
      break;
    case smtp::PathError::label_too_long:
      refusal.text = "A label of the domain is too long";
      break;
    case smtp::PathError::needs_utf8:
      refusal.code = 553;
      refusal.dsn = "5.6.7";
      refusal.text = "A non-ASCII address needs SMTPUTF8";
      refusal.incident = Violation::nonascii;
      break;
    case smtp::PathError::bad_utf8:
      refusal.text = "The address is not valid UTF-8";
      refusal.incident = Violation::nonascii;
      break;
  }
  return refusal;
}

Refusal refusal_of(smtp::ParameterError error) {
  Refusal refusal{.code = 501, .dsn = "5.5.4", .text = "A parameter has no valid value", .incident = Violation::syntax};
  switch (error) {
    case smtp::ParameterError::bad_value:
      break;
    case smtp::ParameterError::unknown:
      refusal.code = 555;
      refusal.text = "A parameter was not recognized or is not offered here";
      break;
    case smtp::ParameterError::repeated:
      refusal.text = "A parameter is given twice";
      break;
    case smtp::ParameterError::bad_name:
      refusal.text = "A parameter has no valid name";
      break;
    case smtp::ParameterError::glued:
      refusal.text = "A space is missing behind the address";
      break;
    case smtp::ParameterError::too_large:
      refusal.code = 552;
      refusal.dsn = "5.3.4";
      refusal.text = "Message is too large";
      refusal.incident = Violation::size;
      break;
  }
  return refusal;
}

Refusal refusal_of(const upstream::UpstreamError& error, bool after_end, About about) {
  Refusal refusal{.code = 451,
                  .dsn = "4.4.1",
                  .text = "The mail server behind this gateway does not answer, try again later",
                  .about = about,
                  .incident = incident_of(error),
                  .has_id = true};
  switch (error.kind) {
    case Kind::closing:
    case Kind::unwelcome:
    case Kind::changed:
    case Kind::protocol:
    case Kind::early:
      refusal.dsn = "4.3.0";
      refusal.text = "The mail server behind this gateway is in trouble, try again later";
      break;
    case Kind::tls:
      refusal.dsn = "4.7.5";
      refusal.text = "No secure connection to the mail server behind this gateway";
      break;
    case Kind::client_lost:
      refusal.dsn = "4.4.2";
      refusal.text = "Connection lost";
      break;
    case Kind::spool:
      refusal.code = refusals::spool_failed.code;
      refusal.dsn = refusals::spool_failed.dsn;
      refusal.text = refusals::spool_failed.text;
      break;
    case Kind::resource:
      refusal.dsn = after_end ? "4.4.2" : "4.3.1";
      refusal.text = words_of_shortage(error.shortage);
      break;
    case Kind::down:
    case Kind::full:
    case Kind::timed_out:
      if (!after_end) break;
      refusal.dsn = "4.4.2";
      refusal.text = "No answer from the mail server behind this gateway";
      break;
  }
  return refusal;
}

record::Incident incident_of(const upstream::UpstreamError& error) {
  switch (error.kind) {
    case Kind::unwelcome:  // at the first recipient its own reply is given in its place
    case Kind::down:
    case Kind::full:
      break;
    case Kind::resource:
      return Fault::resource;
    case Kind::timed_out:
      return Fault::upstream_timeout;
    case Kind::closing:
    case Kind::changed:
    case Kind::protocol:
      return Violation::upstream_protocol;
    case Kind::early:
      return Violation::upstream_early;
    case Kind::tls:
      return Fault::upstream_tls;
    case Kind::client_lost:
      return Fault::client_lost;
    case Kind::spool:
      return Fault::spool;
  }
  return Fault::upstream_down;
}

const Refusal* objection_to_header(const mail::Message& message, const config::Settings& settings) {
  if (message.header().faults().over_limit()) return &refusals::header_too_large;
  if (message.header().faults().control_in_name) return &refusals::control_in_field_name;
  const std::string_view header = message.header_octets();
  if (!header.empty() && text::is_space(header.front())) return &refusals::begins_with_continuation;
  const mail::LoopSigns signs = mail::find_loop_signs(message.header(), settings.hostname);
  if (signs.received_fields > settings.limits.hops || signs.own_marks >= 2) return &refusals::loop;
  return nullptr;
}

smtp::Reply reply_to(const Refusal& refusal, std::string_view hostname, std::string_view id, std::string_view what) {
  std::string text;
  if (refusal.names_host) text.append(hostname).append(" ");
  const std::size_t gap = refusal.text.find("{}");
  text.append(refusal.text.substr(0, gap));
  if (gap != std::string_view::npos) text.append(what).append(refusal.text.substr(gap + 2));
  return reply_with_id(refusal.code, refusal.dsn, text, refusal.has_id ? id : std::string_view());
}

record::Outcome outcome_of(const smtp::Reply& reply) {
  return reply.is_temporary() ? record::Outcome::tempfail : record::Outcome::reject;
}

smtp::Reply reply_with_id(int code, std::string_view dsn, std::string_view text, std::string_view id) {
  std::vector<std::string> lines;
  for (const std::string_view line : text::split(text, '\n')) lines.emplace_back(line);
  if (!id.empty()) lines.back().append(" (id ").append(id).append(")");
  return smtp::Reply(code, dsn, std::move(lines));
}

smtp::Reply reply_for(const checks::Disposition& disposition, std::string_view id) {
  const bool is_temporary = disposition.action == policies::Action::tempfail;
  const int code = disposition.code != 0 ? disposition.code : is_temporary ? 451 : 550;
  std::string_view dsn = disposition.dsn;
  if (dsn.empty()) dsn = code < 500 ? "4.7.1" : "5.7.1";
  std::string_view text = disposition.text;
  if (text.empty()) text = code < 500 ? "Try again later" : "Refused by policy";
  return reply_with_id(code, dsn, text, id);
}

record::Decision decision_of(const checks::Disposition& disposition, policies::Stage stage, const smtp::Reply& reply) {
  record::Decision decision;
  decision.outcome = outcome_of(disposition.action);
  decision.stage = stage;
  decision.check = disposition.reason.check;
  decision.rule = disposition.reason.rule;
  decision.because = disposition.reason.because;
  set_reply(decision, reply);
  return decision;
}

void set_reply(record::Decision& decision, const smtp::Reply& reply) {
  decision.code = reply.code();
  decision.dsn = reply.enhanced();
  decision.reply = one_line(reply);
}

policies::RefusedRecipient refused_recipient(const record::Decision& decision) {
  std::string_view words = decision.reply;
  text::take_word(words);  // the code
  if (!decision.dsn.empty()) text::take_word(words);
  return {decision.check, decision.dsn, std::string(text::trim(words))};
}

}  // namespace sallyport::session
