// The tests of rules as who loads rules needs them: what fails, each with its place.
#pragma once

#include "gateway/config/load.h"
#include "lua/engine/rule_set.h"

namespace sallyport::cli {

// Runs the tests of the rule path, unless the settings ask for none. Empty: none has failed, or the rules do not load,
// which is told by who loads them. It blocks as run_tests() does.
config::ConfigErrors failing_rule_tests(const lua::RuleSettings& settings);

}  // namespace sallyport::cli
