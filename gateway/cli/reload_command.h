// `sallyport reload`: lets the running daemon take its configuration anew. Exit status 0, with a line that says what is
// in force now; 78 and all errors when the daemon does not take it; 69: no answer, and no errors in the files either.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ReloadOptions {
  std::string config_file = default_config_file;
};

int reload_command(const ReloadOptions& options, const Console& console);
extern const Command reload_entry;

}  // namespace sallyport::cli
