#include "gateway/checks/checks.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "gateway/async/share.h"
#include "gateway/async/when.h"
#include "gateway/base/ensure.h"
#include "gateway/checks/changes.h"

namespace sallyport::checks {

using policies::Action;
using policies::Stage;
using policies::Transaction;
using policies::Verdict;

namespace {

// How long others have taken. A standstill of the whole process is not their time.
class Stopwatch {
 public:
  explicit Stopwatch(const async::Scheduler& scheduler) noexcept
      : scheduler_(scheduler), began_(scheduler.now()), standstills_(scheduler.standstills()) {}
  Duration time() const noexcept {
    return scheduler_.standstills() == standstills_ ? scheduler_.now() - began_ : Duration::zero();
  }

 private:
  const async::Scheduler& scheduler_;
  Time began_;
  std::uint64_t standstills_;
};

// Tells the timings how long a stage's checks have looked things up, also when they are broken off.
class StageWatch {
 public:
  StageWatch(const CheckServices& services, Stage stage) noexcept : services_(services), stage_(stage) {}
  StageWatch(const StageWatch&) = delete;
  StageWatch& operator=(const StageWatch&) = delete;
  ~StageWatch() {
    const auto what = std::size_t(Timing::stage_connect) + std::size_t(stage_);
    if (services_.timings && what < std::size_t(Timing::count_)) services_.timings->add(Timing(what), watch_.time());
  }

 private:
  const CheckServices& services_;
  const Stage stage_;
  const Stopwatch watch_{services_.scheduler};
};

bool is_of(const Verdict& verdict, const policies::PolicyEntry& entry) { return verdict.check == entry.name; }

bool is_on(const Plan& plan, const policies::PolicyEntry& entry) {
  return std::any_of(plan.checks.begin(), plan.checks.end(),
                     [&entry](const Plan::Check& check) { return check.entry == &entry; });
}

}  // namespace

Checks::Checks(const CheckServices& services, std::shared_ptr<const WorkerPlans> plans,
               std::function<void()> dns_exhausted)
    : services_(services),
      connection_plans_(std::move(plans)),
      mail_plans_(connection_plans_),
      plan_(&connection_plans_->plans().connection),
      budget_(services.dns_budget),
      resolver_(services.resolver, budget_, std::move(dns_exhausted)),
      mail_gatherings_(connection_gatherings_),
      background_(services.scheduler) {}

bool Checks::gathers(const Active& active, Stage stage) const {
  return active.gatherer != nullptr && active.gatherer->gathers_at(stage) &&
         !is_skipped(active.check->entry->name, verdicts_);
}

policies::GatherContext Checks::context_until(Time deadline) {
  return {services_.scheduler, resolver_,       services_.counters, services_.log, deadline,    body_hashes_,
          &verifying_,         &running_rules_, score(verdicts_),   outcome_,      plan_->payer};
}

Task<void> Checks::gather(Stage stage, const Transaction& mail, const Selection& selection, Time deadline) {
  const StageWatch watch(services_, stage);
  const policies::GatherContext context = context_until(deadline);
  if (selection.size() == 1) {
    co_await selection.front().gathering->gather(stage, mail, facts_, context);
    co_return;
  }
  using policies::GatherPhase;
  for (const GatherPhase phase :
       {GatherPhase::first, GatherPhase::on_identifiers, GatherPhase::on_everything, GatherPhase::outside}) {
    std::vector<Task<void>> tasks;
    for (const Selected& selected : selection) {
      if (selected.active->check->entry->phase != phase) continue;
      tasks.push_back(selected.gathering->gather(stage, mail, facts_, context));
    }
    if (!tasks.empty()) co_await async::when_all(services_.scheduler, std::move(tasks));
  }
}

// `mail` is a copy, because the session changes its own transaction while this task waits.
Task<void> Checks::gather_in_background(Transaction mail, Selection selection) {
  Time deadline = services_.scheduler.now() + services_.patience;
  co_await gather(Stage::connect, mail, selection, deadline);
}

Checks::Selection Checks::take_outside(Selection& selection) {
  const auto is_outside = [](const Selected& selected) {
    return selected.active->check->entry->phase == policies::GatherPhase::outside;
  };
  if (std::all_of(selection.begin(), selection.end(), is_outside)) return std::exchange(selection, {});
  Selection outside;
  std::copy_if(selection.begin(), selection.end(), std::back_inserter(outside), is_outside);
  if (!outside.empty()) std::erase_if(selection, is_outside);
  return outside;
}

Task<void> Checks::gather_with_outside(Stage stage, const Transaction& mail, Selection selection, Time deadline) {
  const Selection outside = take_outside(selection);
  if (!selection.empty()) co_await gather(stage, mail, selection, deadline);
  if (!outside.empty()) co_await gather(stage, mail, outside, services_.scheduler.now() + services_.outside);
}

Task<void> Checks::gather_for_mail(Stage stage, const Transaction& mail, Selection selection) {
  const Selection outside = take_outside(selection);
  if (!selection.empty()) {
    const Stopwatch watch(services_.scheduler);
    co_await gather(stage, mail, selection, services_.scheduler.now() + patience_);
    patience_ -= std::min(patience_, watch.time());
  }
  if (!outside.empty()) co_await gather(stage, mail, outside, services_.scheduler.now() + services_.outside);
}

bool Checks::speaks(const Active& active, Speakers speakers) const {
  switch (speakers) {
    case Speakers::all:
      return true;
    case Speakers::not_waiting_for_tenant:
      return !waits_for_tenant(active);
    case Speakers::waiting_for_tenant:
      return waits_for_tenant(active);
    case Speakers::overridden:
      return active.check->is_overridden;
    case Speakers::not_outside:
      return active.check->entry->phase != policies::GatherPhase::outside;
  }
  return true;
}

Checks::Selection Checks::gathering_at(Stage stage, Gatherings& gatherings, Speakers speakers) const {
  Selection selection;
  for (const Active& active : mail_plans_->active(*plan_)) {
    if (speaks(active, speakers) && gathers(active, stage))
      selection.push_back({&active, &gatherings.of(*active.gatherer)});
  }
  return selection;
}

std::vector<Verdict> Checks::judge(Stage stage, const Transaction& mail, Speakers speakers) const {
  policies::Verdicts said;
  for (const Active& active : mail_plans_->active(*plan_)) {
    const policies::PolicyEntry& entry = *active.check->entry;
    if (entry.judge == nullptr || !speaks(active, speakers) || is_skipped(entry.name, verdicts_)) continue;
    said.speaks(entry.name, stage, active.check->mode);
    entry.judge(stage, mail, facts_, active.check->settings, said);
  }
  return said.take();
}

// When several recipients get a verdict of the same rule, the strictest is kept and the score counts once.
void Checks::remember(std::vector<Verdict> said) {
  for (Verdict& verdict : said) {
    const auto known = std::find_if(verdicts_.begin(), verdicts_.end(), [&verdict](const Verdict& one) {
      return one.check == verdict.check && one.rule == verdict.rule && one.shadow == verdict.shadow &&
             one.stage == verdict.stage;
    });
    if (known == verdicts_.end()) {
      verdicts_.push_back(std::move(verdict));
      continue;
    }
    const double score = std::max(known->score, verdict.score);
    if (verdict.action >= known->action) *known = std::move(verdict);
    known->score = score;
  }
}

// ---- the connection ----

Task<Disposition> Checks::connected(const Transaction& mail) {
  Selection now;
  Selection later;
  for (const Selected& selected : gathering_at(Stage::connect, connection_gatherings_, Speakers::all)) {
    (selected.active->gatherer->precedes_greeting() ? now : later).push_back(selected);
  }
  if (!later.empty()) background_.spawn(gather_in_background(mail, std::move(later)));
  if (!now.empty()) {
    const Time deadline = services_.scheduler.now() + services_.patience;
    co_await gather_with_outside(Stage::connect, mail, std::move(now), deadline);
  }
  std::vector<Verdict> said = judge(Stage::connect, mail, Speakers::all);
  Disposition disposition = strictest(said, {});
  remember(std::move(said));
  connect_verdicts_ = verdicts_;
  connection_verdicts_ = verdicts_;
  co_return disposition;
}

Task<Disposition> Checks::greeted(const Transaction& mail) {
  Selection selection = gathering_at(Stage::helo, connection_gatherings_, Speakers::all);
  if (!selection.empty()) {
    const Time deadline = services_.scheduler.now() + services_.patience;
    co_await gather_with_outside(Stage::helo, mail, std::move(selection), deadline);
  }
  verdicts_ = connect_verdicts_;  // a new greeting is judged again (I4)
  std::vector<Verdict> said = judge(Stage::helo, mail, Speakers::all);
  Disposition disposition = strictest(said, verdicts_);
  if (disposition.refuses()) {
    verdicts_ = connection_verdicts_;  // a refused greeting has no effect: the one before still holds
  } else {
    remember(std::move(said));
    connection_verdicts_ = verdicts_;
  }
  connection_facts_.reset();
  co_return disposition;
}

// ---- a mail ----

void Checks::set_limits(Duration patience, std::uint64_t dns_per_message, Duration outside) {
  services_.patience = patience;
  services_.outside = outside;
  if (budget_.settings.per_message == dns_per_message) return;
  budget_.settings.per_message = dns_per_message;
  budget_.message_left = dns_per_message;
}

Task<Disposition> Checks::mail_begun(const Transaction& mail, std::shared_ptr<const WorkerPlans> plans) {
  const Stopwatch watch(services_.scheduler);
  // Also when all have ended: what one of them threw comes out here. Lists that could not be asked for want of memory
  // would be off in silence otherwise.
  co_await background_.join();
  patience_ = services_.patience - std::min(services_.patience, watch.time());
  if (connection_facts_) {
    facts_ = *connection_facts_;
  } else {
    connection_facts_ = facts_;
  }
  mail_plans_ = std::move(plans);
  plan_ = &mail_plans_->plans().connection;
  mail_gatherings_.clear();
  verdicts_ = connection_verdicts_;
  consequence_.reset();

  Selection selection = gathering_at(Stage::mail, mail_gatherings_, Speakers::not_waiting_for_tenant);
  if (!selection.empty()) co_await gather_for_mail(Stage::mail, mail, std::move(selection));
  std::vector<Verdict> said = judge(Stage::mail, mail, Speakers::not_waiting_for_tenant);
  Disposition disposition = strictest(said, verdicts_);
  remember(std::move(said));
  if (!has_lone_tenant()) {
    unbound_facts_ = facts_;
    unbound_verdicts_ = verdicts_;
  }
  co_return disposition;
}

void Checks::unbind() {
  plan_ = &mail_plans_->plans().connection;
  facts_ = unbound_facts_;
  verdicts_ = unbound_verdicts_;
}

Task<std::vector<Verdict>> Checks::bind(const Transaction& mail, const Plan& plan) {
  unbind();
  plan_ = &plan;
  // Discards what the connection's settings have found and said of a check that this tenant overrides or has switched
  // off.
  for (const Plan::Check& check : mail_plans_->plans().connection.checks) {
    if (!is_on(plan, *check.entry)) facts_.drop(check.entry->facts);
  }
  std::erase_if(verdicts_, [&](const Verdict& verdict) {
    const auto check = std::find_if(plan.checks.begin(), plan.checks.end(),
                                    [&](const Plan::Check& one) { return is_of(verdict, *one.entry); });
    return check == plan.checks.end() || check->is_overridden;
  });
  std::vector<Verdict> said;
  for (const Stage stage : {Stage::connect, Stage::helo, Stage::mail}) {
    const Speakers speakers = stage == Stage::mail ? Speakers::waiting_for_tenant : Speakers::overridden;
    Selection selection = gathering_at(stage, mail_gatherings_, speakers);
    if (!selection.empty()) co_await gather_for_mail(stage, mail, std::move(selection));
    for (Verdict& verdict : judge(stage, mail, speakers)) said.push_back(std::move(verdict));
  }
  co_return said;
}

Task<std::optional<Disposition>> Checks::recipient(const Transaction& mail, const Plan& plan) {
  is_recipient_asked_ = true;
  if (plan_ != &plan && has_lone_tenant()) {
    plan_ = &plan;  // its settings are the connection's, so that nothing is to be judged again
  } else if (plan_ != &plan) {
    undo_ = Undo::tenant;  // if this recipient is refused, the next one may belong to another tenant
    std::vector<Verdict> said = co_await bind(mail, plan);
    Disposition of_earlier_stages = strictest(said, verdicts_);
    remember(std::move(said));
    if (of_earlier_stages.refuses()) co_return of_earlier_stages;
  }
  const Speakers speakers = co_await gather_recipient(mail);
  undo_ = Undo::verdicts;
  before_recipient_ = verdicts_;
  std::vector<Verdict> at_rcpt = judge(Stage::rcpt, mail, speakers);
  Disposition disposition = strictest(at_rcpt, verdicts_);
  Consequence consequence = consequence_of(at_rcpt);
  remember(std::move(at_rcpt));
  if (disposition.refuses()) co_return disposition;
  if (consequence_ && *consequence_ != consequence) co_return std::nullopt;
  consequence_asked_ = std::move(consequence);
  co_return disposition;
}

// Those of phase `outside` are asked only about a recipient that all others let pass. Their facts are about an earlier
// recipient until then.
Task<Checks::Speakers> Checks::gather_recipient(const Transaction& mail) {
  Selection selection = gathering_at(Stage::rcpt, mail_gatherings_, Speakers::all);
  Selection outside = take_outside(selection);
  if (!selection.empty()) co_await gather_for_mail(Stage::rcpt, mail, std::move(selection));
  if (outside.empty()) co_return Speakers::all;
  if (strictest(judge(Stage::rcpt, mail, Speakers::not_outside), verdicts_).refuses()) co_return Speakers::not_outside;
  co_await gather_for_mail(Stage::rcpt, mail, std::move(outside));
  co_return Speakers::all;
}

Task<void> Checks::recipient_refused(const Transaction& mail, const policies::RefusedRecipient& refused) {
  const Time deadline = services_.scheduler.now() + services_.outside;
  for (const Active& active : mail_plans_->active(*plan_)) {
    if (active.gatherer == nullptr || active.check->entry->name == refused.by) continue;
    policies::Gathering* const gathering = mail_gatherings_.find(*active.gatherer);
    if (gathering == nullptr || !gathering->hears_of_refused_recipients()) continue;
    if (is_skipped(active.check->entry->name, verdicts_)) continue;
    const policies::GatherContext context = context_until(deadline);
    co_await gathering->recipient_refused(mail, refused, context);
  }
}

void Checks::recipient_answered(bool accepted) {
  if (!std::exchange(is_recipient_asked_, false)) return;
  mail_gatherings_.recipient_answered(accepted);
  if (accepted) {
    consequence_ = std::move(consequence_asked_);
  } else if (undo_ == Undo::tenant) {
    unbind();
  } else if (undo_ == Undo::verdicts) {
    // A verdict that refuses one recipient must not refuse the message for the others.
    verdicts_ = std::move(before_recipient_);
  }
  undo_ = Undo::nothing;
  before_recipient_.clear();
  consequence_asked_.reset();
}

Checks::Consequence Checks::consequence_of(const std::vector<Verdict>& said) {
  Consequence consequence;
  for (const Verdict& verdict : said) {
    if (verdict.shadow) continue;
    if (verdict.action == Action::accept) {
      consequence.skips.insert(consequence.skips.end(), verdict.skip.begin(), verdict.skip.end());
      if (verdict.skip.empty()) consequence.skips.emplace_back();  // an empty name stands for all checks
    } else if (const Action action = effective_action(verdict, said);
               action >= Action::quarantine && !is_skipped(verdict.check, said)) {
      consequence.action = std::max(consequence.action, action);
    }
    if (!verdict.override_check.empty())
      consequence.overrides.emplace_back(verdict.override_check, verdict.override_to);
  }
  consequence.redirect = redirect(said);
  return consequence;
}

// ---- its content ----

void Checks::header_completed(const Transaction& mail) {
  std::vector<signature::BodyForm> forms;
  const auto want = [&forms](const signature::BodyForm& form) {
    if (std::find(forms.begin(), forms.end(), form) == forms.end()) forms.push_back(form);
  };
  watching_.clear();
  for (const Active& active : mail_plans_->active(*plan_)) {
    if (!gathers(active, Stage::message)) continue;
    policies::Gathering& gathering = mail_gatherings_.of(*active.gatherer);
    for (const signature::BodyForm& form : gathering.body_forms(mail)) want(form);
    if (gathering.wants_body(mail)) watching_.push_back(&gathering);
    if (const policies::MailSealer* sealer = active.gatherer->sealer()) want(sealer->body_form());
  }
  body_hashes_.clear();
  hasher_.reset();
  if (!forms.empty()) hasher_.emplace(forms);
}

void Checks::body(std::string_view octets) {
  if (hasher_) hasher_->feed(octets);
  for (policies::Gathering* gathering : watching_) gathering->body(octets);
}

void Checks::body_ended() {
  if (hasher_) body_hashes_ = hasher_->finish();
  hasher_.reset();
  watching_.clear();
}

Task<Disposition> Checks::message(const Transaction& mail) {
  for (const Stage stage : {Stage::headers, Stage::message}) {
    Selection selection = gathering_at(stage, mail_gatherings_, Speakers::all);
    if (!selection.empty()) co_await gather_for_mail(stage, mail, std::move(selection));
    remember(judge(stage, mail, Speakers::all));
  }
  if (!looks_back()) mail_gatherings_.content_judged();
  // All verdicts on this mail count now: a discard at RCPT as well as a tag at this stage.
  co_return dispose(verdicts_, plan_->actions);
}

Task<Result<Done>> Checks::body_replaced(const mail::Message& body) {
  if (body_hashes_.empty()) co_return Done{};
  std::vector<signature::BodyForm> forms;
  for (const signature::BodyHash& hash : body_hashes_) forms.push_back(hash.form);
  signature::BodyHasher hasher(forms);
  mail::Message::BodyPieces pieces = body.body();
  while (true) {
    auto piece = pieces.next();
    if (!piece) co_return std::move(piece).error();
    if (piece->empty()) break;
    co_await async::Share(services_.scheduler, piece->size(), plan_->payer);
    hasher.feed(*piece);
  }
  body_hashes_ = hasher.finish();
  co_return Done{};
}

std::string Checks::seal(const mail::HeaderSection& header, const mail::AuthResults& results, WallTime now) const {
  for (const Active& active : mail_plans_->active(*plan_)) {
    const policies::MailSealer* sealer = active.gatherer ? active.gatherer->sealer() : nullptr;
    if (sealer == nullptr) continue;
    auto fields = sealer->seal({header, body_hashes_, facts_, results, now});
    if (fields) return std::move(*fields);
  }
  return {};
}

bool Checks::looks_back() const {
  const std::vector<Active>& all = mail_plans_->active(*plan_);
  return std::any_of(all.begin(), all.end(), [this](const Active& active) { return gathers(active, Stage::done); });
}

Task<void> Checks::done(const Transaction& mail, std::string_view outcome) {
  Selection selection = gathering_at(Stage::done, mail_gatherings_, Speakers::all);
  if (selection.empty()) co_return;
  outcome_ = outcome;
  co_await gather_for_mail(Stage::done, mail, selection);
  outcome_ = {};
  policies::Verdicts said;
  for (const Selected& selected : selection) {
    const Plan::Check& check = *selected.active->check;
    said.speaks(check.entry->name, Stage::done, check.mode);
    check.entry->judge(Stage::done, mail, facts_, check.settings, said);
  }
  remember(said.take());
}

void Checks::mail_ended() {
  mail_gatherings_.clear();
  is_recipient_asked_ = false;
  watching_.clear();
  hasher_.reset();
  body_hashes_.clear();
  verifying_ = {};
  running_rules_ = {};
  mail_plans_ = connection_plans_;
  plan_ = &mail_plans_->plans().connection;
  verdicts_ = connection_verdicts_;
  consequence_.reset();
  if (connection_facts_) facts_ = std::move(*connection_facts_);
  connection_facts_.reset();
  budget_.next_message();
}

}  // namespace sallyport::checks
