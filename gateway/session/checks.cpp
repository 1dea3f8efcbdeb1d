#include "gateway/session/checks.h"

#include <algorithm>

#include "gateway/async/when.h"

namespace sallyport::session {

using policies::Action;
using policies::Facts;
using policies::Stage;
using policies::Transaction;
using policies::Verdict;

namespace {

// One entry per check and rule: of several recipients' verdicts the strictest stays, and a score counts once.
void remember(std::vector<Verdict>& verdicts, Verdict verdict) {
  for (Verdict& known : verdicts) {
    if (known.check != verdict.check || known.rule != verdict.rule) continue;
    double score = std::max(known.score, verdict.score);
    if (verdict.action >= known.action) known = std::move(verdict);
    known.score = score;
    return;
  }
  verdicts.push_back(std::move(verdict));
}

Verdict come_separately() {
  Verdict verdict = Verdict::tempfail("4.5.3", "Send the message to this recipient separately", 452);
  verdict.check = name(Violation::split_route);
  return verdict;
}

bool says_something(const Verdict& verdict) { return verdict.action != Action::none || verdict.score != 0; }

}  // namespace

Checks::Checks(Host& host, std::function<void(Violation)> record)
    : host_(host),
      policies_(host.policies),
      budget_({host.settings->limits.dns_per_message, host.settings->limits.dns_per_session}),
      resolver_(host.resolver, budget_, [record = std::move(record)] { record(Violation::dns_budget); }),
      background_(host.scheduler) {}

Checks::Selection Checks::gathering_at(Stage stage) const {
  Selection selection;
  for (const auto& policy : policies_) {
    if (policy->gathers_at(stage) && !is_skipped(policy->name())) selection.push_back(policy.get());
  }
  return selection;
}

Task<void> Checks::gather(Stage stage, const Transaction& mail, const Selection& selection, Time deadline) {
  if (selection.empty()) co_return;
  policies::Surroundings around{host_.scheduler, resolver_, host_.counters, host_.log, deadline};
  if (selection.size() == 1) {
    co_await selection.front()->gather(stage, mail, facts(), around);
    co_return;
  }
  using Turn = policies::Policy::Turn;
  for (const Turn turn : {Turn::first, Turn::on_identifiers, Turn::on_everything}) {
    std::vector<Task<void>> tasks;
    for (const policies::Policy* policy : selection) {
      if (policy->gather_turn() == turn) tasks.push_back(policy->gather(stage, mail, facts(), around));
    }
    if (!tasks.empty()) co_await async::when_all(host_.scheduler, std::move(tasks));
  }
}

// By value: the session's own transaction changes while this waits.
Task<void> Checks::gather_in_background(Transaction mail, Selection selection) {
  Time deadline = host_.scheduler.now() + host_.settings->timeouts.policy;
  co_await gather(Stage::connect, mail, selection, deadline);
}

Task<void> Checks::gather_for_mail(Stage stage, const Transaction& mail) {
  Time began = host_.scheduler.now();
  co_await gather(stage, mail, gathering_at(stage), began + patience_);
  patience_ -= std::min(patience_, Duration(host_.scheduler.now() - began));
}

Task<Verdict> Checks::connected(const Transaction& mail) {
  // Who has a say on the connection is waited for; DNS lists are judged at RCPT and look things up while the client
  // talks.
  Selection now;
  Selection later;
  for (const policies::Policy* policy : gathering_at(Stage::connect)) {
    (policy->judges_at(Stage::connect) ? now : later).push_back(policy);
  }
  if (!later.empty()) background_.spawn(gather_in_background(mail, std::move(later)));
  co_await gather(Stage::connect, mail, now, host_.scheduler.now() + host_.settings->timeouts.policy);
  Verdict verdict = strictest_of(judge(Stage::connect, mail));
  connect_verdicts_ = verdicts_;
  connection_verdicts_ = verdicts_;
  co_return verdict;
}

Task<Verdict> Checks::greeted(const Transaction& mail) {
  co_await gather(Stage::helo, mail, gathering_at(Stage::helo),
                  host_.scheduler.now() + host_.settings->timeouts.policy);
  verdicts_ = connect_verdicts_;  // a new greeting is judged anew (I4)
  Verdict verdict = strictest_of(judge(Stage::helo, mail));
  if (verdict.action >= Action::tempfail) {
    verdicts_ = connection_verdicts_;  // what is refused was not said: the greeting before it still holds
  } else {
    connection_verdicts_ = verdicts_;
  }
  connection_facts_.reset();
  co_return verdict;
}

Task<Verdict> Checks::mail_begun(const Transaction& mail) {
  Time began = host_.scheduler.now();
  if (background_.size() > 0) co_await background_.join();
  Duration patience = host_.settings->timeouts.policy;
  patience_ = patience - std::min(patience, Duration(host_.scheduler.now() - began));
  if (connection_facts_) {
    facts() = *connection_facts_;
  } else {
    connection_facts_ = std::make_unique<Facts>(facts());
  }
  verdicts_ = connection_verdicts_;
  fate_.reset();
  co_await gather_for_mail(Stage::mail, mail);
  co_return strictest_of(judge(Stage::mail, mail));
}

Task<Verdict> Checks::recipient(const Transaction& mail) {
  co_await gather_for_mail(Stage::rcpt, mail);
  before_recipient_ = verdicts_;
  std::vector<Verdict> said = judge(Stage::rcpt, mail);
  Verdict verdict = strictest_of(said);
  fate_asked_ = fate_of(said);
  if (verdict.action < Action::tempfail && fate_ && *fate_ != *fate_asked_) verdict = come_separately();
  // What refuses one recipient must not refuse the message to the others.
  if (verdict.action >= Action::tempfail) recipient_answered(false);
  co_return verdict;
}

void Checks::recipient_answered(bool accepted) {
  if (accepted) {
    fate_ = std::move(fate_asked_);
  } else {
    verdicts_ = std::move(before_recipient_);
  }
  before_recipient_.clear();
  fate_asked_.reset();
}

Task<Verdict> Checks::message(const Transaction& mail) {
  for (Stage stage : {Stage::headers, Stage::message}) {
    co_await gather_for_mail(stage, mail);
    judge(stage, mail);
  }
  // All that was said about this mail counts now, a discard at RCPT as much as a tag just given.
  Verdict strictest = strictest_of(verdicts_);
  const policies::ActionSettings& actions = host_.settings->policy.actions;
  double sum = score();
  if (sum >= actions.reject && strictest.action < Action::reject) {
    strictest = Verdict::reject("5.7.1", "Message refused by policy");
    strictest.check = "score";
  } else if (sum >= std::min(actions.tag, actions.quarantine) && strictest.action < Action::tag) {
    strictest.action = Action::tag;  // quarantine acts as tag until there is a quarantine
    strictest.check = "score";
  }
  co_return strictest;
}

std::vector<Verdict> Checks::judge(Stage stage, const Transaction& mail) {
  std::vector<Verdict> said;
  for (const auto& policy : policies_) {
    if (!policy->judges_at(stage) || is_skipped(policy->name())) continue;
    Verdict verdict = policy->judge(stage, mail, facts());
    verdict.check = policy->name();
    verdict.shadow = verdict.shadow || policy->mode() == policies::Mode::shadow;
    if (!says_something(verdict)) continue;
    said.push_back(verdict);
    remember(verdicts_, std::move(verdict));
  }
  return said;
}

Verdict Checks::strictest_of(const std::vector<Verdict>& said) const {
  const Verdict* strictest = nullptr;
  for (const Verdict& verdict : said) {
    if (verdict.shadow || is_skipped(verdict.check)) continue;
    if (!strictest || verdict.action > strictest->action) strictest = &verdict;
  }
  return strictest ? *strictest : Verdict::none();
}

Checks::Fate Checks::fate_of(const std::vector<Verdict>& said) const {
  Fate fate;
  for (const Verdict& verdict : said) {
    if (verdict.shadow) continue;
    if (verdict.action == Action::accept) {
      fate.skips.insert(fate.skips.end(), verdict.skip.begin(), verdict.skip.end());
      if (verdict.skip.empty()) fate.skips.emplace_back();  // all of them
    } else if (verdict.action >= Action::quarantine && !is_skipped(verdict.check)) {
      fate.action = std::max(fate.action, verdict.action);
    }
  }
  return fate;
}

bool Checks::is_skipped(std::string_view check) const {
  return std::any_of(verdicts_.begin(), verdicts_.end(), [check](const Verdict& verdict) {
    if (verdict.shadow || verdict.action != Action::accept) return false;
    return verdict.skip.empty() || std::find(verdict.skip.begin(), verdict.skip.end(), check) != verdict.skip.end();
  });
}

std::vector<std::unique_ptr<policies::BodyObserver>> Checks::observers(const Transaction& mail) const {
  std::vector<std::unique_ptr<policies::BodyObserver>> observers;
  for (const auto& policy : policies_) {
    if (is_skipped(policy->name())) continue;
    if (auto observer = policy->observe_body(mail)) observers.push_back(std::move(observer));
  }
  return observers;
}

void Checks::mail_ended() {
  verdicts_ = connection_verdicts_;
  fate_.reset();
  if (connection_facts_) facts() = *connection_facts_;
  budget_.next_message();
}

void Checks::message_relayed() { budget_.message_relayed(); }

double Checks::score() const {
  double sum = 0;
  for (const Verdict& verdict : verdicts_) {
    if (!verdict.shadow && !is_skipped(verdict.check)) sum += verdict.score;
  }
  return sum;
}

std::string Checks::names() const {
  std::string names;
  for (const Verdict& verdict : verdicts_) {
    if (!names.empty()) names += ',';
    names += verdict.check;
    if (verdict.shadow) names += "(shadow)";
  }
  return names;
}

}  // namespace sallyport::session
