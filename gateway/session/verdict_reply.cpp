#include "gateway/session/verdict_reply.h"

namespace sallyport::session {

using Kind = UpstreamError::Kind;

smtp::Reply refusal(int code, std::string_view enhanced, std::string_view text, std::string_view id) {
  std::string line(text);
  if (!id.empty()) line.append(" (id ").append(id).append(")");
  return smtp::Reply(code, enhanced, line);
}

smtp::Reply reply_for(const policies::Verdict& verdict, std::string_view id) {
  bool temporary = verdict.action == policies::Action::tempfail;
  int code = verdict.code != 0 ? verdict.code : temporary ? 451 : 550;
  std::string_view dsn = verdict.dsn;
  if (dsn.empty()) dsn = code < 500 ? "4.7.1" : "5.7.1";
  std::string_view text = verdict.text;
  if (text.empty()) text = code < 500 ? "Try again later" : "Refused by policy";
  return refusal(code, dsn, text, id);
}

smtp::Reply reply_for(const UpstreamError& error, bool after_end, std::string_view id) {
  switch (error.kind) {
    case Kind::closing:
    case Kind::protocol:
    case Kind::early:
      return refusal(451, "4.3.0", "The mail server behind this gateway is in trouble, try again later", id);
    case Kind::tls:
      return refusal(451, "4.7.5", "No secure connection to the mail server behind this gateway", id);
    case Kind::client_lost:
      return refusal(451, "4.4.2", "Connection lost", id);
    case Kind::spool:
      return refusal(452, "4.3.1", "Insufficient system storage", id);
    case Kind::down:
    case Kind::timed_out:
      break;
  }
  if (after_end) return refusal(451, "4.4.2", "No answer from the mail server behind this gateway", id);
  return refusal(451, "4.4.1", "The mail server behind this gateway does not answer, try again later", id);
}

Incident incident_of(const UpstreamError& error) {
  switch (error.kind) {
    case Kind::down:
      break;
    case Kind::timed_out:
      return Fault::upstream_timeout;
    case Kind::closing:
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

}  // namespace sallyport::session
