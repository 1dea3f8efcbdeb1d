// How the run of one rule ended.
#pragma once

#include <cstdint>
#include <string>

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
  bool was_given_up = false;  // a timeout because the mail's time was over, whatever this rule did
  // Of an error: the whole text, which may have content of the mail in it. For the author of a rule who runs it by
  // hand; never for the log or facts.
  std::string error;
  RuleFact fact;  // complete for a verdict; else only rule, stage, shadow, and where it failed (file, line)
};

}  // namespace sallyport::lua
