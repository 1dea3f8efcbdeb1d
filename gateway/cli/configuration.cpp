#include "gateway/cli/configuration.h"

#include <ostream>
#include <utility>

namespace sallyport::cli {

void print_errors(const config::ConfigErrors& errors, const Console& console) {
  for (const config::ConfigError& error : errors) console.err << error.to_string() << "\n";
}

std::optional<config::Loaded> load_configuration(const std::string& config_file, const Console& console) {
  auto loaded = config::load(config_file, config::Disk());
  if (loaded) return std::move(*loaded);
  print_errors(loaded.error(), console);
  return std::nullopt;
}

}  // namespace sallyport::cli
