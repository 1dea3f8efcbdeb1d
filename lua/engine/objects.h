// The Lua values that a rule works with: tx (the mail) with everything reached through it, addresses, and verdicts.
//
// They are userdata that rules can read but not change. A field of tx is read from the Transaction when the rule asks
// for it. Reading a field that does not exist raises an error instead of giving nil: with nil, a misspelt name would
// make a rule that never fires.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/facts.h"
#include "lua/engine/lua_api.h"
#include "policies/api/transaction.h"

namespace sallyport::lua {

// What a verdict constructor (sp.reject and others) returns: the fact without the rule's name and stage, which
// RuleSet::run() adds.
struct RuleVerdict {
  RuleFact fact;
  bool has_score = false;  // of a hit: false means that the rule's declared score is used
};

// Creates the metatables. To be called once for each state, before any of the functions below.
void register_objects(lua_State* L);

// Pushes tx. `mail` must live until Context::run changes, that is, until the run is over; using the value in a later
// run raises an error.
void push_transaction(lua_State* L, const policies::Transaction& mail);
void push_verdict(lua_State* L, RuleVerdict verdict);
// Gives the verdict at `index`, or null when the value there is not a verdict.
const RuleVerdict* to_verdict(lua_State* L, int index);

// Creates a metatable registered under `name` and leaves it on the stack. Rules cannot read or change the metatable of
// values that have it.
void push_new_metatable(lua_State* L, const char* name);

// Raises the error about an unknown field. `planned`: the message says that this version does not have it yet;
// otherwise it suggests the most similar name of `known`.
[[noreturn]] void raise_unknown(lua_State* L, std::string_view owner, std::string_view name, bool planned,
                                const std::vector<std::string>& known);

}  // namespace sallyport::lua
