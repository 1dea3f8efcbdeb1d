#include <string>
#include <tuple>
#include <utility>

#include "gateway/base/score_text.h"
#include "lua/engine/rules_entry.h"

namespace sallyport::lua {

namespace {

std::string describe(const RuleFact& fact) {
  std::string words = fact.rule + ": " + std::string(word(fact.answer));
  for (const std::string* more : {&fact.text, &fact.detail}) {
    if (!more->empty()) words += ", " + *more;
  }
  if (!fact.redirect.empty()) words += ", to " + fact.redirect;
  if (!fact.override_check.empty()) {
    const std::string_view to = fact.override_to == policies::Action::none ? "relay" : word(fact.override_to);
    words.append(", ").append(fact.override_check).append(" to ").append(to);
  }
  for (const auto& [name, value] : fact.add_headers) words += ", adds " + name;
  for (const policies::HeaderEdit& edit : fact.header_edits) {
    words += (edit.value ? ", replaces " : ", removes ") + edit.name;
  }
  if (fact.score != 0) words += " (score " + score_text(fact.score) + ")";
  if (!fact.file.empty()) words += " at " + fact.file + ":" + std::to_string(fact.line);
  if (!fact.error.empty()) words += ": " + fact.error;
  if (fact.shadow) words += " (shadow)";
  return words;
}

// What decides before: an enforced rule before one in shadow, then the stricter, then the one that counts more.
bool decides_before(const RuleFact& a, const RuleFact& b) {
  const auto weight = [](const RuleFact& fact) {
    return std::make_tuple(!fact.shadow, verdict_of(fact).action, fact.score);
  };
  return weight(a) > weight(b);
}

}  // namespace

policies::Explained explain_rules(const policies::Transaction&, const policies::Facts& facts, const RuleSettings&) {
  const RulesFacts found = facts.get<RulesFacts>();
  if (found.rules.empty()) return {"quiet", "", {}};
  const RuleFact* first = &found.rules.front();
  for (const RuleFact& fact : found.rules) {
    if (decides_before(fact, *first)) first = &fact;
  }
  policies::Explained explained{std::string(word(first->answer)), describe(*first), {}};
  for (const RuleFact& fact : found.rules) {
    if (&fact != first) explained.details.push_back(describe(fact));
  }
  return explained;
}

}  // namespace sallyport::lua
