// The end of a message: what is wrong with it, what the policies say, and what the upstream says.
#include "gateway/base/text.h"
#include "gateway/session/auth_results_field.h"
#include "gateway/session/session.h"
#include "gateway/session/spf_field.h"
#include "gateway/session/trace_fields.h"
#include "gateway/session/verdict_reply.h"
#include "gateway/smtp/content_refusal.h"

namespace sallyport::session {

using policies::Action;
using policies::Stage;
using smtp::Reply;

Task<Flow> Session::end_of_data(smtp::ContentFaults faults) {
  // I12: from the client's end of data to our reply there is one budget, for scans and upstream together.
  Time deadline = now() + settings().timeouts.final_reply;
  mail_->intake->end(checks_.facts());

  Flow flow = Flow::next;
  if (auto refused = objection(faults)) {
    flow = say(*refused);
  } else {
    policies::Verdict verdict;
    if (checks_.any()) verdict = co_await checks_.message(mail_->facts_of);
    switch (verdict.action) {
      case Action::drop:
      case Action::reject:
      case Action::tempfail:
        flow = apply(verdict, Stage::message);
        break;
      case Action::discard: {
        // The one 2xx that is ours: a rule decided it, and the record of it is written before the client hears of it
        // (I1).
        Reply accepted = refusal(250, "2.0.0", "Ok", mail_->facts_of.id);
        note("discard", "message", verdict.check, accepted);
        mail_->outcome.rule = verdict.rule;
        mail_->outcome.because = verdict.because;
        end_mail();
        channel_.queue(accepted);
        break;
      }
      default:
        flow = co_await relay(verdict.action >= Action::tag, deadline);
    }
  }
  end_mail();
  co_return flow;
}

// What makes a message unfit whatever it says. Judged at its true end only; a message is refused for one reason.
std::optional<Reply> Session::objection(const smtp::ContentFaults& faults) {
  const mail::Message& message = *mail_->message;
  const std::string& id = mail_->facts_of.id;
  auto refuse = [&](Incident kind, int code, std::string_view enhanced, std::string_view text) {
    Reply reply = refusal(code, enhanced, text, id);
    decide(reply.is_temporary() ? "tempfail" : "reject", "message", kind, reply);
    return reply;
  };
  if (message.is_over_limit()) return refuse(Violation::size, 552, "5.3.4", "Message is too large");
  if (message.has_failed()) return refuse(Fault::spool, 452, "4.3.1", "Insufficient system storage");
  std::optional<Violation> bare;
  if (faults.bare_cr) bare = Violation::bare_cr;
  if (faults.bare_lf) bare = Violation::bare_lf;
  if (faults.eod_lookalike) bare = Violation::eod_lookalike;
  bool normalizes = door_.settings.bare_newline == config::BareNewlinePolicy::normalize;
  auto unfit = smtp::refuse_content(faults, normalizes ? smtp::BareNewline::normalize : smtp::BareNewline::reject);
  if (unfit) {
    Violation kind = faults.nul ? Violation::nul : faults.line_too_long ? Violation::line_long : *bare;
    return refuse(kind, unfit->code(), unfit->enhanced(), unfit->text());
  }
  if (message.header().faults().over_limit()) {
    return refuse(Violation::header_limit, 550, "5.6.0", "The header section is too large");
  }
  if (message.header().faults().control_in_name) {
    return refuse(Violation::header_malformed, 550, "5.6.0", "Control character in a header field name");
  }
  // S37: it would continue the last field that we put on top.
  std::string_view header = message.header_octets();
  if (!header.empty() && text::is_space(header.front())) {
    return refuse(Violation::header_malformed, 550, "5.6.0", "The header section begins with a continuation line");
  }
  mail::LoopSigns signs = mail::find_loop_signs(message.header(), settings().hostname);
  if (signs.received_fields > settings().limits.hops || signs.own_marks >= 2) {
    return refuse(Violation::loop, 554, "5.4.6", "Mail loop detected");
  }
  const smtp::Extensions* upstream = mail_->delivery->extensions();
  if (mail_->parameters.body == smtp::Body::eight_bit_mime && faults.has_8bit && upstream &&
      !upstream->eight_bit_mime) {
    return refuse(Violation::nonascii, 554, "5.6.3", "The server for this message takes no 8-bit content");
  }
  if (bare) record(*bare);  // mended, and told all the same
  return std::nullopt;
}

Task<Flow> Session::relay(bool tagged, Time deadline) {
  policies::Transaction& mail = mail_->facts_of;
  std::string verdict = tagged ? "tag" : "relay";
  std::string ip = mail.client.ip.to_literal();
  std::string only_recipient = mail.rcpts.size() == 1 ? mail.rcpts.front().text : std::string();
  std::string checks = checks_.names();
  mail::ReceivedInfo received;
  received.helo = mail.client.helo;
  received.rdns = mail.client.rdns;
  received.ip_literal = ip;
  received.by = settings().hostname;
  received.extended = mail.client.extended;
  received.utf8 = mail.smtputf8;
  if (mail.client.tls) {
    received.tls = true;
    received.tls_version = mail.client.tls->version;
    received.tls_cipher = mail.client.tls->cipher;
    received.tls_bits = mail.client.tls->bits;
  }
  received.id = mail.id;
  received.for_address = only_recipient;
  received.date = host_.clock.wall_now();
  const std::string spf = make_spf_field(mail, checks_.facts().spf, settings().hostname);
  const mail::AuthResults results = auth_results_of(mail, checks_.facts(), settings().hostname);
  // Where nothing was checked nothing is said: the server behind us may have checks of its own.
  const std::string auth = results.methods.empty() ? std::string() : mail::make_auth_results(results);
  TraceInfo trace{received, checks_.verdicts(),   mail.id, tagged, checks_.score(), checks, auth, spf,
                  {},       {settings().hostname}};
  OutgoingHeader header = make_outgoing_header(*mail_->message, trace);
  if (header.left_out_forged) record(Violation::ar_removed);
  // A chain that was not looked at must not be carried on: nobody knows what our seal would vouch for.
  std::string seal_fields;
  if (header.is_changed && host_.sealer && checks_.facts().arc.checked) {
    seal_fields = seal(header, results);
    trace.seal = seal_fields;
    header = make_outgoing_header(*mail_->message, trace);
  }

  bool is_news = !mail_->delivery->has_failed();
  auto answer = co_await mail_->delivery->content(header, *mail_->message, channel_, deadline);
  mail_->outcome.upstream = mail_->delivery->server_name();
  if (!answer) co_return explain_failure(answer.error(), is_news);
  Reply reply = smtp::pass_on(*answer);
  mail_->delivery->finish();
  if (!answer->is_positive()) co_return refuse_mail("message", "upstream", reply);

  host_.counters.add(Total::octets_relayed, mail_->message->octets());
  junk_ = 0;
  checks_.message_relayed();
  note(verdict, "message", "", reply);
  channel_.queue(reply);
  bool has_left = channel_.has_left();
  auto told = co_await channel_.flush(now() + reply_patience);
  if (told && !has_left) co_return Flow::next;
  // U13: it is delivered, and the client may not know: it will perhaps send it again.
  decide(verdict, "message", Fault::reply_lost, reply, io::name(told ? io::Error::closed : told.error()));
  co_return told ? Flow::next : Flow::end;
}

std::string Session::seal(const OutgoingHeader& header, const mail::AuthResults& results) {
  std::string leaving = header.added;
  for (std::string_view piece : header.original) leaving += piece.empty() ? std::string_view(header.subject) : piece;
  const mail::HeaderSection section(leaving);
  const mail::Message& message = *mail_->message;
  auto fields = host_.sealer->seal({section, message, checks_.facts().arc, results, host_.clock.wall_now()});
  return fields ? std::move(*fields) : std::string();
}

// The message did not go out, or nobody knows whether it did.
Flow Session::explain_failure(const UpstreamError& error, bool is_news) {
  bool after_end = mail_->delivery->end_was_written();
  Incident kind = incident_of(error);
  if (kind == Incident(Fault::client_lost)) {
    decide("drop", "message", kind, Reply(), error.detail);
    return Flow::end;
  }
  if (after_end) record_unknown_outcome();
  Reply reply = reply_for(error, after_end, mail_->facts_of.id);
  decide("tempfail", "message", kind, reply, error.detail, is_news);
  return say(reply);
}

}  // namespace sallyport::session
