// One client connection, from its first octet to its last: the story of a session.
//
// session.cpp tells it in order (balancer's header, TLS, greeting, commands, farewell); each verb has a file of its own
// (on_mail.cpp ...). What belongs to one mail lives in MailState and nowhere else, so that every way out of a
// transaction clears all of it at once (threats.md I4). A session runs on one loop and is owned by its worker's
// nursery.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "gateway/session/checks.h"
#include "gateway/session/client_channel.h"
#include "gateway/session/content_intake.h"
#include "gateway/session/delivery.h"
#include "gateway/session/host.h"
#include "gateway/session/incident.h"
#include "gateway/session/path_replies.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/smtp/chunk_reader.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/path.h"
#include "gateway/smtp/sequence.h"

namespace sallyport::session {

// Whether the dialogue goes on after a step.
enum class Flow : std::uint8_t { next, end };

// All that is known of one mail; made by MAIL, gone when the mail is over.
struct MailState {
  policies::Transaction facts_of;  // as policies see it
  smtp::Path from;
  smtp::MailParameters parameters;
  std::string tenant;              // empty until the first recipient
  UpstreamGroup* route = nullptr;  // the same
  std::unique_ptr<Delivery> delivery;
  std::unique_ptr<mail::Message> message;
  std::unique_ptr<ContentIntake> intake;
  std::unique_ptr<smtp::ChunkReader> chunks;
  std::uint64_t chunk_count = 0;
  std::uint64_t recipients_offered = 0;
  Time began{};

  // For the record: the last thing the client was told about this mail, and why.
  struct Outcome {
    std::string verdict;  // relay, tag, reject, tempfail, discard, drop; empty: nothing yet
    std::string stage;
    std::string check;
    std::string rule;
    std::string because;  // the fact that decided, in a check's words
    int code = 0;
    std::string dsn;
    std::string reply;
    std::string upstream;
    std::optional<Incident> incident;  // what `check` names, as long as it has no line of its own in the log
    std::string detail;                // of a failure, in our words
  };
  Outcome outcome;
  bool is_recorded_unknown = false;  // record_unknown_outcome() was called
};

class Session {
 public:
  // Host and door outlive the session.
  Session(Host& host, const Door& door, std::unique_ptr<io::Stream> stream, SocketAddress peer);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // The whole story. Never throws: a broken invariant ends this session with 421 and no other.
  Task<void> run();
  // Before run(): the client is taken to have come through TLS, though its octets come in the clear. Only a dry run,
  // which needs no key of ours, may say so.
  void presume_tls(policies::TlsFacts facts);
  // The gateway shuts down: an idle session says 421 4.3.2 now, one with a mail under way when that is over (R12).
  void request_stop();

 private:
  // session.cpp
  Task<Flow> begin();
  Task<bool> greet();
  Task<Flow> next_command();
  Task<Flow> obey(smtp::Command command);
  std::uint64_t max_size() const;
  // No content of a mail is under way.
  bool is_idle() const;
  Flow shut_down();
  Task<void> say_goodbye();
  Flow handle_lost_client(io::Error error);
  // on_proxy.cpp
  Task<Flow> read_proxy_header();
  void close_books(const std::exception_ptr& mistake);
  // on_starttls.cpp
  Task<Flow> on_starttls();
  Task<Result<Done, io::Error>> secure();
  // on_ehlo.cpp
  Task<Flow> on_hello(const smtp::Command& command);
  smtp::Extensions offer() const;
  // on_mail.cpp, on_rcpt.cpp
  Task<Flow> on_mail(const smtp::Command& command);
  Task<Flow> on_rcpt(const smtp::Command& command);
  std::optional<smtp::Reply> bind_route(const smtp::Path& to);
  Task<Flow> ask_upstream(smtp::Path to, smtp::RcptParameters parameters);
  Task<Flow> refuse_recipient(std::string_view check, const smtp::Reply& reply);
  Task<Flow> refuse_recipient(Violation kind, const smtp::Reply& reply);
  Task<Flow> note_refused_recipient();
  // on_data.cpp, on_bdat.cpp
  Task<Flow> on_data();
  Task<Flow> on_bdat(const smtp::Command& command);
  Task<Flow> discard_chunk(smtp::Bdat chunk, smtp::Reply answer);
  Task<Result<Done, io::Error>> read_chunk(std::uint64_t octets, Time deadline, bool keep);
  void begin_content();
  // end_of_data.cpp
  Task<Flow> end_of_data(smtp::ContentFaults faults);
  std::optional<smtp::Reply> objection(const smtp::ContentFaults& faults);
  Task<Flow> relay(bool tagged, Time deadline);
  // Our seal for a header that leaves otherwise than it came; empty when it cannot be sealed.
  std::string seal(const OutgoingHeader& header, const mail::AuthResults& results);
  Flow explain_failure(const UpstreamError& error, bool is_news);
  // on_simple.cpp: NOOP RSET VRFY HELP QUIT and what is refused
  Task<Flow> on_simple(smtp::Verb verb);
  Flow on_refused(smtp::Permission permission, smtp::Verb verb);

  // Replies. An error counts towards limits.errors_per_session; the one that is too many ends the session.
  Flow say(const smtp::Reply& reply);
  Flow error(Violation kind, int code, std::string_view enhanced, std::string_view text);
  Flow error(const PathRefusal& refusal) { return error(refusal.kind, refusal.code, refusal.enhanced, refusal.text); }
  Flow error_and_close(Violation kind, int code, std::string_view enhanced, std::string_view text);
  // The last words to this client, and what they are about.
  Flow part(Incident kind, const smtp::Reply& reply, std::string_view detail = {});
  Flow count_error();
  Flow junk();
  // A refusal of the mail at this stage, recorded with it.
  Flow refuse_mail(std::string_view stage, std::string_view check, const smtp::Reply& reply);
  Flow apply(const policies::Verdict& verdict, policies::Stage stage);
  bool speaks_another_protocol(std::string_view first_line) const;
  bool has_pipelined_against_the_rules() const;

  // record.cpp
  // What the client is told about its mail; the last word counts, and goes into the mail's line.
  void note(std::string_view verdict, std::string_view stage, std::string_view check, const smtp::Reply& reply);
  // The same because of an incident: it is counted, and has its line of its own only if something else has the last
  // word. `is_news` is false when it was counted before.
  void decide(std::string_view verdict, std::string_view stage, Incident kind, const smtp::Reply& reply,
              std::string_view detail = {}, bool is_news = true);
  // Forgets what was noted: the mail goes on.
  void overrule();
  // An incident that decides nothing.
  void record(Incident kind, std::string_view detail = {});
  void record_unknown_outcome();
  void write_incident(Incident kind, std::string_view detail);
  std::string_view stage_of_mail() const;
  void write_transaction_line();
  // What DMARC reports will tell of this mail, where they are on.
  void observe_for_reports();
  void write_connection_line(std::string_view verdict, std::string_view stage, std::string_view check,
                             const smtp::Reply& reply, std::string_view because = {});
  void testify_of_mail();
  // Ends the mail, if there is one: its record is written and nothing of it remains, here or in the sequence.
  void end_mail();

  const config::Settings& settings() const { return *settings_; }
  Time now() const { return host_.scheduler.now(); }

  Host& host_;
  const Door& door_;
  std::shared_ptr<const config::Settings> settings_;
  std::unique_ptr<io::SessionSlots::Slot> slot_;
  SocketAddress peer_;
  ClientChannel channel_;
  smtp::Sequence sequence_;
  smtp::Extensions offered_;
  policies::Transaction about_;  // the client, before and between mails; its id is the session's
  Checks checks_;
  std::unique_ptr<MailState> mail_;
  std::uint64_t errors_ = 0;
  std::uint64_t junk_ = 0;
  std::uint64_t refused_recipients_ = 0;
  bool stopping_ = false;
  bool waiting_for_command_ = false;
  bool said_goodbye_ = false;
  async::Nursery errands_;  // last: ends before what it uses
};

}  // namespace sallyport::session
