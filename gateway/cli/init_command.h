// `init`: a first configuration from answers, and whether what they name works.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

extern const Command init_entry;

}  // namespace sallyport::cli
