#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "gateway/cli/command_description.h"
#include "gateway/cli/command_list.h"
#include "gateway/cli/completion.h"
#include "gateway/cli/docs_tables.h"
#include "gateway/cli/manual_page.h"
#include "gateway/config/settings_table.h"

namespace sallyport::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(CommandDescription, SaysWhatACommandDeclares) {
  const auto commands = describe(command_list());
  ASSERT_EQ(commands.size(), command_list().size());
  const auto explain =
      std::find_if(commands.begin(), commands.end(), [](const auto& one) { return one.name == "explain"; });
  ASSERT_NE(explain, commands.end());
  EXPECT_TRUE(explain->reads_configuration);
  ASSERT_FALSE(explain->arguments.empty());
  EXPECT_FALSE(explain->arguments.front().is_optional);
  const auto option = [&](std::string_view name) {
    const auto found = std::find_if(explain->options.begin(), explain->options.end(),
                                    [&](const DescribedOption& one) { return one.name == name; });
    return found == explain->options.end() ? DescribedOption{} : *found;
  };
  EXPECT_EQ(option("--tls").value, "");
  EXPECT_NE(option("--ip").value, "");
  EXPECT_FALSE(option("--ip").repeats);
  EXPECT_TRUE(option("--to").repeats);
}

TEST(CommandDescription, SplitsCommandsOfTwoWords) {
  EXPECT_EQ((CommandDescription{.name = "config show"}).group(), "config");
  EXPECT_EQ((CommandDescription{.name = "config show"}).word(), "show");
  EXPECT_EQ((CommandDescription{.name = "check"}).group(), "");
  EXPECT_EQ((CommandDescription{.name = "check"}).word(), "check");
}

TEST(ManualPage, HasEveryCommandWithItsOptions) {
  const auto commands = describe(command_list());
  const std::string page = manual_of_commands(commands);
  for (const CommandDescription& command : commands) {
    EXPECT_THAT(page, HasSubstr(".SS \"" + manual_text(command.name) + "\"\n"));
    for (const DescribedOption& option : command.options)
      EXPECT_THAT(page, HasSubstr("\\fB" + manual_text(option.name) + "\\fR")) << command.name;
  }
}

TEST(ManualPage, HasEverySetting) {
  const std::string page = manual_of_settings();
  for (const config::Key& key : config::settings_table())
    EXPECT_THAT(page, HasSubstr("\\fB" + manual_text(key.path) + "\\fR\n")) << key.path;
}

TEST(DocsTables, HaveEveryCommandAndSetting) {
  const auto commands = describe(command_list());
  const std::string of_commands = commands_json(commands);
  for (const CommandDescription& command : commands)
    EXPECT_THAT(of_commands, HasSubstr(R"({"name":")" + command.name + "\"")) << command.name;
  EXPECT_THAT(of_commands, HasSubstr(R"({"status":78,)"));
  EXPECT_THAT(of_commands, HasSubstr(R"({"name":"config","about":"Look at the configuration"})"));
  const std::string of_settings = settings_json();
  for (const config::Key& key : config::settings_table())
    EXPECT_THAT(of_settings, HasSubstr(R"({"key":")" + key.path + "\"")) << key.path;
  EXPECT_THAT(of_settings, HasSubstr(R"("default":null)"));
}

TEST(ManualPage, TakesNothingOfATextForARequest) {
  EXPECT_EQ(manual_text(".so /etc/passwd"), "\\&.so /etc/passwd");
  EXPECT_EQ(manual_text("'x"), "\\&'x");
  EXPECT_EQ(manual_text("a\\fB-b"), "a\\efB\\-b");
  EXPECT_EQ(manual_text("two\n.lines"), "two .lines");
}

TEST(Completion, HasEveryCommandForEachShell) {
  const auto commands = describe(command_list());
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell, commands);
    ASSERT_TRUE(script);
    for (const CommandDescription& command : commands) EXPECT_THAT(*script, HasSubstr(command.word())) << shell;
  }
  EXPECT_FALSE(completion_script("tcsh", commands));
}

TEST(Completion, QuotesWhatIsWrittenInACommandsWords) {
  CommandDescription command{.name = "odd", .about = "It's $(rm) [x]: `y`"};
  command.options.push_back({.name = "--why", .about = "It's: [z]"});
  for (const char* shell : {"zsh", "fish"}) {
    const auto script = completion_script(shell, std::vector{command});
    ASSERT_TRUE(script);
    EXPECT_THAT(*script, HasSubstr("It'\\''s")) << shell;
    EXPECT_THAT(*script, Not(HasSubstr("It's"))) << shell;
  }
}

}  // namespace
}  // namespace sallyport::cli
