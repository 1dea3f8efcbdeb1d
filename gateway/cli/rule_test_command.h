// `sallyport rule test [PATH]`: runs the tests that stand beside rules. PATH is a directory or one file of tests; else
// the directories of the configuration.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command rule_test_entry;

}  // namespace sallyport::cli
