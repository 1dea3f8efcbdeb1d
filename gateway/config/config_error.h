// The position of a setting in the files, and an error about it: the types of gateway/settings/config_error.h under
// this folder's namespace.
#pragma once

#include "gateway/settings/config_error.h"

namespace sallyport::config {

using settings::ConfigError;
using settings::ConfigErrors;
using settings::Origin;

}  // namespace sallyport::config
