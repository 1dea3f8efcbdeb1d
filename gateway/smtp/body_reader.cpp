#include "gateway/smtp/body_reader.h"

#include <algorithm>

#include "gateway/base/ensure.h"
#include "gateway/smtp/octets.h"

namespace sallyport::smtp {

// Only dots matter, and only together with the octets around them. So the reader jumps from dot to dot and looks back
// one or two octets. If a piece ends close to a dot, `state_` carries over what the next piece needs.
BodyReader::Progress BodyReader::read(std::string_view input, ContentSink& sink) {
  ensure(state_ != State::ended, "BodyReader: read past the end of the message");
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* at = begin;
  const char* span = begin;  // from here to `at` the octets are unchanged content

  const auto pass_span = [&] {
    if (at != span) lines_.append({span, static_cast<std::size_t>(at - span)}, sink);
    span = at;
  };

  while (at != end) {
    switch (state_) {
      case State::line_start:
        if (*at != '.') {
          state_ = State::text;
          break;
        }
        pass_span();
        span = ++at;
        state_ = State::dot;
        break;

      case State::dot:
        if (*at == '\r') {
          span = ++at;
          state_ = State::dot_cr;
          break;
        }
        if (*at == '\n') {
          note_lookalike();  // CRLF . LF
          lines_.append(".", sink);
        }
        state_ = State::text;
        break;

      case State::dot_cr:
        if (*at == '\n') {
          state_ = State::ended;
          return {.consumed = static_cast<std::size_t>(at + 1 - begin), .ended = true};
        }
        note_lookalike();  // CRLF . CR
        lines_.append(".\r", sink);
        state_ = State::after_cr;
        break;

      case State::after_lf:
        state_ = *at == '.' ? State::lone_dot : State::text;
        if (state_ == State::lone_dot) ++at;
        break;

      case State::after_cr:
        state_ = *at == '\n' ? State::line_start : *at == '.' ? State::lone_dot : State::text;
        if (state_ != State::text) ++at;
        break;

      case State::lone_dot:
        if (*at == '\r' || *at == '\n') note_lookalike();
        state_ = State::text;
        break;

      case State::text: {
        const std::string_view rest(at, static_cast<std::size_t>(end - at));
        const char* const stop = at + std::min(find_line_dot(rest), rest.size());
        state_ = state_after(at, stop);
        at = stop;
        break;
      }

      case State::ended:
        broken("BodyReader: went on past the end");
    }
  }
  pass_span();
  return {.consumed = input.size(), .ended = false};
}

// The state after the octets from `begin` to `end`, if the octet before them was neither CR nor LF or has been dealt
// with.
BodyReader::State BodyReader::state_after(const char* begin, const char* end) {
  if (end[-1] == '\r') return State::after_cr;
  if (end[-1] != '\n') return State::text;
  return end - begin >= 2 && end[-2] == '\r' ? State::line_start : State::after_lf;
}

}  // namespace sallyport::smtp
