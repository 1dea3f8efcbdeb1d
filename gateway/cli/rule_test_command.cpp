#include "gateway/cli/rule_test_command.h"

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <string>

#include "gateway/cli/exit_code.h"
#include "gateway/cli/rule_folders.h"
#include "lua/trial/run_tests.h"
#include "policies/policy_list.h"

namespace sallyport::cli {
namespace {

namespace fs = std::filesystem;

struct RuleTestOptions {
  std::string path;
  std::string config_file = default_config_file;
  std::string junit;
  bool watch = false;
};

void declare(Syntax& syntax, RuleTestOptions& options) {
  syntax.optional_argument("PATH", "A directory of rules, or one file of tests; else those of the configuration",
                           options.path);
  syntax.config_file(options.config_file);
  syntax.value({"--junit", "FILE", "Write the results there as JUnit's XML, too"}, options.junit);
  syntax.flag("--watch", "Run the tests again whenever a file changes, until interrupted", options.watch);
}

// The directory of the path, and the file of tests that it names.
struct Asked {
  std::string folder;
  std::string only;
};

Asked asked_by(const RuleTestOptions& options) {
  std::error_code error;
  if (options.path.empty() || !fs::is_regular_file(options.path, error)) return {options.path, ""};
  const fs::path path(options.path);
  return {path.has_parent_path() ? path.parent_path().string() : ".", path.filename().string()};
}

// A rule file that does not load, as a test that fails, for programs that read nothing but the results.
lua::TestResult as_failure(const lua::LoadError& error) {
  lua::TestResult result;
  result.file = error.file.empty() ? "rules" : fs::path(error.file).filename().string();
  result.name = "loads";
  result.line = error.line;
  result.failures.push_back({result.file, error.line, error.message});
  return result;
}

bool write_junit(const std::string& file, const lua::TestReport& report, const Console& console) {
  if (file.empty()) return true;
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << lua::to_junit(report);
  out.close();
  if (!out.fail()) return true;
  console.err << "sallyport: " << file << " cannot be written\n";
  return false;
}

int run_once(const RuleTestOptions& options, const std::vector<RuleFolder>& folders, const std::string& only,
             const Console& console) {
  lua::TestReport all;
  lua::TestReport not_loaded;
  for (const RuleFolder& folder : folders) {
    auto report = lua::run_tests(folder.settings, policies::policy_names(), only);
    if (!report) {
      print_load_errors(report.error(), console);
      for (const lua::LoadError& error : report.error()) not_loaded.results.push_back(as_failure(error));
      continue;
    }
    all.results.insert(all.results.end(), report->results.begin(), report->results.end());
  }
  const bool loaded = not_loaded.passed();
  not_loaded.results.insert(not_loaded.results.end(), all.results.begin(), all.results.end());
  if (!write_junit(options.junit, not_loaded, console)) return exit_code::io;
  if (loaded && all.results.empty()) {
    console.err << "sallyport: there are no tests (*_test.lua) beside the rules\n";
    return only.empty() ? exit_code::ok : exit_code::no_input;
  }
  if (!all.results.empty()) console.out << lua::to_text(all) << std::flush;
  return loaded && all.passed() ? exit_code::ok : exit_code::not_passed;
}

enum class Files : std::uint8_t {
  sources,  // Lua and stored mails, which a run of the tests only reads
  others,   // such as lists; what the run writes may stand beside them
};

// What changes when such a file of the directories does.
std::string state_of(const std::vector<RuleFolder>& folders, Files which) {
  std::string state;
  for (const RuleFolder& folder : folders) {
    std::vector<std::string> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder.settings.path, error), end; !error && entry != end;
         entry.increment(error)) {
      const fs::path type = entry->path().extension();
      if ((type == ".lua" || type == ".eml") != (which == Files::sources)) continue;
      std::error_code gone;
      const auto changed = entry->last_write_time(gone).time_since_epoch().count();
      const std::uintmax_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
      files.push_back(entry->path().string() + " " + std::to_string(changed) + " " + std::to_string(size) + "\n");
      if (files.size() >= 10'000) break;
    }
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) state += file;
  }
  return state;
}

// Waits half a second. True: the user wants it to end.
bool is_interrupted() {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  const timespec half_a_second{0, 500'000'000};
  return sigtimedwait(&ends, nullptr, &half_a_second) > 0;
}

int watch(const RuleTestOptions& options, const std::vector<RuleFolder>& folders, const std::string& only,
          const Console& console) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigprocmask(SIG_BLOCK, &ends, nullptr);
  while (true) {
    const std::string sources = state_of(folders, Files::sources);
    const int status = run_once(options, folders, only, console);
    const std::string others = state_of(folders, Files::others);
    do {
      if (is_interrupted()) return status;
    } while (state_of(folders, Files::sources) == sources && state_of(folders, Files::others) == others);
  }
}

int run_rule_tests(const RuleTestOptions& options, const Console& console) {
  const Asked asked = asked_by(options);
  int exit = exit_code::ok;
  const auto folders = rule_folders(asked.folder, options.config_file, console, exit);
  if (!folders) return exit;
  return options.watch ? watch(options, *folders, asked.only, console)
                       : run_once(options, *folders, asked.only, console);
}

}  // namespace

const Command rule_test_entry{"rule test", "Run the tests (*_test.lua) that stand beside rules",
                              make_invocation<RuleTestOptions, declare, run_rule_tests>};

}  // namespace sallyport::cli
