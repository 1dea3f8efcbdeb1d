// Session: the milter's side of one connection, without its socket: packets in, a filter's callbacks made, answers out.
//
// Keeps the order of commands as libmilter does. A command that may not come now ends the message under way
// (xxfi_abort) and is then taken as one after HELO; one that may not come there either is left out, without an answer.
// xxfi_abort is called for a message that ends otherwise than by the filter's own verdict, xxfi_close once for each
// SMTP connection.
//
// Not for two threads at a time; which thread calls does not matter. A filter gets the Session as its SMFICTX, and the
// functions below that take C strings are what the C functions of the same names do: they give false for MI_FAILURE.
// Anything a callback throws comes out of take(); finish() must follow.
#pragma once

#include <libmilter/mfapi.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/milter/answer.h"
#include "gateway/milter/command.h"
#include "gateway/milter/packet.h"
#include "gateway/milter_library/filter.h"
#include "gateway/milter_library/macro_store.h"

namespace sallyport::milter_library {

// What a session needs of who holds it: a way for its answers, and a place for what an administrator should know.
class SessionHost {
 public:
  explicit SessionHost(const Filter& its_filter) : filter(its_filter) {}
  virtual ~SessionHost() = default;
  const Filter& filter;  // the same for the whole life of a session
  // Answers that have not been sent yet. The holder sends them after each take(), a session only when they are many or
  // must not wait.
  std::string answers;
  // Sends the answers. False: the connection is lost.
  virtual bool send() = 0;
  virtual void report(std::string_view what) = 0;
};

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // One packet of the MTA. Its data must be in memory that may be written: callbacks get pointers to it. False: the
  // connection is over, finish() must follow, and no answer is left to be sent. After an exception the holder must not
  // send what is among the answers.
  bool take(const milter::Packet& packet, SessionHost& host);
  // Makes the callbacks that are due at the connection's end. What they throw is reported.
  void finish(SessionHost& host) noexcept;
  // For the next connection: nothing is left of this one. After finish() only.
  void begin_anew() { *this = Session(); }
  // A function that the filter has called could not do it for want of memory. What the filter decides then may rest on
  // what it has not got (a macro, a change of the message), so the MTA hears no verdict: the connection ends, and the
  // MTA does with the message what it does when a milter fails.
  void give_up() { is_lost_ = true; }
  // True from MAIL on until the message has its verdict.
  bool is_in_message() const { return state_ >= State::mail; }

  char* macro(std::string_view name) { return macros_.find(name); }
  void* filter_data() const { return filter_data_; }
  void set_filter_data(void* data) { filter_data_ = data; }
  void set_reply(std::string words) { rarities().reply = std::move(words); }
  bool set_macro_list(int stage, const char* names);

  bool add_header(const char* name, const char* value);
  bool change_header(const char* name, int index, const char* value);
  bool insert_header(int index, const char* name, const char* value);
  bool change_sender(const char* path, const char* parameters);
  bool add_rcpt(const char* path);
  bool add_rcpt_with_parameters(const char* path, const char* parameters);
  bool delete_rcpt(const char* path);
  bool replace_body(const unsigned char* octets, int size);
  bool quarantine(const char* reason);
  bool progress();

 private:
  Session& operator=(Session&&) = default;

  // In the order in which a message passes through them.
  enum class State : std::uint8_t { begin, negotiated, greeted, mail, rcpt, data, header, end_of_header, body };

  static bool may_follow_directly(State state, milter::Verb verb);
  static State state_after(milter::Verb verb);
  bool is_declined(State state) const;
  bool may_follow(State state, milter::Verb verb) const;

  SMFICTX* context() { return reinterpret_cast<SMFICTX*>(this); }
  bool dispatch(const milter::Packet& packet);
  bool negotiate(std::string_view data);
  bool ask_filter(const milter::Terms& offered, milter::Terms& wanted);
  void answer_negotiation(const milter::Terms& terms);
  bool take_macros(std::string_view data);
  // The callback of a command, and its verdict. Nothing: the packet is malformed.
  std::optional<sfsistat> call(milter::Verb verb, std::string_view data);
  std::optional<sfsistat> call_connect(std::string_view data);
  std::optional<sfsistat> call_path(sfsistat (*callback)(SMFICTX*, char**), std::string_view data);
  std::optional<sfsistat> call_header(std::string_view data);
  sfsistat call_body(std::string_view data);
  sfsistat call_end_of_message(std::string_view data);
  void call_abort();
  void call_close();
  void quit_and_reuse();

  // The verdict that holds: one for a command that is not answered counts for nothing.
  sfsistat answer(milter::Verb verb, sfsistat verdict);
  void answer_refusal(milter::Word plain, char code_class);
  void settle(milter::Verb verb, sfsistat verdict);
  // What few connections have, and not while they are idle.
  struct Rarities {
    std::string reply;                                          // of smfi_setreply(), until it is used
    std::array<std::string, milter::macro_stages> macro_lists;  // until they are sent
  };
  Rarities& rarities();
  bool may_change(std::uint32_t action) const;
  bool sent_if_many();

  // Small, since a connection at rest costs little else.
  SessionHost* host_ = nullptr;  // while take() or finish() run
  void* filter_data_ = nullptr;
  std::unique_ptr<Rarities> rarities_;
  MacroStore macros_;
  std::uint32_t options_ = 0;         // agreed on with the MTA
  std::uint32_t wanted_options_ = 0;  // by the filter; those that the MTA lacks, we pretend
  std::uint16_t actions_ = 0;         // agreed on, of those that there are functions for
  State state_ = State::begin;
  bool is_at_end_of_message_ : 1 = false;  // in xxfi_eom
  bool is_lost_ : 1 = false;               // no answer can, or may, be sent any more
  bool is_closed_ : 1 = false;             // xxfi_close has been called, and no new SMTP connection has begun
};

}  // namespace sallyport::milter_library
