// MtaDialogue: the MTA's side of one connection to a milter, without I/O. It turns the events of an SMTP session into
// packets, leaves out what the milter has declined or will not hear any more, and says what the answers mean.
//
// One event at a time: next_event() gives the octets to send; where awaits_answer() is true then, packets are given to
// take() until it gives an outcome. A breach of the protocol (threats.md F1, F2) is final: the connection must be
// dropped, and the caller does as the milter's `on_error` says.
//
// A verdict holds for its message, one on the connection for the connection (F8). Changes are complete only with the
// outcome of the message's end: before that they must not be used (F4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "gateway/milter/answer.h"
#include "gateway/milter/changes.h"
#include "gateway/milter/custom_reply.h"
#include "gateway/milter/negotiation.h"

namespace sallyport::milter {

struct Outcome {
  enum class Kind : std::uint8_t {
    go_on,
    accept,    // nothing more is asked about this message, or this connection
    discard,   // the message
    reject,    // 5xx
    tempfail,  // 4xx
    shutdown,  // 421
  };
  Kind kind = Kind::go_on;
  // For reject and tempfail: the milter's own words. A reply that is not fit (F5) is a tempfail without words.
  std::optional<CustomReply> reply = {};
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

enum class Breach : std::uint8_t {
  malformed,       // a packet that is none, or whose data do not fit
  out_of_phase,    // an answer that cannot come now
  not_negotiated,  // a version, an option or an action that was not agreed on
  lost,            // it says itself that it has failed
};
std::string_view name(Breach breach);

class MtaDialogue {
 public:
  // What we can do as an MTA.
  explicit MtaDialogue(const Terms& offered) : offered_(offered) {}

  // The octets that open the connection; take() is to be called with the answer.
  std::string open();
  // Adds the octets of the macros, if there are any, and of the event to `out`. None are added when the milter has said
  // all it has to say of this message or connection. One that has declined this kind of event gets its macros all the
  // same. To be called with the commands from Connect to EndOfMessage in the order of an SMTP session; Mail begins a
  // message anew. `macros`: names and values in turn, each with a NUL behind it, none with a NUL inside.
  void add_event(std::string& out, const Command& command, std::string_view macros = {});
  // The same octets as a string of their own.
  std::string next_event(const Command& command, std::string_view macros = {});
  bool awaits_answer() const { return awaited_.has_value(); }

  // True while events are worth making: the milter still hears of this connection, or of this message.
  bool hears_of_connection() const { return !is_done_with_connection_; }
  bool hears_of_message() const { return hears_of_connection() && !is_done_with_message_; }
  bool wants(Verb verb) const;
  // What add_event() would do now: whether it would send the macros of such an event, and whether an answer to the
  // event would be awaited.
  bool would_hear(Verb verb) const { return verb == Verb::mail ? hears_of_connection() : hears_of(verb); }
  bool would_answer(Verb verb) const {
    return would_hear(verb) && verb != skipped_ && is_wanted(terms_, verb) && is_answered(terms_, verb);
  }

  // A packet of the milter. Nothing: it belongs to the answer, and more must follow.
  Result<std::optional<Outcome>, Breach> take(const Packet& packet);
  // True when the last packet said that the milter is still at work: its time for one answer begins anew.
  bool was_progress() const { return was_progress_; }

  // What the milter wants to have changed; whole after the outcome of EndOfMessage.
  const Changes& changes() const { return changes_; }
  Changes take_changes();
  // The octets of a new body that have come since the last call, so that they need not lie here until the end. Nothing:
  // the milter has not replaced the body.
  std::optional<std::string> take_body_piece();

  // The message has ended otherwise than by EndOfMessage. Octets to send; empty when the milter knows of none. Not
  // while an answer is awaited, which would be taken for that of the next event: the connection has to be dropped then.
  std::string abort_message();
  // The SMTP session is over; the connection may carry another one. Nothing when the milter's version has no word for
  // that: the connection has to be closed with quit().
  std::optional<std::string> end_session();
  static std::string quit();

  // What was agreed on; meaningful once the answer to open() has been taken.
  const Terms& terms() const { return terms_; }
  // The macros that the milter wants for this stage; nothing: it leaves the choice to us. Blanks between the names.
  const std::optional<std::string>& wanted_macros(MacroStage stage) const {
    return macros_[static_cast<std::size_t>(stage)];
  }

 private:
  using Taken = Result<std::optional<Outcome>, Breach>;

  bool hears_of(Verb verb) const;
  Taken take_negotiated(const Answer& answer);
  Taken take_word(Word word, Verb about);
  Taken take_reply(const ReplyText& reply);
  Taken take_change(const Answer& answer);
  Taken conclude(Outcome outcome);

  Terms offered_;
  Terms terms_;
  std::array<std::optional<std::string>, macro_stages> macros_;
  std::optional<Verb> awaited_;  // whose answer is to come
  bool is_done_with_connection_ = false;
  bool is_done_with_message_ = false;
  bool is_in_message_ = false;   // from MAIL on
  std::optional<Verb> skipped_;  // the milter wants no more of these for this message
  bool was_progress_ = false;
  Changes changes_;
};

}  // namespace sallyport::milter
