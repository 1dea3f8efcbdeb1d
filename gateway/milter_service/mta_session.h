// MtaSession: one connection of an MTA that has its mail judged (a listener with protocol = "milter").
//
// The MTA speaks SMTP with the client and delivers the mail; we hear of each step, run the checks of that stage, and
// answer. What they say comes out as milter actions: refusals in our own words at the step they belong to, and at the
// end of a message a discard, header changes, quarantine. The MTA's connection outlives a mail and may carry several
// SMTP sessions one after the other; what belongs to one mail lives in MailState and nowhere else, so that every way
// out of a mail clears all of it at once (threats.md I4, F8).
//
// mta_session.cpp has the order of events and the steps of the connection, on_envelope.cpp MAIL and RCPT,
// on_content.cpp the message, mta_record.cpp what is recorded. A session serves by the configuration snapshot of its
// accept, each mail by the host's snapshot of its MAIL.
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "gateway/async/nursery.h"
#include "gateway/checks/checks.h"
#include "gateway/milter/command.h"
#include "gateway/milter_service/macro_values.h"
#include "gateway/milter_service/mta_channel.h"
#include "gateway/milter_service/mta_terms.h"
#include "gateway/record/incident.h"
#include "gateway/record/mail_record.h"
#include "gateway/session/host.h"
#include "gateway/session/mail_under_way.h"
#include "gateway/session/refusals.h"
#include "gateway/session/served.h"

namespace sallyport::milter_service {

class MtaSession final : public session::Served {
 public:
  // Host and notes outlive the session. The listener is one of the snapshot's.
  MtaSession(session::Host& host, std::shared_ptr<const session::WorkerSnapshot> snapshot,
             const session::Listener& listener, std::unique_ptr<io::Stream> stream, SocketAddress mta,
             MissingActions& missing_actions);
  MtaSession(const MtaSession&) = delete;
  MtaSession& operator=(const MtaSession&) = delete;
  ~MtaSession() override;

  // A broken invariant ends this connection and no other: the MTA does with its mail what it does without us.
  Task<void> run() override;
  // A connection without the content of a mail under way is closed now, or once the answer under way is sent.
  void request_stop() override;
  Task<void> break_off() override;
  bool holds_up_for_nothing() const override;
  bool has_mail_to_cut() const override { return mail_ != nullptr && !is_over_; }
  session::Look look() const override;

 private:
  enum class Flow : std::uint8_t { next, end };
  // What the MTA has told us so far.
  enum class State : std::uint8_t {
    open,        // nothing
    negotiated,  // its offer; it may tell us of a client
    connected,   // the client
    in_mail,     // MAIL
    in_content,  // something of the message
  };

  // All that is known of one mail; made by MAIL, destroyed when the mail is over.
  // Without a plan nothing is judged.
  struct MailState : session::MailUnderWay {
    using MailUnderWay::MailUnderWay;

    bool is_content_coming = false;  // DATA was said
    bool has_header_ended = false;
    bool has_nul = false;
    Time content_deadline = async::no_deadline;
  };
  // What a caller of refuse() adds to a refusal.
  struct Particulars {
    std::string_view what = {};     // in place of "{}" in the text
    std::string_view because = {};  // the fact that decided, for the log
  };

  // mta_session.cpp
  bool may_ask() const;
  // As the log has it: what it calls itself, else where it comes from.
  std::string name_of_mta() const;
  Task<Flow> next_command();
  Time deadline() const;
  // Nothing: obey() has to see to it.
  std::optional<Flow> obey_at_once(const milter::Command& command);
  Task<Flow> obey(const milter::Command& command);
  Flow on_offer(const milter::Terms& offered);
  Task<Flow> on_connect(const milter::Connect& connect);
  Task<Flow> on_helo(const milter::Helo& helo);
  Flow end_connection();
  Flow handle_breach(std::string_view what);
  Flow handle_lost_mta(MtaChannel::Lost lost);
  void learn_tls();
  void forget_client();
  bool is_idle() const { return !mail_ || !(mail_->is_content_coming || mail_->message); }
  bool is_stopping() const { return stop_requested_at_.has_value(); }
  void close_books(const std::exception_ptr& mistake);
  void record_cut_mail() noexcept;
  void cut_mail();
  session::Phase phase() const;

  // on_envelope.cpp
  Task<Flow> on_mail(const milter::Mail& command);
  Task<Flow> on_rcpt(const milter::Rcpt& command);
  Task<void> decide_recipient();
  // Makes the mail that of the recipient's tenant. Null when all is well.
  const session::Refusal* bind_tenant();
  // Null where verdicts send the mail nowhere else.
  const session::Refusal* objection_to_redirect() const;
  void accept_recipient();
  void learn_client_name();
  // Own users and hosts of the MTA's may send mail to others.
  bool may_relay() const;

  // on_content.cpp
  Flow on_data();
  Flow on_header(const milter::Header& field);
  Flow on_end_of_header();
  Flow on_body(std::string_view octets);
  Task<Flow> on_end_of_message(std::string_view last_octets);
  void begin_content();
  void end_header();
  void take_body(std::string_view octets);
  Task<checks::Disposition> judge_message();
  Task<void> tell_progress();
  // True: something makes the message unfit whatever it says; the MTA has been told then.
  bool object_to_content();
  Task<void> look_back();
  Task<void> discard(const checks::Disposition& disposition);
  std::string unfollowed_change() const;
  void pass(const checks::Disposition& disposition);

  // mta_record.cpp: what the MTA is told, and what is remembered of it
  void go_on(milter::Verb verb);
  void say(const smtp::Reply& reply);
  void refuse(const session::Refusal& refusal, const Particulars& particulars);
  void refuse(const session::Refusal& refusal) { refuse(refusal, {}); }
  void apply(const checks::Disposition& disposition, policies::Stage stage);
  // Whatever is said of the mail from now on, it is this, until another decision.
  void decide(record::Decision decision);
  void fail(record::Incident kind, record::Outcome outcome, std::string_view detail);
  void record(record::Incident kind, std::string_view detail = {});
  void write_incident(record::Incident kind, std::string_view detail);
  void record_refused_recipient(record::Decision decision);
  void record_refused_connection(record::Decision decision);
  record::MailRecord make_record(record::Subject subject, record::Decision decision);
  // Ends the mail, if there is one: its record is made and nothing of it remains. False: the mail was to be discarded,
  // and its record could not be kept.
  bool end_mail();

  const std::string& id() const { return mail_ ? mail_->transaction.id : connection_.id; }
  const config::Settings& settings() const { return *snapshot_->shared->settings; }
  const config::Settings& mail_settings() const { return *mail_->snapshot->shared->settings; }
  Time now() const { return host_.scheduler.now(); }

  session::Host& host_;
  const std::shared_ptr<const session::WorkerSnapshot> snapshot_;
  const session::Listener& listener_;
  MissingActions& missing_actions_;
  const SocketAddress mta_;
  MtaChannel channel_;
  State state_ = State::open;
  milter::Terms terms_;
  MacroValues macros_;
  std::unique_ptr<io::SessionSlots::Slot> slot_;
  policies::Transaction connection_;      // the client, before and between mails
  std::optional<checks::Checks> checks_;  // of the client
  Time began_;
  // The client was refused: the answer to everything until its session ends, as it was encoded for CONNECT.
  std::string standing_answer_;
  std::unique_ptr<MailState> mail_;
  std::optional<Time> stop_requested_at_;
  bool is_waiting_for_mta_ = false;
  Time in_phase_since_;   // for look()
  bool is_over_ = false;  // the books are closed
};

}  // namespace sallyport::milter_service
