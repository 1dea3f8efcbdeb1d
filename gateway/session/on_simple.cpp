// Verbs that change nothing but, perhaps, the end: NOOP RSET VRFY HELP QUIT; and those that are refused.
#include "gateway/session/session.h"

namespace sallyport::session {

using smtp::Permission;
using smtp::Reply;
using smtp::Verb;

Task<Flow> Session::on_simple(Verb verb) {
  switch (verb) {
    case Verb::quit:
      channel_.queue(Reply(221, "2.0.0", settings().hostname + " Bye"));
      co_return Flow::end;
    case Verb::rset:
      end_mail();
      say(Reply(250, "2.0.0", "Ok"));
      break;
    case Verb::noop:
      say(Reply(250, "2.0.0", "Ok"));
      break;
    case Verb::vrfy:  // the same for every address, without a look at it (S19)
      say(Reply(252, "2.1.5", "Send mail to find out"));
      break;
    case Verb::help:
      say(Reply(214, "2.0.0", "See RFC 5321"));
      break;
    default:
      co_return on_refused(Permission::not_offered, verb);
  }
  co_return junk();
}

Flow Session::on_refused(Permission permission, Verb verb) {
  // S35: a client that passes itself off as a trusted front end.
  bool poses_as_proxy = verb == Verb::xclient || verb == Verb::xforward;
  switch (permission) {
    case Permission::starttls_first:
      return error(Violation::tls_error, 530, "5.7.0", "Must issue a STARTTLS command first");
    case Permission::not_offered:
      return error(poses_as_proxy ? Violation::proxy_untrusted : Violation::syntax, 502, "5.5.1",
                   "Command not available");
    case Permission::no_recipients:
      return error(Violation::sequence, 554, "5.5.1", "No valid recipients");
    case Permission::bad_sequence:
    case Permission::go:
      break;
  }
  return error(Violation::sequence, 503, "5.5.1", std::string(smtp::name(verb)) + " is out of order here");
}

}  // namespace sallyport::session
