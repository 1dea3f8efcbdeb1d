#include "gateway/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iterator>
#include <set>
#include <sstream>

#include "gateway/cli/check_command.h"
#include "gateway/cli/command_list.h"
#include "gateway/cli/config_diff_command.h"
#include "gateway/cli/config_explain_command.h"
#include "gateway/cli/config_schema_command.h"
#include "gateway/cli/config_show_command.h"
#include "gateway/cli/dispatch.h"
#include "gateway/cli/dmarc_report_command.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/explain_command.h"
#include "gateway/cli/reload_command.h"
#include "gateway/cli/sink_command.h"
#include "gateway/cli/stats_command.h"
#include "gateway/cli/upstreams_command.h"

namespace sallyport::cli {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

using testing::Not;

// In the place of the daemon, which is no part of this folder.
struct RunOptions {
  std::string config_file = default_config_file;
};
void declare(Syntax& syntax, RunOptions& options) { syntax.config_file(options.config_file); }
int run_command(const RunOptions& options, const Console& console) {
  console.out << "run with " << options.config_file;
  return 42;
}
const Command run_entry{"run", "Serve in the foreground", make_invocation<RunOptions, declare, run_command>};

std::vector<const Command*> all_commands() {
  std::vector<const Command*> commands{&run_entry};
  commands.insert(commands.end(), command_list().begin(), command_list().end());
  return commands;
}

template <class Options>
Options parsed(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments, all_commands());
  if (const auto* leave = std::get_if<Leave>(&result)) {
    ADD_FAILURE() << leave->text;
    return {};
  }
  const auto* invocation =
      dynamic_cast<const InvocationOf<Options>*>(std::get<std::unique_ptr<Invocation>>(result).get());
  EXPECT_NE(invocation, nullptr) << "another command";
  return invocation != nullptr ? invocation->options : Options{};
}

Leave left(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments, all_commands());
  const auto* leave = std::get_if<Leave>(&result);
  EXPECT_NE(leave, nullptr);
  return leave != nullptr ? *leave : Leave{-1, {}};
}

std::vector<std::string> words_of(const Command& command) {
  std::istringstream name(command.name);
  return {std::istream_iterator<std::string>(name), {}};
}

TEST(CommandLine, TheConfigurationMayStandAnywhere) {
  EXPECT_EQ(parsed<RunOptions>({"run"}).config_file, default_config_file);
  EXPECT_EQ(parsed<RunOptions>({"run", "-c", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parsed<RunOptions>({"-c", "a.toml", "run"}).config_file, "a.toml");
  EXPECT_EQ(parsed<RunOptions>({"run", "--config=a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parsed<ConfigShowOptions>({"config", "show", "-c", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parsed<ConfigShowOptions>({"config", "-c", "a.toml", "show"}).config_file, "a.toml");
}

TEST(CommandLine, Commands) {
  EXPECT_FALSE(parsed<CheckOptions>({"check"}).json);
  EXPECT_TRUE(parsed<CheckOptions>({"check", "--json"}).json);
  EXPECT_TRUE(parsed<ConfigShowOptions>({"config", "show", "--json"}).json);
  EXPECT_EQ(parsed<ConfigExplainOptions>({"config", "explain", "limits.hops"}).key, "limits.hops");
  parsed<ConfigSchemaOptions>({"config", "schema"});
  EXPECT_EQ(parsed<ConfigShowOptions>({"config", "show", "--tenant", "acme"}).tenant, "acme");
  EXPECT_EQ(parsed<ConfigShowOptions>({"config", "show"}).tenant, "");
  EXPECT_TRUE(parsed<ConfigDiffOptions>({"config", "diff", "--json", "-c", "a.toml"}).json);
  EXPECT_TRUE(parsed<StatsOptions>({"stats", "--json", "-c", "x"}).json);
  EXPECT_TRUE(parsed<UpstreamsOptions>({"upstreams", "--json", "-c", "x"}).json);
  EXPECT_EQ(parsed<ReloadOptions>({"reload", "-c", "a.toml"}).config_file, "a.toml");
}

TEST(CommandLine, CheckTakesItsFileWithOrWithoutTheOption) {
  EXPECT_EQ(parsed<CheckOptions>({"check"}).config_file, default_config_file);
  EXPECT_EQ(parsed<CheckOptions>({"check", "-c", "a.toml"}).config_file, "a.toml");
  EXPECT_EQ(parsed<CheckOptions>({"check", "a.toml", "--json"}).config_file, "a.toml");
  EXPECT_EQ(parsed<CheckOptions>({"-c", "a.toml", "check"}).config_file, "a.toml");
}

TEST(CommandLine, EveryHelpNamesTheOptionForTheConfiguration) {
  std::set<std::string> groups;
  for (const Command* command : all_commands()) {
    std::vector<std::string> arguments = words_of(*command);
    if (arguments.size() > 1) groups.insert(arguments.front());
    arguments.push_back("--help");
    const Leave help = left(arguments);
    EXPECT_EQ(help.exit_status, exit_code::ok) << command->name;
    EXPECT_THAT(help.text, HasSubstr(command->about));
    EXPECT_THAT(help.text, HasSubstr("-c,--config FILE")) << command->name;
  }
  for (const std::string& group : groups)
    EXPECT_THAT(left({group, "--help"}).text, HasSubstr("-c,--config FILE")) << group;
}

// A script may give it to all commands alike.
TEST(CommandLine, ACommandThatReadsNoConfigurationMayBeGivenOne) {
  parsed<ConfigSchemaOptions>({"config", "schema", "-c", "a.toml"});
  EXPECT_TRUE(parsed<SinkOptions>({"-c", "a.toml", "sink", "--quiet"}).quiet);
}

TEST(CommandLine, DmarcReport) {
  EXPECT_EQ(parsed<DmarcReportOptions>({"dmarc", "report"}).day, "");
  const DmarcReportOptions all =
      parsed<DmarcReportOptions>({"dmarc", "report", "--day", "2026-11-22", "--dry-run", "-c", "x"});
  EXPECT_EQ(all.day, "2026-11-22");
  EXPECT_EQ(all.config_file, "x");
  EXPECT_TRUE(all.dry_run);
}

TEST(CommandLine, DispatchRunsTheCommandWithItsOptions) {
  std::ostringstream out;
  std::ostringstream err;
  EXPECT_EQ(dispatch({"run", "-c", "a.toml"}, {out, err}, {&run_entry}), 42);
  EXPECT_EQ(out.str(), "run with a.toml");
  EXPECT_EQ(dispatch({"walk"}, {out, err}, {&run_entry}), exit_code::usage);
  EXPECT_THAT(err.str(), HasSubstr("unknown command \"walk\""));
  out.str("");
  EXPECT_EQ(dispatch({"--help"}, {out, err}, {&run_entry}), exit_code::ok);
  EXPECT_THAT(out.str(), HasSubstr("Serve in the foreground"));
}

TEST(CommandLine, Explain) {
  const ExplainOptions plain = parsed<ExplainOptions>({"explain", "-", "-c", "x"});
  EXPECT_EQ(plain.message, "-");
  EXPECT_EQ(plain.config_file, "x");
  EXPECT_FALSE(plain.given.ip || plain.given.from || plain.given.tls || plain.json);
  const ExplainOptions all =
      parsed<ExplainOptions>({"explain", "--ip", "2001:db8::1", "--helo", "a.example", "--from", "", "--to",
                              "<bob@Example.COM>", "--to", "c@d.example", "m.eml", "--tls", "--json"});
  EXPECT_EQ(all.message, "m.eml");
  EXPECT_EQ(all.given.ip, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(all.given.helo, "a.example");
  EXPECT_EQ(all.given.from, "");
  EXPECT_EQ(all.given.to, (std::vector<std::string>{"bob@example.com", "c@d.example"}));
  EXPECT_TRUE(all.given.tls && all.json);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"explain"},
                                             {"explain", "m", "--ip", "here"},
                                             {"explain", "m", "--helo", "a b"},
                                             {"explain", "m", "--from", "a b@c"},
                                             {"explain", "m", "--to", ""}}) {
    EXPECT_EQ(left(wrong).exit_status, exit_code::usage);
  }
}

TEST(CommandLine, Sink) {
  const SinkOptions plain = parsed<SinkOptions>({"sink"});
  EXPECT_EQ(plain.listen.to_string(), "127.0.0.1:2600");
  EXPECT_TRUE(plain.pipelining && plain.chunking && plain.eight_bit_mime && plain.smtputf8 && plain.dsn);
  EXPECT_FALSE(plain.quiet);
  const SinkOptions all =
      parsed<SinkOptions>({"sink", "--listen", "[::1]:2601", "--reject-rcpt", "^bad", "--dump", "/tmp/d", "--max-size",
                           "10MiB", "--no-pipelining", "--no-chunking", "--no-8bitmime", "--no-smtputf8", "--no-dsn",
                           "--tls-cert", "certs/x", "--delay", "500ms", "--quiet"});
  EXPECT_EQ(all.listen.to_string(), "[::1]:2601");
  EXPECT_EQ(all.reject_recipient, "^bad");
  EXPECT_EQ(all.dump_directory, "/tmp/d");
  EXPECT_EQ(all.max_size, 10u << 20);
  EXPECT_FALSE(all.pipelining || all.chunking || all.eight_bit_mime || all.smtputf8 || all.dsn);
  EXPECT_EQ(all.tls_certificate, "certs/x");
  EXPECT_EQ(all.delay, std::chrono::milliseconds(500));
  EXPECT_TRUE(all.quiet);
}

TEST(CommandLine, HelpAndVersionAreData) {
  EXPECT_EQ(left({"--version"}).exit_status, exit_code::ok);
  EXPECT_THAT(left({"--version"}).text, StartsWith("sallyport "));
  EXPECT_EQ(left({"--help"}).exit_status, exit_code::ok);
  EXPECT_THAT(left({"--help"}).text, HasSubstr("config"));
  EXPECT_THAT(left({"sink", "--help"}).text, HasSubstr("--reject-rcpt"));
}

TEST(CommandLine, UsageErrors) {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"config"},
      {"config", "explain"},
      {"run", "-c"},
      {"run", "--nonsense"},
      {"run", "check"},
      {"check", "file", "another"},
      {"check", "file", "-c", "another"},
      {"run", "file"},
      {"run", "-c", "a.toml", "-c", "b.toml"},
      {"-c", "a.toml", "run", "-c", "b.toml"},
      {"dmarc", "report", "--day", "2026-02-30"},
      {"sink", "--listen", "localhost:25"},
      {"sink", "--delay", "soon"},
      {"sink", "--max-size", "big"},
      {"sink", "--reject-rcpt", "("},
  };
  for (const auto& arguments : wrong) {
    const Leave leave = left(arguments);
    EXPECT_EQ(leave.exit_status, exit_code::usage) << testing::PrintToString(arguments) << leave.text;
    EXPECT_THAT(leave.text, StartsWith("sallyport: "));
  }
}

TEST(CommandLine, UnknownCommands) {
  EXPECT_THAT(left({"chekc"}).text, HasSubstr("unknown command \"chekc\"; did you mean \"check\"?"));
  EXPECT_EQ(left({"chekc"}).exit_status, exit_code::usage);
  EXPECT_THAT(left({"-c", "f.toml", "frobnicate"}).text, HasSubstr("unknown command \"frobnicate\"\n"));
}

}  // namespace
}  // namespace sallyport::cli
