// Settings of the Lua rules (contract.md, policy.rules; budgets: threats.md L1-L3). The rows, with default values and
// ranges, are in settings.cpp.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/fields.h"
#include "gateway/base/units.h"
#include "gateway/settings/section.h"
#include "lua/engine/rule_mode.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace lua {

// What happens to a mail when a rule fails or exceeds its budget: `skip` ignores the rule, `tempfail` answers 451.
// `automatic`: tempfail for a rule whose file makes verdicts that refuse mail, skip for one that can only score and
// mark.
enum class OnError : std::uint8_t { skip, tempfail, automatic };

// What the settings say of one rule, or of the rules of one group.
struct RuleOverride {
  RuleMode mode;
};

// A list of texts that the settings have for rules (sp.setting).
struct RuleEntries {
  std::vector<std::string> entries;
};

struct RuleSettings {
  std::string path;                  // a directory of *.lua files; empty: none
  std::vector<std::string> shipped;  // names of rules of the program's own that are switched on (shipped_rules.h)
  RuleMode mode;                     // of all rules together
  OnError on_error = OnError::automatic;
  Duration cpu = std::chrono::milliseconds(50);            // per run
  Duration cpu_per_mail = std::chrono::milliseconds(500);  // of all runs for one mail
  std::uint64_t memory = 16u << 20;                        // octets per run
  bool run_tests = true;                                   // a directory whose *_test.lua fail is not loaded
  std::vector<std::string> http;                           // hosts that sp.http may ask: "host" or "host:port"
  std::string http_ca;                                     // authorities of their certificates; empty: the system's
  // By name. A rule's own comes before that of its group, and that before what its file says.
  std::map<std::string, RuleOverride> rules;
  std::map<std::string, RuleOverride> groups;
  std::map<std::string, RuleEntries> lists;  // by name

  bool has_rules() const { return !path.empty() || !shipped.empty(); }
};

// A setting of a rule or group that the rule path does not have.
struct UnusedSetting {
  std::string key;  // relative to the section: "rules.LOTERY.mode"
  std::string why;  // "there is no rule 'LOTERY'; did you mean 'LOTTERY'?"
};

extern const settings::SectionOf<RuleSettings> rules_section;

}  // namespace lua

template <>
inline constexpr auto words_of<lua::OnError> = std::to_array<std::string_view>({"skip", "tempfail", "auto"});

}  // namespace sallyport
