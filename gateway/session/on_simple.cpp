// The verbs that need no more than a reply: NOOP RSET VRFY HELP QUIT; and those that may not come now.
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
  co_return count_junk();
}

Flow Session::on_refused(Permission permission, Verb verb) {
  const bool poses_as_proxy = verb == Verb::xclient || verb == Verb::xforward;
  switch (permission) {
    case Permission::starttls_first:
      return refuse(refusals::starttls_first);
    case Permission::not_offered:
      return refuse(poses_as_proxy ? refusals::poses_as_proxy : refusals::not_available);
    case Permission::no_recipients:
      return refuse(refusals::no_recipients);
    case Permission::bad_sequence:
    case Permission::go:
      break;
  }
  return refuse(refusals::out_of_order, {.what = smtp::name(verb)});
}

}  // namespace sallyport::session
