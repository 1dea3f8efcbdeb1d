// The values that the gateway makes for rules: tx (the mail) with everything reached through it, addresses, and
// verdicts. Their fields and methods are in the binding table, in the files transaction_objects.cpp,
// message_object.cpp, address_object.cpp and verdict_library.cpp.
//
// They are userdata that rules can read but not change. A field of tx is read from the Transaction when the rule asks
// for it. Reading a field that does not exist raises an error instead of giving nil: with nil, a misspelt name would
// make a rule that never fires.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/mail_address.h"
#include "gateway/mail/address_list.h"
#include "lua/engine/bindings.h"
#include "lua/engine/facts.h"
#include "lua/engine/lua_api.h"
#include "policies/api/facts.h"
#include "policies/api/transaction.h"

namespace sallyport::lua {

// A value that stands for the mail, or for something of it, in one run.
struct Handle {
  const policies::Transaction* mail;
  std::uint64_t run;   // Context::run of the run it was made in
  std::uint32_t item;  // which of several of its type, such as the index of a part; else 0
};

// Pushes a handle of the type, which must be one with `is_handle`. `mail` must live until the run is over.
void push_handle(lua_State* L, const ObjectType& type, const policies::Transaction& mail, std::uint32_t item = 0);
// The handle at `index`, which must be one.
const Handle& handle_at(lua_State* L, int index);
// Raises an error when the handle at `index` is of a run that is over, or of another one.
void check_handle(lua_State* L, int index);
// The mail of the object at index 1, for Field::push and methods of a handle.
inline const policies::Transaction& mail_of(lua_State* L) { return *handle_at(L, 1).mail; }

// What the policies before the rules have found out of the current run's mail; valid until the end of the stage.
const policies::Findings& findings_of(lua_State* L);

// Pushes tx. `mail` must live until the run is over.
void push_transaction(lua_State* L, const policies::Transaction& mail);

// Pushes an address; `domain` is in lower case, `name` the display name or empty.
void push_address(lua_State* L, std::string_view addr, std::string_view user, std::string_view domain,
                  std::string_view name = {});
void push_mailbox(lua_State* L, const mail::Mailbox& mailbox);
// Adds addresses to the list on top of the stack.
void add_mailboxes(lua_State* L, const std::vector<mail::Mailbox>& mailboxes);
// Pushes an address of the mail's envelope, which must live until the run is over.
void push_address(lua_State* L, const MailAddress& address);

// Pushes the text, or nil when it is empty.
void push_or_nil(lua_State* L, std::string_view text);

// What a verdict constructor (sp.reject and others) returns: the fact without the rule's name and stage, which
// RuleSet::run() adds.
struct RuleVerdict {
  RuleFact fact;
  bool has_score = false;  // of a hit: false means that the rule's declared score is used
};

void push_verdict(lua_State* L, RuleVerdict verdict);
// Gives the verdict at `index`, or null when the value there is not a verdict.
const RuleVerdict* to_verdict(lua_State* L, int index);

}  // namespace sallyport::lua
