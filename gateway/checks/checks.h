// Checks: runs the policies for one session. At each stage it runs their gatherings, all at the same time under one
// deadline, then their judges, and reduces the verdicts to a Disposition.
//
// From MAIL on, one mail has one span of time for all its look-ups (timeouts.policy, threats.md D7); before MAIL, each
// stage of the connection has as much. Facts and verdicts of the connection hold for all its mails; those of a mail are
// discarded with it (threats.md I4). plan.h says which settings apply when.
//
// Used on one loop's thread. It does not know Session, because the milter server and the dry run use it, too.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/async/nursery.h"
#include "gateway/async/scheduler.h"
#include "gateway/async/task.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/timings.h"
#include "gateway/checks/disposition.h"
#include "gateway/checks/gatherings.h"
#include "gateway/checks/plan.h"
#include "gateway/resolver/budget.h"
#include "gateway/signature/body_hash.h"
#include "policies/api/sealer.h"

namespace sallyport::checks {

// What the user of Checks provides. All of it must outlive the Checks.
struct CheckServices {
  async::Scheduler& scheduler;
  io::Resolver& resolver;
  Counters& counters;
  Log& log;
  resolver::BudgetSettings dns_budget;
  Duration patience;  // timeouts.policy
  // What is waited for in phase `outside` has so much time for each stage (policies::GatherPhase).
  Duration outside = std::chrono::seconds(180);
  Timings* timings = nullptr;  // where somebody wants to know them
};

class Checks {
 public:
  // `plans` are those of the connection's snapshot. `dns_exhausted` is called on this loop, at the first question of a
  // mail for which no budget is left (threats.md D6).
  Checks(const CheckServices& services, std::shared_ptr<const WorkerPlans> plans, std::function<void()> dns_exhausted);

  // Runs the gatherings that must precede the greeting, starts the others of stage connect in the background, and gives
  // the verdict on the connection.
  Task<Disposition> connected(const policies::Transaction& mail);
  Task<Disposition> greeted(const policies::Transaction& mail);

  // Sets, for mails that begin from now on, the time for all look-ups of a mail, its number of DNS questions, and the
  // time of phase `outside`.
  void set_limits(Duration patience, std::uint64_t dns_per_message, Duration outside = std::chrono::seconds(180));
  // Begins a mail, judged by `plans`, those of the snapshot at its MAIL. Waits for the connection's facts; nothing of
  // an earlier mail remains. Gives the verdict on MAIL.
  Task<Disposition> mail_begun(const policies::Transaction& mail, std::shared_ptr<const WorkerPlans> plans);
  // Gives the verdict on one recipient by its tenant's plan, which must be one of the mail's plans. Nothing: the
  // consequence for the whole mail (a discard, other checks skipped, another upstream) would differ from that of the
  // recipients before. The session then answers that the recipient must come in a separate mail, because one final
  // reply must never cover two outcomes (threats.md S22).
  Task<std::optional<Disposition>> recipient(const policies::Transaction& mail, const Plan& plan);
  // To be called after each recipient(), with whether the recipient was accepted in the end. Only then do the facts and
  // verdicts about it hold for the whole mail; else they are discarded. Without a recipient() before it does nothing.
  void recipient_answered(bool accepted);
  // To be called for each refused recipient, before recipient_answered() where recipient() was called for it: tells
  // those gatherings that want to hear of it.
  Task<void> recipient_refused(const policies::Transaction& mail, const policies::RefusedRecipient& refused);

  // To be called when the header section is complete and parsed: asks the gatherings which body digests they need, and
  // whether they want the body's octets.
  void header_completed(const policies::Transaction& mail);
  // To be called with the body's octets as they will be sent upstream, in pieces of any size, and at their end.
  void body(std::string_view octets);
  void body_ended();
  // Judges the whole message: gatherings, judges, then the sum of the scores against the thresholds.
  Task<Disposition> message(const policies::Transaction& mail);
  // To be called before seal(), where the mail goes out with this body instead of the one that came.
  Task<Result<Done>> body_replaced(const mail::Message& body);
  // The ARC fields for a mail whose header the gateway changes; empty when the mail is not sealed. `header` is the
  // header as it will be sent.
  std::string seal(const mail::HeaderSection& header, const mail::AuthResults& results, WallTime now) const;

  // True if something of the current plan gathers at stage done.
  bool looks_back() const;
  // To be called when it is decided what becomes of the mail: `outcome`, in the words of the log. Runs the gatherings
  // of stage done, within the time that the mail has left; what they say is recorded and changes nothing.
  Task<void> done(const policies::Transaction& mail, std::string_view outcome);
  void mail_ended();
  // To be called when a message was relayed: the session may then ask more DNS questions (threats.md D6).
  void message_relayed() { budget_.message_relayed(); }

  const policies::Facts& facts() const { return facts_; }
  // In the order in which they were given.
  const std::vector<policies::Verdict>& verdicts() const { return verdicts_; }
  // The plan that judges the current mail: its tenant's, or the connection's before the tenant is known.
  const Plan& plan() const { return *plan_; }

 private:
  // What a verdict on a recipient would do to the whole mail.
  struct Consequence {
    policies::Action action = policies::Action::none;
    std::vector<std::string> skips;
    std::string redirect;
    std::vector<std::pair<std::string, policies::Action>> overrides;
    friend bool operator==(const Consequence&, const Consequence&) = default;
  };
  struct Selected {
    const Active* active;
    policies::Gathering* gathering;
  };
  using Selection = std::vector<Selected>;
  // Which of the plan's checks take part.
  enum class Speakers : std::uint8_t {
    all,
    not_waiting_for_tenant,
    waiting_for_tenant,
    overridden,   // those whose settings are the tenant's own
    not_outside,  // all but those of phase `outside`
  };

  bool gathers(const Active& active, policies::Stage stage) const;
  policies::GatherContext context_until(Time deadline);
  // Before RCPT: true for a check that some tenant overrides, which says nothing until the tenant is known.
  bool waits_for_tenant(const Active& active) const {
    return mail_plans_->plans().waits_for_tenant(*active.check->entry);
  }
  // True if all mail is one tenant's. Its settings are then the connection's, too (plan.h).
  bool has_lone_tenant() const { return mail_plans_->plans().tenants.size() == 1; }
  bool speaks(const Active& active, Speakers speakers) const;
  // The gatherings of the current plan that have something to find out at this stage.
  Selection gathering_at(policies::Stage stage, Gatherings& gatherings, Speakers speakers) const;
  // Takes those of phase `outside` out of the selection.
  static Selection take_outside(Selection& selection);
  // Those of phase `outside`, after the others, with their own time.
  Task<void> gather_with_outside(policies::Stage stage, const policies::Transaction& mail, Selection selection,
                                 Time deadline);
  // `selection` is not empty.
  Task<void> gather(policies::Stage stage, const policies::Transaction& mail, const Selection& selection,
                    Time deadline);
  Task<void> gather_in_background(policies::Transaction mail, Selection selection);
  // Gathers for a stage of the mail, within the time that the mail has left.
  Task<void> gather_for_mail(policies::Stage stage, const policies::Transaction& mail, Selection selection);
  // Runs the judges of the current plan at this stage.
  std::vector<policies::Verdict> judge(policies::Stage stage, const policies::Transaction& mail,
                                       Speakers speakers) const;
  // Makes the tenant's plan judge the mail: gathers what its settings need in addition, and returns what its judges say
  // of the earlier stages.
  Task<std::vector<policies::Verdict>> bind(const policies::Transaction& mail, const Plan& plan);
  void unbind();
  // Gives who has something to say of the recipient.
  Task<Speakers> gather_recipient(const policies::Transaction& mail);
  void remember(std::vector<policies::Verdict> said);
  static Consequence consequence_of(const std::vector<policies::Verdict>& said);

  CheckServices services_;
  std::shared_ptr<const WorkerPlans> connection_plans_;
  std::shared_ptr<const WorkerPlans> mail_plans_;
  const Plan* plan_;
  resolver::QuestionBudget budget_;
  resolver::BudgetedResolver resolver_;
  Duration patience_{};  // time that the mail has left for look-ups

  policies::Facts facts_;
  std::vector<policies::Verdict> verdicts_;
  // Copies from the beginning of the mail, and from before the recipient's tenant was known; the latter only when there
  // are several tenants.
  std::optional<policies::Facts> connection_facts_;
  policies::Facts unbound_facts_;
  std::vector<policies::Verdict> connect_verdicts_;     // verdicts on the connection
  std::vector<policies::Verdict> connection_verdicts_;  // connect_verdicts_ and those on the greeting
  std::vector<policies::Verdict> unbound_verdicts_;     // connection_verdicts_ and those on MAIL
  // What is discarded for a recipient that was not accepted.
  enum class Undo : std::uint8_t {
    nothing,
    verdicts,  // the verdicts on this recipient
    tenant,    // everything gathered and judged under its tenant's settings
  };
  Undo undo_ = Undo::nothing;
  bool is_recipient_asked_ = false;  // recipient() was called, and its recipient is not answered
  std::vector<policies::Verdict> before_recipient_;
  std::optional<Consequence> consequence_;        // for the recipients accepted so far
  std::optional<Consequence> consequence_asked_;  // for the recipient whose answer is awaited

  Gatherings connection_gatherings_;
  Gatherings mail_gatherings_;
  std::vector<policies::Gathering*> watching_;  // the mail's gatherings that want the body
  std::optional<signature::BodyHasher> hasher_;
  std::vector<signature::BodyHash> body_hashes_;
  Duration verifying_{};       // processor time that the mail's signatures have taken
  Duration running_rules_{};   // and that its rules have taken
  std::string_view outcome_;   // at stage done
  async::Nursery background_;  // last, so that it is destroyed before the members it uses
};

}  // namespace sallyport::checks
