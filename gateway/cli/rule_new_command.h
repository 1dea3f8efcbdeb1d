// `sallyport rule new NAME`: writes a rule to start from, with its test, both with comments.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command rule_new_entry;

}  // namespace sallyport::cli
