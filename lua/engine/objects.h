// What a rule sees of a mail, and the values of ours that it makes: tx with all that hangs from it, addresses,
// verdicts.
//
// They are userdata that rules can read and not change. What is read from the Transaction is read when the rule asks
// for it. A field that does not exist is an error, never nil: a misspelt one would make a rule that never fires.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lua/engine/lua_api.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

namespace sallyport::lua {

// What a verdict constructor (sp.reject ...) gives: the fact that it stands for, but for the rule's name and stage.
struct RuleVerdict {
  policies::RuleFact fact;
  bool has_score = false;  // of a hit; without one the rule's score counts
};

// To be called once for a state.
void register_objects(lua_State* L);

// `mail` must stay until Context::run moves on; what is left of the value after that raises an error.
void push_transaction(lua_State* L, const policies::Transaction& mail);
void push_verdict(lua_State* L, RuleVerdict verdict);
// The verdict at `index`, or null when it is something else.
const RuleVerdict* to_verdict(lua_State* L, int index);

// Makes a metatable of this name whose values rules can neither look into nor change; leaves it on the stack.
void push_new_metatable(lua_State* L, const char* name);

// Raises the error about a name that is not there: `planned` ones will come in a later version.
[[noreturn]] void raise_unknown(lua_State* L, std::string_view owner, std::string_view name, bool planned,
                                const std::vector<std::string>& known);

}  // namespace sallyport::lua
