// The Lua rules as a policy: its gathering runs the rules of a stage, and its judge gives one verdict for each rule
// that has returned something or failed.
//
// How several verdicts combine is decided in gateway/checks/disposition.h: the strictest counts, header fields of all
// tags are added, and an accept names checks that no longer count.
#pragma once

#include "lua/engine/facts.h"
#include "lua/engine/settings.h"
#include "policies/api/entry.h"

namespace sallyport::lua {

extern const policies::PolicyEntry rules_entry;

// Makes the verdict that a rule's fact asks for; its `shadow` is the rule's own mode. A failed rule gives an unknown
// verdict, with a tempfail when the rule's on_error asks for one.
policies::Verdict verdict_of(const RuleFact& fact);

// Adds the verdict of every rule fact whose stage is `stage`. Pure.
void judge_rules(policies::Stage stage, const policies::Transaction& mail, const policies::Facts& facts,
                 const RuleSettings& settings, policies::Verdicts& out);

// `result` and `fact` are those of the deciding rule, the strictest of the enforced ones; `details` lists the others.
policies::Explained explain_rules(const policies::Transaction& mail, const policies::Facts& facts,
                                  const RuleSettings& settings);

}  // namespace sallyport::lua
