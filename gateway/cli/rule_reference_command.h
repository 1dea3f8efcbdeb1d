// `sallyport rule reference` and `sallyport rule stubs`: what Lua rules can call and read, as a page and for editors.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command rule_reference_entry;
extern const Command rule_stubs_entry;

}  // namespace sallyport::cli
