// What the author of a test for rules calls, as `local t = require "sallyport.test"`: t.test, t.mail, t.dns, t.http,
// t.now, t.run, t.check and t.equal. README.md of lua/ describes them.
//
// TestBench is what these functions work on, while one file of tests executes in its Lua state.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lua/engine/lua_api.h"
#include "lua/engine/rule_set.h"
#include "lua/trial/report.h"
#include "lua/trial/trial_lists.h"
#include "lua/trial/world.h"

namespace sallyport::lua {

struct TestBench {
  RuleSet& rules;
  TrialLists& lists;  // which the rules have been loaded with
  const std::string folder;
  World world;  // of the test that executes
  std::vector<TestResult> results;
  // The test that executes: an index into results. Between tests it is the file itself, whose result is the first.
  std::size_t current = 0;
  std::uint64_t mail_octets = 0;  // of the mails that t.mail has made and Lua has not yet destroyed
};

// Pushes the table that require "sallyport.test" gives. `bench` must outlive the state. The types of objects that its
// values have are registered, so it is called once for each state.
void push_test_library(lua_State* L, TestBench& bench);

// The mail at `index`, or null when the value there is none that t.mail has made.
const TrialMail* trial_mail_at(lua_State* L, int index);

// Adds the Lua error at the top of the stack to the result of the test that executes, and pops it. An error that
// t.check has raised is known already.
void take_error(lua_State* L, TestBench& bench);

}  // namespace sallyport::lua
