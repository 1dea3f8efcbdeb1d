#include "gateway/cli/configuration.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ostream>
#include <set>
#include <utility>

#include "gateway/config/in_public.h"

namespace sallyport::cli {

void print_errors(const config::ConfigErrors& errors, const Console& console) {
  for (const config::ConfigError& error : errors) console.err << error.to_string() << "\n";
  const auto is_missing = [](const config::ConfigError& error) {
    return error.at.line == 0 && error.message.find("No such file") != std::string::npos;
  };
  if (std::any_of(errors.begin(), errors.end(), is_missing))
    console.err << "sallyport: `sallyport init` writes a first configuration; -c FILE names one that is elsewhere\n";
}

std::optional<config::Loaded> load_configuration(const std::string& config_file, const Console& console) {
  auto loaded = config::load(config_file, config::Disk());
  if (loaded) return std::move(*loaded);
  print_errors(loaded.error(), console);
  return std::nullopt;
}

bool owns_files(const config::Loaded& loaded, const std::string& config_file) {
  std::set<std::string> files{config_file};
  for (const config::Effective& value : loaded.values) {
    if (!value.origin.is_default()) files.insert(value.origin.file);
  }
  return std::all_of(files.begin(), files.end(), [](const std::string& file) {
    struct ::stat about {};
    return ::stat(file.c_str(), &about) == 0 && about.st_uid == ::geteuid();
  });
}

config::Loaded as_reader_may_see(config::Loaded loaded, const std::string& config_file) {
  return owns_files(loaded, config_file) ? std::move(loaded) : config::in_public(std::move(loaded));
}

}  // namespace sallyport::cli
