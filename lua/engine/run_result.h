// How the run of one rule ended.
#pragma once

#include <cstdint>

#include "lua/engine/facts.h"

namespace sallyport::lua {

struct RunResult {
  enum class Kind : std::uint8_t {
    silent,   // it returned nil, false or nothing
    verdict,  // it returned true or a verdict; see `fact`
    error,    // a runtime error, or it returned something that is not a verdict
    timeout,
    memory,
  };
  Kind kind = Kind::silent;
  RuleFact fact;  // complete for a verdict; else only rule, stage, shadow, and where it failed (file, line)
};

}  // namespace sallyport::lua
