// Reads the mails that tests make.
#pragma once

#include <string>

#include "lua/engine/lua_api.h"
#include "lua/trial/trial_mail.h"

namespace sallyport::lua {

// Makes a mail from the table at index 1, which is the argument of t.mail (library.cpp) and has been checked; a Lua
// error says what is wrong with it. `folder` is where an `eml` file is looked for, and only there.
TrialMail read_trial_mail(lua_State* L, const std::string& folder);

}  // namespace sallyport::lua
