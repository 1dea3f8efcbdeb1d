#include "gateway/cli/rule_test_errors.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "lua/trial/run_tests.h"
#include "policies/policy_list.h"

namespace sallyport::cli {

config::ConfigErrors failing_rule_tests(const lua::RuleSettings& settings) {
  config::ConfigErrors errors;
  if (!settings.run_tests || settings.path.empty() || lua::find_tests(settings.path).empty()) return errors;
  const auto tested = lua::run_tests(settings, policies::policy_names());
  if (!tested) return errors;
  for (const lua::TestResult& result : tested->results) {
    for (const lua::TestFailure& failure : result.failures) {
      const std::string file = (std::filesystem::path(settings.path) / failure.file).string();
      const std::string words = result.name.empty() ? std::string() : "the test \"" + result.name + "\" fails: ";
      const auto line = static_cast<std::uint32_t>(std::max(failure.line, 1));
      errors.push_back({{file, line, 1}, words + failure.message});
    }
  }
  return errors;
}

}  // namespace sallyport::cli
