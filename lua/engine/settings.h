// Settings of the Lua rules (contract.md, policy.rules; budgets of threats.md L1-L3).
#pragma once

#include <cstdint>
#include <string>

#include "gateway/base/units.h"
#include "policies/api/stage.h"

namespace sallyport::lua {

// What becomes of a mail when a rule fails or breaks its budget.
enum class OnError : std::uint8_t { skip, tempfail };

struct RuleSettings {
  std::string path;  // a directory of *.lua files; empty: no rules
  policies::Mode mode = policies::Mode::enforce;
  OnError on_error = OnError::tempfail;
  Duration cpu = std::chrono::milliseconds(50);  // per run
  std::uint64_t memory = 16u << 20;              // octets per run
};

}  // namespace sallyport::lua
