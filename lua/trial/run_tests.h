// Runs the tests that stand beside rules: the files *_test.lua of the rule path.
//
// The rules run as in the gateway, with the same engine and budgets, in a world of which nothing is real (world.h). A
// test file executes in a Lua state of its own, without access to files, programs or the network, within 5 s of
// processor time and 256 MiB, and no file is begun after 20 s; each test begins with an empty DNS and the same clock.
// It blocks the calling thread, so it is not for the thread of a loop.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/result.h"
#include "lua/engine/settings.h"
#include "lua/engine/source_check.h"
#include "lua/trial/report.h"

namespace sallyport::lua {

// The tests of the directory settings.path, file by file, sorted by name. `only` is the name of one file of tests;
// empty: all of them. The error: the rules do not load. `checks` as in RuleSet::load().
Result<TestReport, std::vector<LoadError>> run_tests(const RuleSettings& settings,
                                                     std::span<const std::string_view> checks,
                                                     const std::string& only = {});

// The names of the directory's test files, sorted; none where it cannot be read.
std::vector<std::string> find_tests(const std::string& folder);

}  // namespace sallyport::lua
