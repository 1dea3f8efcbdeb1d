// `sallyport config explain KEY`: what a key, or all of a section, means.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ConfigExplainOptions {
  std::string config_file = default_config_file;
  std::string key;
};

// Shows the current values too when the configuration can be read; when not, says so and succeeds all the same.
int config_explain_command(const ConfigExplainOptions& options, const Console& console);
extern const Command config_explain_entry;

}  // namespace sallyport::cli
