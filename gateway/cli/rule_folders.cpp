#include "gateway/cli/rule_folders.h"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/files.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

std::vector<RuleFolder> folders_of(const config::Settings& settings) {
  std::vector<RuleFolder> folders;
  const lua::RuleSettings& common = settings.policy.of(lua::rules_section);
  if (common.has_rules()) folders.push_back({"", common});
  for (const auto& [name, tenant] : settings.tenants) {
    const lua::RuleSettings& own = config::policy_of(settings, tenant).of(lua::rules_section);
    if (&own != &common && own.has_rules()) folders.push_back({name, own});
  }
  return folders;
}

bool is_same(const std::string& a, const std::string& b) {
  std::error_code error;
  return fs::equivalent(a, b, error) && !error;
}

}  // namespace

std::optional<std::vector<RuleFolder>> rule_folders(const std::string& named, const std::string& config_file,
                                                    const Console& console, int& exit) {
  std::error_code error;
  const bool has_none = config_file == default_config_file && !fs::exists(config_file, error);
  const std::string path = named.empty() && has_none ? "." : named;
  if (path.empty()) {
    const auto loaded = load_configuration(config_file, console);
    if (!loaded) {
      exit = exit_code::configuration;
      return {};
    }
    auto folders = folders_of(*loaded->settings);
    if (!folders.empty()) return folders;
    console.err << "sallyport: " << config_file
                << " has neither policy.rules.path nor policy.rules.shipped; name a directory of rules\n";
    exit = exit_code::usage;
    return {};
  }
  if (!fs::is_directory(path, error)) {
    console.err << "sallyport: " << path << " is no directory\n";
    exit = exit_code::no_input;
    return {};
  }
  const config::Outcome outcome = config::read_configuration(config_file, config::Disk());
  if (outcome.errors.empty()) {
    for (RuleFolder& folder : folders_of(*outcome.loaded.settings)) {
      if (is_same(folder.settings.path, path)) return std::vector{std::move(folder)};
    }
  }
  RuleFolder folder;
  folder.settings.path = path;
  return std::vector{std::move(folder)};
}

void print_load_errors(const std::vector<lua::LoadError>& errors, const Console& console) {
  for (const lua::LoadError& error : errors) {
    if (!error.file.empty()) console.err << error.file << ":";
    if (error.line > 0) console.err << error.line << ":" << std::max(error.column, 1) << ":";
    console.err << (error.file.empty() ? "error: " : " error: ") << error.message << "\n";
  }
}

}  // namespace sallyport::cli
