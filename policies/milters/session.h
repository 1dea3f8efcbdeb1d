// MilterSession: what one milter hears of one SMTP session, or of one mail where the session was not told to it before.
//
// It says each stage to the milter and gives the milter's answer as a value. What a milter has heard is remembered, not
// the connection it was said on: where that was given up for somebody else's mail, or the milter has closed it between
// two mails, all of it is said again on another one.
//
// A failure holds until the end of its mail (threats.md F1-F4): the milter is not asked about this mail again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policies/api/gathering.h"
#include "policies/milters/facts.h"
#include "policies/milters/macros.h"
#include "policies/milters/mail_draft.h"
#include "policies/milters/pool.h"
#include "policies/milters/settings.h"

namespace sallyport::policies {

class MilterSession final : private MilterHolder {
 public:
  // All of it outlives this object.
  MilterSession(const MilterSettings& milter, const MilterServices& services, std::string_view hostname)
      : milter_(milter), services_(services), hostname_(hostname) {}
  ~MilterSession() { let_go(); }
  MilterSession(const MilterSession&) = delete;
  MilterSession& operator=(const MilterSession&) = delete;

  // False: it has said all it has to say of this connection, or of this mail.
  bool has_to_hear(Stage stage) const;
  // Stages connect to rcpt. True: the milter is told of the stage, without a wait, together with the next that it
  // answers. False: tell() is to be called.
  bool tell_in_passing(Stage stage, const Transaction& mail, const GatherContext& context);
  // Stages connect to rcpt.
  Task<MilterAnswer> tell(Stage stage, const Transaction& mail, const GatherContext& context);

  // Whether the milter has asked to hear of recipients that others refuse.
  bool hears_of_refused_recipients() const;
  // Tells it of such a recipient; no answer changes what has become of that one.
  Task<void> tell_refused(const Transaction& mail, const RefusedRecipient& refused, const GatherContext& context);

  struct Heard {
    MilterAnswer answer;
    milter::Changes changes;
    std::shared_ptr<const mail::Message> body;
  };
  // Stage message: the whole mail, as the draft has it.
  Task<Heard> tell_content(const Transaction& mail, const MailDraft& draft, const GatherContext& context);
  // The mail is over, whatever has become of it.
  void end_mail() noexcept;

 private:
  using Told = Result<milter::Outcome, MilterTrouble>;

  const MilterUser& user() const noexcept override { return *user_; }
  std::unique_ptr<MilterConnection> give_up() noexcept override { return forget_connection(); }
  std::unique_ptr<MilterConnection> forget_connection() noexcept;
  MilterPool::Hub& hub();
  void rest(const GatherContext& context);
  // Drops a connection that the milter has ended while nothing was said on it.
  void notice_end(const GatherContext& context);
  void let_go() noexcept;
  MilterPatience patience(const GatherContext& context) const;
  // What was waited for counts.
  class Clock;

  // Adds an event with its macros to what is to be said; true: the milter owes an answer.
  bool add(const milter::Command& event, milter::MacroStage stage, const Transaction& mail,
           const RefusedRecipient* refused = nullptr);
  bool add_rcpt(const MailAddress& rcpt, std::string_view parameters, const Transaction& mail,
                const RefusedRecipient* refused = nullptr);
  bool add_stage(Stage stage, const Transaction& mail);
  // Whether there is a connection on which all was said that comes before `stage`.
  bool is_caught_up(Stage stage, const Transaction& mail) const;
  // Says what has not been said on this connection of that; an outcome is the milter's last word.
  Task<Told> catch_up(Stage stage, const Transaction& mail, const GatherContext& context, bool anew);
  Task<Told> say_stage(Stage stage, const Transaction& mail, const GatherContext& context);
  Task<Told> tell_once(Stage stage, const Transaction& mail, const GatherContext& context, bool anew);
  Task<Told> say_content(const Transaction& mail, const MailDraft& draft, const GatherContext& context,
                         NewBody& new_body);
  Task<Told> say_header(const MailDraft& draft, const GatherContext& context);
  Task<Told> say_body(const MailDraft& draft, const GatherContext& context);
  MilterAnswer answer_of(Stage stage, const Told& told);
  MilterAnswer fail(Stage stage, const MilterTrouble& trouble, const Transaction& mail, const GatherContext& context);
  void remember(Stage stage, const MilterAnswer& answer);

  const MilterSettings& milter_;
  const MilterServices& services_;
  const std::string_view hostname_;

  MilterPool::Hub* hub_ = nullptr;
  std::optional<MilterUser> user_;  // once a connection was asked for
  std::unique_ptr<MilterConnection> connection_;
  // What was said on this connection.
  bool has_said_connect_ = false;
  bool has_said_helo_ = false;
  bool has_said_mail_ = false;
  bool wants_refused_ = false;  // what it has asked for on its last connection

  bool is_done_with_connection_ = false;
  bool is_done_with_mail_ = false;
  bool has_failed_before_mail_ = false;   // it is tried again at MAIL
  std::optional<MilterTrouble> trouble_;  // of this mail
  Duration waited_{};                     // for this mail
  Time rests_since_{};
};

}  // namespace sallyport::policies
