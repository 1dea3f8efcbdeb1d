// SessionModel: a second implementation of the session: which command is allowed when, what each end of a transaction
// clears, the reply to every command, and the messages that the upstreams have in the end.
//
// A simple state machine over the steps of a script. It reads no octets except content, never waits, and shares no code
// with the gateway. Its rules are those of threats.md and contract.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/session/session_script.h"

namespace sallyport::session {

// A message that an upstream has taken, as the gateway sent it.
struct Committed {
  std::string mail;  // "MAIL FROM:<ann@example.org> BODY=8BITMIME"
  std::vector<std::string> rcpts;
  std::string content;  // without the fields that the gateway adds
  friend bool operator==(const Committed&, const Committed&) = default;
};

class SessionModel {
 public:
  using Replies = std::vector<std::string>;  // "250 2.1.0", "354"

  explicit SessionModel(const Setting& setting) : setting_(setting) {}

  // The reply to the connection.
  Replies greeting();
  // Plays one step and returns the replies. `is_followed`: more octets follow in the same segment. `is_cut_off`: only a
  // part of the step's content arrives, and then the client leaves.
  Replies play(const Step& step, bool is_followed, bool is_cut_off);
  // Plays the content after DATA was answered 354; with `is_cut_off` only a part of it arrives.
  Replies play_content(const std::string& content, bool is_cut_off);

  bool is_over() const { return is_over_; }
  bool awaits_content() const { return awaits_content_; }
  // True after STARTTLS was answered 220 to a client that will break the handshake.
  bool awaits_handshake() const { return awaits_handshake_; }
  bool is_secured() const { return is_secured_; }
  // The keywords that EHLO offers, sorted.
  std::vector<std::string> offer() const;
  const std::vector<Committed>& committed() const { return committed_; }

 private:
  struct Transaction {
    const Sender* from = nullptr;
    std::string mail_line;
    bool utf8 = false;
    std::uint64_t offered = 0;  // well-formed RCPT commands so far
    std::vector<std::string> rcpts;
    std::optional<Route> route;
    std::optional<Plan> fate;  // the plan for the recipients accepted so far: none, discard or accept
    bool is_exempt = false;    // the policy has accepted it, so its other checks do not apply
    // The upstream's side.
    bool holds_connection = false;
    bool connection_is_dead = false;
    bool mail_accepted = false;
    std::string lost;  // set once the transaction is lost: the reply to everything that follows
    // Chunks.
    bool in_chunks = false;
    bool failed = false;
    std::uint64_t chunks = 0;
    std::uint64_t discarded = 0;     // octets of its refused chunks
    std::string refused_for_sender;  // the words that refused it for the sender's or the client's sake
    std::string raw;
  };

  void say(std::string_view reply) { replies_.emplace_back(reply); }
  void say_and_end(std::string_view reply);
  void error(std::string_view reply);
  void count_error();
  void count_junk();
  void count_refused_recipient();
  void count_refusal_said_again(std::string_view words);
  void end() { is_over_ = true; }
  // The policy's plan at this point; `none` where there is no policy or the transaction is exempt from it.
  Plan plan(Plan plan) const;
  bool refuse_by_plan(Plan plan);

  bool may_be_followed(const Step& step) const;
  void hello(const Step& step);
  void mail(const Step& step);
  void rcpt(const Step& step);
  void data();
  void chunk(const Step& step, bool is_cut_off);
  void discard_chunk(const Step& step, std::uint64_t octets, std::string_view reply, bool is_cut_off);
  void starttls();
  void simple(const Step& step);
  // `refusal`: the reply when the content's form is refused, or empty.
  void end_of_data(const std::string& content, std::string_view refusal);
  bool bind(const Recipient& to);
  bool is_before_tls() const { return setting_.requires_tls && !is_secured_; }
  bool knows(Needs needs) const;
  std::string refusal_of(const std::vector<Parameter>& table, const std::vector<std::uint8_t>& chosen) const;
  std::uint64_t max_size() const;
  std::string upstream_mail_line(const Sender& from, const std::vector<std::uint8_t>& parameters) const;

  // The upstream.
  std::string ask_recipient(const Recipient& to);
  std::string open_transaction();
  std::string lose(std::string reply);
  void give_up_connection();
  bool connect();
  bool open_again();
  std::string hand_over(const std::string& content);
  std::int64_t& down_until() { return down_until_[*transaction_->route == Route::other ? 1 : 0]; }

  Setting setting_;
  Replies replies_;
  bool is_over_ = false;
  bool awaits_content_ = false;
  bool awaits_handshake_ = false;
  bool is_secured_ = false;
  bool is_greeted_ = false;
  bool is_extended_ = false;
  bool is_exempt_ = false;  // the policy has accepted the connection or the greeting
  std::uint64_t errors_ = 0;
  std::uint64_t junk_ = 0;
  std::uint64_t refused_recipients_ = 0;
  std::optional<Transaction> transaction_;
  std::vector<Committed> committed_;
  std::int64_t now_ = 0;                      // seconds
  std::array<std::int64_t, 2> down_until_{};  // for Route::ours and Route::other
  bool is_listening_ = true;
};

}  // namespace sallyport::session
