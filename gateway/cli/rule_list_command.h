// `sallyport rule list`: the rules of the configuration, or of a directory, stage by stage in the order in which they
// run.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command rule_list_entry;

}  // namespace sallyport::cli
