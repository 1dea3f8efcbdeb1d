// The order of commands in a Session.
#include <algorithm>
#include <initializer_list>

#include "gateway/milter_library/session.h"

namespace sallyport::milter_library {

namespace {

using milter::Verb;
namespace option = milter::option;

}  // namespace

bool Session::may_follow_directly(State state, Verb verb) {
  const auto is_one_of = [verb](std::initializer_list<Verb> verbs) {
    return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
  };
  switch (state) {
    case State::begin:
      return verb == Verb::negotiate;
    case State::negotiated:
      return is_one_of({Verb::connect, Verb::unknown});
    case State::greeted:
      return is_one_of({Verb::helo, Verb::mail, Verb::unknown});
    case State::mail:
      return is_one_of({Verb::rcpt, Verb::abort, Verb::unknown});
    case State::rcpt:
      return is_one_of({Verb::rcpt, Verb::data, Verb::header, Verb::end_of_header, Verb::body, Verb::end_of_message,
                        Verb::abort, Verb::unknown});
    case State::data:
    case State::header:
      return is_one_of({Verb::header, Verb::end_of_header, Verb::abort});
    case State::end_of_header:
    case State::body:
      return is_one_of({Verb::body, Verb::end_of_message, Verb::abort});
  }
  return false;
}

Session::State Session::state_after(Verb verb) {
  switch (verb) {
    case Verb::mail:
      return State::mail;
    case Verb::rcpt:
      return State::rcpt;
    case Verb::data:
      return State::data;
    case Verb::header:
      return State::header;
    case Verb::end_of_header:
      return State::end_of_header;
    case Verb::body:
    case Verb::end_of_message:  // over only when xxfi_eom is called: a piece of the body may come before
      return State::body;
    default:
      return State::greeted;
  }
}

// Without a callback too, whatever the filter has agreed on: it misses nothing then.
bool Session::is_declined(State state) const {
  const std::uint32_t declined = wanted_options_ | host_->filter.declined;
  switch (state) {
    case State::rcpt:
      return (declined & option::no_rcpt) != 0;
    case State::data:
      return (declined & option::no_data) != 0;
    case State::header:
      return (declined & option::no_headers) != 0;
    case State::end_of_header:
      return (declined & option::no_end_of_header) != 0;
    case State::body:
      return (declined & option::no_body) != 0;
    default:
      return false;
  }
}

bool Session::may_follow(State state, Verb verb) const {
  // An MTA leaves out what the filter has declined, so its states may be stepped over.
  while (!may_follow_directly(state, verb)) {
    if (state == State::body) return false;
    state = static_cast<State>(static_cast<int>(state) + 1);
    if (!is_declined(state)) return false;
  }
  return true;
}

}  // namespace sallyport::milter_library
