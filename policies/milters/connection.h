// MilterConnection: one connection to a milter: the dialogue of gateway/milter over a stream, with its deadlines.
//
// Whatever goes wrong on it is final: the caller drops the connection and does as the milter's on_error says
// (threats.md F1-F3). Events that the milter does not answer are collected, and leave together with the next one that
// it does. Used on one loop's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/io/stream.h"
#include "gateway/milter/mta_dialogue.h"

namespace sallyport::policies {

// Why a milter could not be asked.
struct MilterTrouble {
  enum class Kind : std::uint8_t {
    down,      // it cannot be reached, or has ended the connection
    slow,      // a deadline has passed
    protocol,  // it has broken the protocol
    own,       // a shortage of ours
  };
  Kind kind = Kind::down;
  std::string words;  // of ours, for the log
  // The connection had ended before the milter could have heard of what was said last: it may be said on another one.
  bool was_closed = false;
};

// How long a milter may take.
struct MilterPatience {
  Duration for_answer{};  // begins anew when it says that it is at work
  Time until{};           // at the latest
};

// Takes pieces of a new body as they come; false: it can take no more of them.
using BodyTaker = std::function<bool(std::string_view octets)>;

class MilterConnection {
 public:
  // What we can do as an MTA.
  static const milter::Terms offered;

  // `place` is let go of with the connection.
  MilterConnection(async::Scheduler& scheduler, std::unique_ptr<io::Stream> stream, std::shared_ptr<void> place)
      : place_(std::move(place)), scheduler_(scheduler), stream_(std::move(stream)), dialogue_(offered) {}
  MilterConnection(const MilterConnection&) = delete;
  MilterConnection& operator=(const MilterConnection&) = delete;

  // Whoever it serves from now on; `user` is let go of when it serves another one, or nobody.
  void serve(std::shared_ptr<void> user) noexcept { user_ = std::move(user); }

  Task<Result<Done, MilterTrouble>> negotiate(MilterPatience patience);

  const milter::MtaDialogue& dialogue() const { return dialogue_; }
  // Adds an event with its macros to what is to be sent; true: answer() is to be called. Of the macros the texts, as
  // MtaDialogue::add_event() takes them.
  bool add(const milter::Command& event, std::string_view macros = {});
  // An empty string whose memory is kept, to make the texts of macros in.
  std::string& room_for_macros() {
    macros_.clear();
    return macros_;
  }
  // Sends what was added, and gives the milter's answer to the last event. The changes that came with it are
  // take_changes(); pieces of a new body go to `body` at once. `patience.for_answer` is counted from here.
  Task<Result<milter::Outcome, MilterTrouble>> answer(MilterPatience patience, const BodyTaker* body = nullptr);
  // Sends what was added, when it is much.
  Task<Result<Done, MilterTrouble>> flush_much(MilterPatience patience);
  milter::Changes take_changes() { return dialogue_.take_changes(); }

  // The message has ended otherwise than by its end. Nothing is sent before the next event, or farewell().
  void abort_message();
  // The SMTP session is over, and the connection may carry another one. False: the milter's version has no word for it,
  // or the milter has decided something on this connection itself: libmilter (1.0.1), which MTAs do not ask to serve a
  // second session, then answers no CONNECT any more.
  bool end_session();
  // Sends what was added; the connection may be kept.
  Task<bool> settle(Time deadline);
  // Sends the last words and closes.
  Task<void> farewell(Time deadline);

  // It was not closed meanwhile, and nothing has come that nobody has asked for. It costs one system call.
  bool is_fresh() const { return stream_->input().empty() && !stream_->peer_has_ended(); }
  // The same as far as it has been noticed.
  bool seems_fresh() const { return stream_->input().empty() && stream_->is_open(); }
  // The milter is owed no answer, so that something else may be said.
  bool is_at_rest() const { return !dialogue_.awaits_answer() && !has_failed_; }

 private:
  MilterTrouble trouble_of(io::Error error, bool is_first_word);
  MilterTrouble breach(std::string words);
  Task<Result<Done, MilterTrouble>> send(Time deadline);

  std::shared_ptr<void> place_;
  std::shared_ptr<void> user_;
  async::Scheduler& scheduler_;
  std::unique_ptr<io::Stream> stream_;
  milter::MtaDialogue dialogue_;
  milter::PacketReader reader_;
  std::string pending_;  // to be sent
  std::string sending_;  // being sent
  std::string macros_;
  bool has_failed_ = false;
  bool has_had_last_word_ = false;
};

}  // namespace sallyport::policies
