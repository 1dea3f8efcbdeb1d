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
#include "policies/api/verdict.h"

namespace sallyport {

namespace lua {

// What a rule has returned, or `error` when its run failed.
enum class RuleAnswer : std::uint8_t {
  reject,
  tempfail,
  discard,
  drop,
  tag,
  accept,
  hit,
  error,
  quarantine,
  redirect,
  override_check,
  change,  // nothing, but its run has changed the header
};

}  // namespace lua

template <>
inline constexpr auto words_of<lua::RuleAnswer> =
    std::to_array<std::string_view>({"reject", "tempfail", "discard", "drop", "tag", "accept", "hit", "error",
                                     "quarantine", "redirect", "override", "change"});

namespace lua {

struct RuleFact {
  std::string rule;
  policies::Stage stage = policies::Stage::connect;
  RuleAnswer answer = RuleAnswer::hit;
  int code = 0;  // reply code that the rule asks for; of an error: 451 when its on_error is tempfail, else 0
  std::string dsn;
  std::string text;  // reply text (reject, tempfail) or reason (discard, quarantine, override)
  double score = 0;  // of a hit only
  std::string detail;
  std::string file;  // of an error: the rule file
  int line = 0;
  std::string error;  // what of its text is no content of a mail (fixed_text.h)
  std::vector<std::pair<std::string, std::string>> add_headers;
  std::vector<policies::HeaderEdit> header_edits;
  std::string subject_prefix;
  std::string redirect;        // the upstream of sp.redirect
  std::string override_check;  // the check of sp.override, and what its verdicts become
  policies::Action override_to = policies::Action::none;
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
    visit("header_edits", header_edits);
    visit("subject_prefix", subject_prefix);
    visit("redirect", redirect);
    visit("override_check", override_check);
    visit("override_to", override_to);
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
