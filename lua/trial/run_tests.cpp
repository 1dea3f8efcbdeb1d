#include "lua/trial/run_tests.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>

#include "gateway/base/directory.h"
#include "lua/engine/engine.h"
#include "lua/trial/library.h"
#include "lua/trial/test_state.h"

namespace sallyport::lua {

namespace {

namespace fs = std::filesystem;

constexpr Duration cpu_of_a_file = std::chrono::seconds(5);
constexpr Duration time_of_all = std::chrono::seconds(20);  // until no further file is begun
constexpr std::uint64_t memory_of_a_file = 256u << 20;
constexpr std::uint64_t most_block_octets = 16u << 20;

// Executes one file of tests; the first of the results is the file's own.
std::vector<TestResult> run_file(RuleSet& rules, TrialLists& lists, const std::string& folder,
                                 const std::string& name) {
  lists.reset();
  TestBench bench{rules, lists, folder, {}, {}, 0};
  bench.results.push_back({name, "", 0, 0, {}, {}});
  RuleSettings settings;
  settings.cpu = cpu_of_a_file;
  settings.memory = memory_of_a_file;
  Engine engine(settings);
  lua_State* L = engine.L;
  set_up_state(L, bench);
  lua_State* thread = lua_newthread(L);
  if (!push_chunk(thread, folder, name)) {
    take_error(thread, bench);
    return std::move(bench.results);
  }
  Meter& meter = engine.context.meter;
  int results = 0;
  meter.start(thread, {cpu_of_a_file, memory_of_a_file, most_block_octets});
  const int status = lua_resume(thread, L, 0, &results);
  meter.stop();
  if (meter.breach() != Breach::none) {
    const Place place = meter.place();
    const char* what = meter.breach() == Breach::time     ? "the tests take longer than 5 s"
                       : meter.breach() == Breach::memory ? "the tests take more than 256 MiB"
                                                          : "calls nest too deeply";
    bench.results[bench.current].failures.push_back({place.line > 0 ? place.file : name, place.line, what});
  } else if (status == LUA_YIELD) {
    bench.results[0].failures.push_back({name, find_place(thread).line, "a file of tests cannot yield"});
  } else if (status != LUA_OK) {
    take_error(thread, bench);
  }
  return std::move(bench.results);
}

}  // namespace

std::vector<std::string> find_tests(const std::string& folder) {
  std::vector<std::string> names;
  Directory directory(folder);
  while (const auto entry = directory.next()) {
    std::string name(*entry);
    std::error_code no_type;
    if (name.ends_with("_test.lua") && fs::is_regular_file(fs::path(folder) / name, no_type))
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<TestReport, std::vector<LoadError>> run_tests(const RuleSettings& settings,
                                                     std::span<const std::string_view> checks,
                                                     const std::string& only) {
  TrialLists lists;
  const RuleServices while_loading{nullptr, nullptr, &lists};
  auto rules = RuleSet::load(settings, checks, &while_loading);
  if (!rules) return std::move(rules).error();
  TestReport report;
  if (settings.path.empty()) return report;
  const auto begun = std::chrono::steady_clock::now();
  for (const std::string& name : find_tests(settings.path)) {
    if (!only.empty() && name != only) continue;
    if (std::chrono::steady_clock::now() - begun > time_of_all) {
      report.results.push_back({name, "", 0, 0, {}, {{name, 0, "not run: the tests before it took more than 20 s"}}});
      continue;
    }
    std::vector<TestResult> of_file = run_file(**rules, lists, settings.path, name);
    const bool is_quiet = of_file[0].passed() && (of_file[0].checks == 0 || of_file.size() > 1);
    if (is_quiet) of_file.erase(of_file.begin());
    std::move(of_file.begin(), of_file.end(), std::back_inserter(report.results));
  }
  return report;
}

}  // namespace sallyport::lua
