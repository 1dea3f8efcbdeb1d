#include <string>
#include <utility>

#include "lua/engine/rules_entry.h"

namespace sallyport::lua {

using policies::Action;
using policies::Verdict;

namespace {

Action action_of(const RuleFact& fact) {
  switch (fact.answer) {
    case RuleAnswer::reject:
      return Action::reject;
    case RuleAnswer::tempfail:
      return Action::tempfail;
    case RuleAnswer::discard:
      return Action::discard;
    case RuleAnswer::drop:
      return Action::drop;
    case RuleAnswer::tag:
      return Action::tag;
    case RuleAnswer::accept:
      return Action::accept;
    case RuleAnswer::quarantine:
      return Action::quarantine;
    case RuleAnswer::hit:
    case RuleAnswer::redirect:
    case RuleAnswer::override_check:
    case RuleAnswer::change:
      return Action::none;
    case RuleAnswer::error:
      break;
  }
  return fact.code == 0 ? Action::none : Action::tempfail;
}

// "rule_timeout at spam.lua:12"; else the rule's own words, or which verdict it gave where it has no words.
std::string reason_of(const RuleFact& fact) {
  if (fact.answer == RuleAnswer::error) return fact.detail + " at " + fact.file + ':' + std::to_string(fact.line);
  const std::string& words = fact.detail.empty() ? fact.text : fact.detail;
  // What else it changes is told beside it (checks/changes.h).
  const bool acts = action_of(fact) != Action::none;
  return words.empty() && acts ? std::string(word(fact.answer)) : words;
}

// What a rule says of a mail that has had its reply: recorded, and nothing else.
Verdict symbol_of(const RuleFact& fact) {
  Verdict verdict;
  verdict.shadow = fact.shadow;
  verdict.is_unknown = fact.answer == RuleAnswer::error;
  verdict.rule = fact.rule;
  verdict.because = reason_of(fact);
  return verdict;
}

}  // namespace

Verdict verdict_of(const RuleFact& fact) {
  Verdict verdict;
  verdict.action = action_of(fact);
  verdict.score = fact.answer == RuleAnswer::hit ? fact.score : 0;
  verdict.shadow = fact.shadow;
  verdict.is_unknown = fact.answer == RuleAnswer::error;
  verdict.rule = fact.rule;
  verdict.because = reason_of(fact);
  if (verdict.action == Action::reject || verdict.action == Action::tempfail) {
    verdict.code = fact.code;
    verdict.dsn = fact.dsn;
    verdict.text = fact.text;
  }
  verdict.close = verdict.action == Action::drop || verdict.code == 421;
  verdict.add_headers = fact.add_headers;
  verdict.header_edits = fact.header_edits;
  verdict.subject_prefix = fact.subject_prefix;
  verdict.redirect = fact.redirect;
  verdict.override_check = fact.override_check;
  verdict.override_to = fact.override_to;
  verdict.skip = fact.skip;
  return verdict;
}

void judge_rules(policies::Stage stage, const policies::Transaction&, const policies::Facts& facts, const RuleSettings&,
                 policies::Verdicts& out) {
  const RulesFacts* found = facts.find<RulesFacts>();
  if (!found) return;
  for (const RuleFact& fact : found->rules) {
    if (fact.stage == stage) out.add(stage == policies::Stage::done ? symbol_of(fact) : verdict_of(fact));
  }
}

}  // namespace sallyport::lua
