// Session: one client connection, from its first octet to its last.
//
// session.cpp has the order of events (balancer's header, TLS, greeting, commands, farewell); each verb has a file of
// its own (on_mail.cpp ...); refusals.h has all the ways to say no, and record.cpp what is recorded of them.
//
// A session runs on the loop of its worker and is owned by the worker's nursery. It serves by the configuration
// snapshot of its accept. Each mail goes by the host's snapshot of its MAIL instead, whatever is reloaded meanwhile
// (threats.md R11). What belongs to one mail lives in MailState and nowhere else, so that every way out of a
// transaction clears all of it at once (threats.md I4).
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "gateway/checks/checks.h"
#include "gateway/record/incident.h"
#include "gateway/record/mail_record.h"
#include "gateway/session/client_channel.h"
#include "gateway/session/content_pace.h"
#include "gateway/session/host.h"
#include "gateway/session/mail_under_way.h"
#include "gateway/session/refusals.h"
#include "gateway/session/served.h"
#include "gateway/smtp/body_reader.h"
#include "gateway/smtp/chunk_reader.h"
#include "gateway/smtp/command.h"
#include "gateway/smtp/parameters.h"
#include "gateway/smtp/sequence.h"
#include "gateway/smtp/xclient.h"
#include "gateway/upstream/delivery.h"

namespace sallyport::session {

// Whether the dialogue goes on after a step.
enum class Flow : std::uint8_t { next, end };

// All that a session knows of one mail; made by MAIL, destroyed when the mail is over.
struct MailState : MailUnderWay {
  using MailUnderWay::MailUnderWay;

  smtp::MailParameters parameters;
  std::unique_ptr<upstream::Delivery> delivery;
  // What accepted recipients were asked for with, by their places in transaction.rcpts, where it was anything: they may
  // be asked for again, at another server.
  std::map<std::size_t, smtp::RcptParameters> accepted_parameters;
  std::unique_ptr<smtp::ChunkReader> chunks;
  std::uint64_t chunk_count = 0;
  // However many chunks the content comes in (R19): until when it may come, and how much of it was read and discarded.
  std::optional<Time> content_deadline;
  std::uint64_t discarded_octets = 0;
  ContentPace pace;
  std::unique_ptr<io::SessionSlots::Slot> place_of_tenant;  // where there are several
  std::string refusal_of_sender;  // what one of its recipients was last refused with that was not about the recipient
  // The incident that `decision` names, as long as no line of the log names it.
  std::optional<record::Incident> unlogged;
  std::string upstream;              // the server that was asked last
  bool is_recorded_unknown = false;  // record_unknown_outcome() was called
};

class Session final : public Served {
 public:
  // The host outlives the session. The listener is one of the snapshot's. `local`: what the peer connected to.
  Session(Host& host, std::shared_ptr<const WorkerSnapshot> snapshot, const Listener& listener,
          std::unique_ptr<io::Stream> stream, SocketAddress peer, SocketAddress local = {});
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() override;

  // The whole dialogue. A broken invariant ends this session with 421 and no other.
  Task<void> run() override;
  // Before run(): the session takes the client to have come through TLS, though its octets come in the clear. Only a
  // dry run, which needs no key of ours, may say so.
  void presume_tls(policies::TlsFacts facts);
  // An idle session says 421 4.3.2 now, one with content under way when that mail is over.
  void request_stop() override;
  // The client of the mail under way hears 421 4.3.2.
  Task<void> break_off() override;
  // True where the client does not read a reply, or no content is under way and something else than the client is
  // waited for.
  bool holds_up_for_nothing() const override;
  bool has_mail_to_cut() const override { return mail_ && !said_goodbye_; }
  bool gives_way() override;
  Look look() const override;

 private:
  // What a caller of refuse() adds to a refusal.
  struct Particulars {
    std::string_view what = {};     // in place of "{}" in the text
    std::string_view because = {};  // the fact that decided, for the log
    std::string_view detail = {};   // of a failure, for the log
    bool is_news = true;            // false: the incident was counted before, and is not counted again
  };

  // session.cpp
  Task<Flow> begin();
  // Sets what the configuration says of the client's address (threats.md S41). To be called whenever the address is
  // learned, before anything is decided by it.
  void recognise_client();
  io::SessionSlots::Share share_of_client() const;
  void begin_checks();
  // The checks' word on the connection; false: it was refused.
  Task<bool> admit();
  Task<bool> greet();
  void queue_greeting();
  Task<Flow> next_command();
  Task<Flow> obey(smtp::Command command);
  Time command_deadline() const;
  // A span of the configuration, shorter under pressure (R3).
  Duration patience(Duration span) const;
  // Null: none. What has arrived behind a command of this verb may not stand there.
  const Refusal* objection_to_input_behind(smtp::Verb verb) const;
  std::uint64_t max_size() const;
  // No content of a mail is under way.
  bool is_idle() const;
  bool is_stopping() const { return stop_requested_at_.has_value(); }
  Task<void> say_goodbye();
  Task<void> end_unread();
  Flow handle_lost_client(io::Error error);
  // on_proxy.cpp
  Task<Flow> read_proxy_header();
  void close_books(const std::exception_ptr& mistake);
  void break_off_mail();
  void record_cut_mail() noexcept;
  // on_xclient.cpp
  Task<Flow> on_xclient(const smtp::Command& command);
  void take_introduction(const smtp::ClientAttributes& said);
  void forget_introduction();
  // Makes the session that of the client which connection_ names now. `slot_` is null when there is no place for it.
  void begin_client();
  // A peer that may speak for others and has not named anybody: the checks on connections, and limits and rates on
  // them, are for the clients behind it.
  bool speaks_for_itself() const;
  // What a listed peer has said with XCLIENT, and what it was before that.
  struct Introduction {
    Introduction(SocketAddress own, SocketAddress own_destination) : peer(own), destination(own_destination) {}
    SocketAddress peer;
    SocketAddress destination;
    // The client's own; where they are known, what the peer's EHLO says is about the peer.
    std::string helo;
    std::optional<bool> extended;
  };
  // on_starttls.cpp
  Task<Flow> on_starttls();
  Task<Result<Done, io::Error>> secure();
  // on_ehlo.cpp
  Task<Flow> on_hello(const smtp::Command& command);
  smtp::Extensions offer() const;
  // on_mail.cpp, on_rcpt.cpp
  Task<Flow> on_mail(const smtp::Command& command);
  Task<Flow> on_rcpt(const smtp::Command& command);
  Task<Flow> decide_recipient(smtp::RcptParameters parameters);
  Task<void> note_refused_recipient(Flow flow);
  const Refusal* bind_route();
  // The servers that the mail goes to.
  upstream::UpstreamGroup& upstream_group() const;
  // Begins a transaction with them, in place of one with others.
  void begin_delivery(const MailAddress& from, const smtp::MailParameters& parameters);
  // Makes the mail go where verdicts on it send it. Null when all is well.
  const Refusal* choose_upstream();
  Task<Flow> ask_upstream(smtp::RcptParameters parameters);
  void record_passed_over_servers();
  upstream::ClientInfo client_info() const;
  Flow pass_on_refusal(const Result<smtp::UpstreamReply, upstream::UpstreamError>& answer, bool is_news);
  void learn_client_name();
  // on_data.cpp, on_bdat.cpp
  Task<Flow> on_data();
  Task<Flow> on_bdat(const smtp::Command& command);
  Task<Flow> discard_chunk(smtp::Bdat chunk, smtp::Reply answer);
  Task<Result<Done, io::Error>> read_chunk(std::uint64_t octets, Time deadline, bool keep);
  void begin_content();
  // Waits for more of the content that comes at this pace, until the deadline at the latest.
  Task<Result<Done, io::Error>> wait_for_content(ContentPace& pace, Time deadline);
  // Of the message that comes: what it holds is counted, and what it may hold is less under pressure (R3).
  void weigh_content();
  // When the content of the message must be complete (timeouts.data_total); from its first octet on, always the same.
  Time content_deadline();
  // end_of_data.cpp
  Task<Flow> end_of_data(smtp::ContentFaults faults);
  // Whether something makes the message unfit whatever it says; the client has been told then.
  bool object_to_content(const smtp::ContentFaults& faults);
  Task<Flow> discard(const checks::Disposition& disposition);
  Task<void> look_back();
  Task<Flow> hand_on(const checks::Disposition& disposition, bool has_8bit, Time deadline);
  Task<Flow> relay(const checks::Disposition& disposition, Time deadline);
  // redirect.cpp
  // Whom the mail goes to in the end, and from whom.
  struct FinalEnvelope {
    MailAddress from;
    smtp::MailParameters parameters;
    std::vector<std::pair<MailAddress, smtp::RcptParameters>> rcpts;
    std::string because;  // of it being another one, or elsewhere
  };
  // It is what was accepted, where it was accepted.
  bool keeps_envelope() const;
  FinalEnvelope final_envelope() const;
  // Makes the servers' transaction that of the envelope. Nothing: the content may be sent.
  Task<std::optional<Flow>> open_anew(FinalEnvelope envelope, bool has_8bit, Time deadline);
  mail::OutgoingHeader outgoing_header(const checks::Disposition& disposition);
  Flow explain_failure(const upstream::UpstreamError& error, bool is_news);
  // on_simple.cpp: NOOP RSET VRFY HELP QUIT and what may not come now
  Task<Flow> on_simple(smtp::Verb verb);
  Flow on_refused(smtp::Permission permission, smtp::Verb verb);

  // replies.cpp
  Flow say(const smtp::Reply& reply);
  // Records a refusal and says it; what follows is in the refusal.
  Flow refuse(const Refusal& refusal) { return refuse(refusal, Particulars()); }
  Flow refuse(const Refusal& refusal, const Particulars& particulars);
  // The same in words that are not the refusal's.
  Flow refuse(const Refusal& refusal, const smtp::Reply& reply, const Particulars& particulars);
  // What checks have decided about a mail, a recipient or the connection, said to the client. A drop says nothing and
  // closes.
  Flow apply(const checks::Disposition& disposition, policies::Stage stage);
  // The first half of refuse() alone: a refused chunk has to be read before the reply.
  void note(const Refusal& refusal, const smtp::Reply& reply, const Particulars& particulars);
  smtp::Reply reply_to(const Refusal& refusal, std::string_view what = {}) const {
    return session::reply_to(refusal, settings().hostname, id(), what);
  }
  // An error counts towards limits.errors_per_session; the one that is too many ends the session.
  Flow count_error();
  Flow count_junk();
  // A recipient was refused for good; one too many ends the session (S20).
  Flow count_refused_recipient(const smtp::Reply& reply, Concern concern);
  bool speaks_another_protocol(std::string_view first_line) const;

  // record.cpp
  // The client is told this about its mail; what it is told last goes into the mail's record. An incident is counted,
  // unless it was before, and has a line of its own only if another decision follows.
  void decide(record::Decision decision, std::optional<record::Incident> incident = {}, bool is_news = true);
  // The decision so far is void: the mail goes on.
  void overrule();
  // An incident that decides nothing: counted, and logged with a line of its own.
  void record(record::Incident kind, std::string_view detail = {});
  void write_incident(record::Incident kind, std::string_view detail);
  void record_unknown_outcome();
  // The recipient that is being decided was refused: its record is made, and the mail's decision is the same.
  void record_refused_recipient(record::Decision decision);
  void record_refused_connection(record::Decision decision);
  record::MailRecord make_record(record::Subject subject, record::Decision decision);
  // Ends the mail, if there is one: its record is made and nothing of it remains, here or in the sequence. False: the
  // mail was to be discarded, and its record could not be kept.
  bool end_mail();

  const std::string& id() const { return mail_ ? mail_->transaction.id : connection_.id; }
  // Of the connection, and of the mail that is under way.
  const config::Settings& settings() const { return *snapshot_->shared->settings; }
  const config::Settings& mail_settings() const { return *mail_->snapshot->shared->settings; }
  Time now() const { return host_.scheduler.now(); }
  // For look().
  void enter(Phase phase) {
    phase_ = phase;
    in_phase_since_ = now();
  }

  Host& host_;
  const std::shared_ptr<const WorkerSnapshot> snapshot_;
  const Listener& listener_;
  std::unique_ptr<io::SessionSlots::Slot> slot_;
  SocketAddress peer_;
  SocketAddress destination_;  // what the client connected to; as a trusted balancer says
  Time began_;
  ClientChannel channel_;
  smtp::Sequence sequence_;
  smtp::Extensions offered_;
  policies::Transaction connection_;      // the client, before and between mails; its id is the session's
  std::optional<checks::Checks> checks_;  // of the client; made anew for another one (XCLIENT)
  bool may_introduce_ = false;            // the peer may say XCLIENT (listen.xclient_from)
  std::unique_ptr<Introduction> introduction_;
  std::unique_ptr<MailState> mail_;
  std::uint64_t errors_ = 0;
  std::uint64_t junk_ = 0;
  std::uint64_t refused_recipients_ = 0;   // for good (S20)
  std::optional<Time> stop_requested_at_;  // by request_stop()
  bool waiting_for_command_ = false;
  bool said_goodbye_ = false;
  bool gave_way_ = false;  // gives_way() was true: the client hears why
  Phase phase_ = Phase::connecting;
  std::optional<smtp::Verb> verb_;  // of the last command
  Time in_phase_since_;
  async::Nursery background_;  // last: ends before what it uses
};

}  // namespace sallyport::session
