// `sallyport lua`: Lua as rules have it, a line at a time, with an invented or a stored mail as tx. Nothing real is
// asked. Exit status 0; 1 when a line of -e or of a pipe has failed.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command lua_entry;

}  // namespace sallyport::cli
