#include "gateway/cli/command_list.h"

#include <array>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/cli/check_command.h"
#include "gateway/cli/config_diff_command.h"
#include "gateway/cli/config_explain_command.h"
#include "gateway/cli/config_schema_command.h"
#include "gateway/cli/config_show_command.h"
#include "gateway/cli/dmarc_report_command.h"
#include "gateway/cli/docs_command.h"
#include "gateway/cli/drain_command.h"
#include "gateway/cli/explain_command.h"
#include "gateway/cli/init_command.h"
#include "gateway/cli/lists_command.h"
#include "gateway/cli/lua_command.h"
#include "gateway/cli/reload_command.h"
#include "gateway/cli/report_command.h"
#include "gateway/cli/rule_list_command.h"
#include "gateway/cli/rule_new_command.h"
#include "gateway/cli/rule_reference_command.h"
#include "gateway/cli/rule_test_command.h"
#include "gateway/cli/sessions_command.h"
#include "gateway/cli/sink_command.h"
#include "gateway/cli/stats_command.h"
#include "gateway/cli/top_command.h"
#include "gateway/cli/upgrade_command.h"
#include "gateway/cli/upstreams_command.h"

namespace sallyport::cli {
namespace {

constexpr std::array commands{
    &check_entry,         &config_show_entry,  &config_explain_entry,  &config_schema_entry, &config_diff_entry,
    &stats_entry,         &top_entry,          &sessions_entry,        &upstreams_entry,     &lists_entry,
    &reload_entry,        &drain_entry,        &upgrade_entry,         &explain_entry,       &rule_test_entry,
    &rule_list_entry,     &rule_new_entry,     &rule_reference_entry,  &rule_stubs_entry,    &lua_entry,
    &dmarc_report_entry,  &sink_entry,         &report_entry,          &init_entry,          &docs_commands_entry,
    &docs_settings_entry, &docs_replies_entry, &docs_completion_entry,
};

constexpr std::array groups{
    std::pair<std::string_view, std::string_view>{"config", "Look at the configuration"},
    std::pair<std::string_view, std::string_view>{"rule", "Rules in Lua"},
    std::pair<std::string_view, std::string_view>{"docs", "Manual pages, and completion for shells"},
    std::pair<std::string_view, std::string_view>{"dmarc", "Aggregate reports to the domains that ask for them"},
};

}  // namespace

std::span<const Command* const> command_list() { return commands; }

std::string_view group_about(std::string_view group) {
  for (const auto& [name, about] : groups) {
    if (name == group) return about;
  }
  ensure(false, "command list: a group of commands without a line for --help");
  return {};
}

}  // namespace sallyport::cli
