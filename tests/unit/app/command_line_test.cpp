#include "gateway/app/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/app/exit_code.h"

namespace sallyport::app {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

template <class Options>
Options parsed(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments);
  if (const auto* leave = std::get_if<Leave>(&result)) {
    ADD_FAILURE() << leave->text;
    return {};
  }
  const auto* options = std::get_if<Options>(&std::get<Command>(result));
  EXPECT_NE(options, nullptr) << "another command";
  return options != nullptr ? *options : Options{};
}

Leave left(const std::vector<std::string>& arguments) {
  const auto result = parse_command_line(arguments);
  const auto* leave = std::get_if<Leave>(&result);
  EXPECT_NE(leave, nullptr);
  return leave != nullptr ? *leave : Leave{-1, {}};
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
  EXPECT_TRUE(parsed<StatsOptions>({"stats", "--json", "-c", "x"}).json);
}

TEST(CommandLine, Explain) {
  const ExplainOptions plain = parsed<ExplainOptions>({"explain", "-", "-c", "x"});
  EXPECT_EQ(plain.message, "-");
  EXPECT_EQ(plain.config_file, "x");
  EXPECT_FALSE(plain.ip || plain.from || plain.tls || plain.json);
  const ExplainOptions all =
      parsed<ExplainOptions>({"explain", "--ip", "2001:db8::1", "--helo", "a.example", "--from", "", "--to",
                              "<bob@Example.COM>", "--to", "c@d.example", "m.eml", "--tls", "--json"});
  EXPECT_EQ(all.message, "m.eml");
  EXPECT_EQ(all.ip, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(all.helo, "a.example");
  EXPECT_EQ(all.from, "");
  EXPECT_EQ(all.to, (std::vector<std::string>{"bob@example.com", "c@d.example"}));
  EXPECT_TRUE(all.tls && all.json);
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
      {"check", "file"},
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
}  // namespace sallyport::app
