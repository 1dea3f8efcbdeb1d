// Settings of the Lua rules (contract.md, policy.rules; budgets: threats.md L1-L3). The rows, with default values and
// ranges, are in settings.cpp.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/base/units.h"
#include "gateway/settings/section.h"
#include "policies/api/stage.h"

namespace sallyport {

namespace lua {

// What happens to a mail when a rule fails or exceeds its budget: `skip` ignores the rule, `tempfail` answers 451.
enum class OnError : std::uint8_t { skip, tempfail };

struct RuleSettings {
  std::string path;  // a directory of *.lua files; empty: no rules
  policies::Mode mode = policies::Mode::enforce;
  OnError on_error = OnError::tempfail;
  Duration cpu = std::chrono::milliseconds(50);            // per run
  Duration cpu_per_mail = std::chrono::milliseconds(500);  // of all runs for one mail
  std::uint64_t memory = 16u << 20;                        // octets per run
};

extern const settings::SectionOf<RuleSettings> rules_section;

}  // namespace lua

template <>
inline constexpr auto words_of<lua::OnError> = std::to_array<std::string_view>({"skip", "tempfail"});

}  // namespace sallyport
