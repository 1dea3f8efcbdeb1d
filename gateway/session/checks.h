// The policies of one session: what they found out, what they said, and what follows from it.
//
// Runs gather() of the policies that have something to find out at a stage, all at once under one deadline, then the
// judges, and keeps the strictest verdict. From its MAIL on, one mail has one span of time for all that is looked up
// for it (timeouts.policy, threats.md D7); before, each stage of the connection has as much. Facts and verdicts of the
// connection hold for all its mails; those of a mail are gone with it (threats.md I4).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/session/host.h"
#include "policies/api/policy.h"

namespace sallyport::session {

class Checks {
 public:
  // `record` is told what the checks have met that decides nothing (threats.md I8).
  Checks(Host& host, std::function<void(Violation)> record);

  bool any() const { return !policies_.empty(); }

  // Starts what takes long and is judged later (DNS lists) beside the dialogue, and gives the verdict on the connection
  // itself.
  Task<policies::Verdict> connected(const policies::Transaction& mail);
  Task<policies::Verdict> greeted(const policies::Transaction& mail);
  // A new mail: the connection's facts, waited for, and nothing of an earlier mail.
  Task<policies::Verdict> mail_begun(const policies::Transaction& mail);
  // The verdict on one recipient. What it says holds for the whole mail only once recipient_answered() tells that the
  // recipient was accepted. One whose fate would be another than the fate of those before (a discard, checks that no
  // longer count) is told to come separately: one final reply must never cover two outcomes (S22).
  Task<policies::Verdict> recipient(const policies::Transaction& mail);
  void recipient_answered(bool accepted);
  // The whole message: judges, the summed score and its thresholds.
  Task<policies::Verdict> message(const policies::Transaction& mail);
  std::vector<std::unique_ptr<policies::BodyObserver>> observers(const policies::Transaction& mail) const;

  void mail_ended();
  // A message was relayed: the session has earned more DNS questions (threats.md D6).
  void message_relayed();

  policies::Facts& facts() {
    if (!facts_) facts_ = std::make_unique<policies::Facts>();
    return *facts_;
  }
  double score() const;
  // All verdicts that count or were recorded in shadow, for the log and X-Sallyport-Verdict.
  const std::vector<policies::Verdict>& verdicts() const { return verdicts_; }
  // "dnsbl,rules": the checks that said anything.
  std::string names() const;

 private:
  // What a verdict on a recipient would do to the whole mail.
  struct Fate {
    policies::Action action = policies::Action::none;
    std::vector<std::string> skips;
    friend bool operator==(const Fate&, const Fate&) = default;
  };
  using Selection = std::vector<const policies::Policy*>;

  Selection gathering_at(policies::Stage stage) const;
  Task<void> gather(policies::Stage stage, const policies::Transaction& mail, const Selection& policies, Time deadline);
  Task<void> gather_in_background(policies::Transaction mail, Selection policies);
  // At a stage of a mail, out of the time that it has.
  Task<void> gather_for_mail(policies::Stage stage, const policies::Transaction& mail);
  // What the policies say at this stage, remembered with what they said before.
  std::vector<policies::Verdict> judge(policies::Stage stage, const policies::Transaction& mail);
  // Of what counts.
  policies::Verdict strictest_of(const std::vector<policies::Verdict>& said) const;
  Fate fate_of(const std::vector<policies::Verdict>& said) const;
  // A rule's accept has taken the check out of the count.
  bool is_skipped(std::string_view check) const;

  Host& host_;
  const std::vector<std::unique_ptr<policies::Policy>>& policies_;
  resolver::QuestionBudget budget_;
  resolver::BudgetedResolver resolver_;
  Duration patience_{};                                 // what is left of the mail's time
  std::unique_ptr<policies::Facts> facts_;              // made when first asked for: most sessions wait without
  std::unique_ptr<policies::Facts> connection_facts_;   // as they were when the first mail began
  std::vector<policies::Verdict> connect_verdicts_;     // on the connection itself
  std::vector<policies::Verdict> connection_verdicts_;  // these, and on the greeting
  std::vector<policies::Verdict> verdicts_;
  std::vector<policies::Verdict> before_recipient_;
  std::optional<Fate> fate_;        // of the recipients accepted so far
  std::optional<Fate> fate_asked_;  // of the one that waits for its answer
  async::Nursery background_;       // last: ends before what it writes to
};

}  // namespace sallyport::session
