// `report`: a summary of the log for people, or with --json for programs.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command report_entry;

}  // namespace sallyport::cli
