// The facts of the Lua rules: what each rule that ran has returned, or how it failed, and what the rules have asked of
// the DNS. Filled by the gathering (rules_gathering.h), in the order of the rules; read by judge_rules() and
// explain_rules(). A rule that returned nil or false leaves no fact but its lookups.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/dns/answer.h"
#include "policies/api/facts.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace lua {

// What a rule has returned, or `error` when its run failed.
enum class RuleAnswer : std::uint8_t { reject, tempfail, discard, drop, tag, accept, hit, error };

}  // namespace lua

template <>
inline constexpr auto words_of<lua::RuleAnswer> =
    std::to_array<std::string_view>({"reject", "tempfail", "discard", "drop", "tag", "accept", "hit", "error"});

namespace lua {

struct RuleFact {
  std::string rule;
  policies::Stage stage = policies::Stage::connect;
  RuleAnswer answer = RuleAnswer::hit;
  int code = 0;  // reply code that the rule asks for; of an error: 451 when its on_error is tempfail, else 0
  std::string dsn;
  std::string text;  // reply text (reject, tempfail) or reason (discard)
  double score = 0;  // of a hit only
  std::string detail;
  std::string file;  // of an error: the rule file
  int line = 0;
  std::string error;  // what of its text is no content of a mail (fixed_text.h)
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::string subject_prefix;
  std::vector<std::string> skip;  // the checks named in sp.accept{skip = {...}}
  bool shadow = false;            // the rule's own mode is "shadow"

  template <class V>
  void fields(V& visit) {
    visit("rule", rule);
    visit("stage", stage);
    visit("verdict", answer);
    visit("code", code);
    visit("dsn", dsn);
    visit("text", text);
    visit("score", score);
    visit("detail", detail);
    visit("file", file);
    visit("line", line);
    visit("error", error);
    visit("add_headers", add_headers);
    visit("subject_prefix", subject_prefix);
    visit("skip", skip);
    visit("shadow", shadow);
  }
};

// A question that a rule has asked, with its answer. Of a DNS list the name is without what may be a key.
struct RuleLookup {
  std::string rule;
  policies::Stage stage = policies::Stage::connect;
  dns::Evidence asked;

  template <class V>
  void fields(V& visit) {
    visit("rule", rule);
    visit("stage", stage);
    visit("asked", asked);
  }
};

struct RulesFacts {
  std::vector<RuleFact> rules;
  std::vector<RuleLookup> lookups;  // each question of a rule once

  template <class V>
  void fields(V& visit) {
    visit("rules", rules);
    visit("lookups", lookups);
  }
};

extern const policies::FactsType rules_facts;

}  // namespace lua

namespace policies {

template <>
inline const FactsType& type_of<lua::RulesFacts>() {
  return lua::rules_facts;
}

}  // namespace policies

}  // namespace sallyport
