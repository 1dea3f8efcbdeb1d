// `sallyport check [FILE]`: the whole configuration with everything it names. "FILE: ok", or one line for each error.
//
// A file that cannot be read is an error of the configuration like any other (78): an administrator who asks whether
// the configuration is good gets one answer for every reason why it is not.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct CheckOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

int check_command(const CheckOptions& options, const Console& console);
extern const Command check_entry;

}  // namespace sallyport::cli
