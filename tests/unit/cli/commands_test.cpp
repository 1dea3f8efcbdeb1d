// The commands as a shell sees them: exit status, stdout and stderr.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "gateway/cli/check_command.h"
#include "gateway/cli/config_diff_command.h"
#include "gateway/cli/config_explain_command.h"
#include "gateway/cli/config_schema_command.h"
#include "gateway/cli/config_show_command.h"
#include "gateway/cli/exit_code.h"
#include "gateway/cli/reload_command.h"
#include "gateway/cli/stats_command.h"

namespace sallyport::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class CommandsTest : public testing::Test {
 protected:
  CommandsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "sallyport-app-XXXXXX").string();
    directory_ = ::mkdtemp(name.data()) != nullptr ? name : std::string();
    file_ = write("sallyport.toml",
                  "hostname = \"mx1.example.com\"\ndomains = [\"example.com\"]\nupstream = \"10.0.0.5:25\"\n"
                  "state.path = \"state\"\n");
    append("user = \"nobody\"\nlisten = [{ address = \"127.0.0.77:25025\" }]\n");
  }
  ~CommandsTest() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  void append(const std::string& text) { std::ofstream(file_, std::ios::app) << text; }

  std::string directory_;
  std::string file_;
  std::ostringstream out_;
  std::ostringstream err_;
  Console console_{out_, err_};
};

TEST_F(CommandsTest, CheckOfAGoodFile) {
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::ok);
  EXPECT_EQ(out_.str(), "ok: 1 listener, 1 upstream, 0 lists, 0 rules\n");
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(CommandsTest, CheckCountsWhatThereIs) {
  std::filesystem::create_directory(directory_ + "/rules");
  write("rules/a.lua",
        "local sp = require 'sallyport'\n"
        "for i = 1, 3 do sp.rule { name = 'R' .. i, stage = 'message', run = function() end } end\n");
  append(
      "[policy.rules]\npath = \"rules\"\n[policy.dnsbl]\nzones.\"a.example\".score = 9\nzones.b.score = 9\n"
      "[tenants.acme]\ndomains = [\"acme.example\"]\npolicy.dnsbl.zones.\"a.example\".score = 8\n"
      "policy.dnsbl.zones.\"c.example\".score = 8\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::ok);
  EXPECT_EQ(out_.str(), "ok: 1 listener, 1 upstream, 3 lists, 3 rules\n");
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(CommandsTest, CheckWarnsOfFilesThatAreNotRead) {
  std::filesystem::create_directories(directory_ + "/rules/more");
  write("rules/more/b.lua", "");
  write("rules/a.lua.disabled", "");
  write("rules/c.rules", "sp.rule { name = 'C' }\n");
  write("rules/README.md", "Our rules\n");
  append("[policy.rules]\npath = \"rules\"\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::ok);
  for (const char* name : {"/more", "/a.lua.disabled", "/c.rules"})
    EXPECT_THAT(err_.str(), HasSubstr(file_ + ":8:1: warning: " + directory_ + "/rules" + name + " is not read"));
  EXPECT_THAT(err_.str(), HasSubstr("has no file of rules"));
  EXPECT_THAT(err_.str(), testing::Not(HasSubstr("README")));
}

// What policies say of their settings: each text has one fault.
TEST_F(CommandsTest, CheckWarnsOfWhatCanNeverTakeEffect) {
  const struct {
    const char* text;
    const char* warning;  // empty: none
  } cases[] = {
      {"[policy.actions]\nquarantine = 20", "policy.actions.quarantine has no effect"},
      {"[policy.actions]\ntag = 12", "policy.actions.tag has no effect: at that score mail is set aside"},
      {"[policy.actions]\ntag = 1\nquarantine = 2\nreject = 3", ""},
      {"[policy.dnsbl]\nreject_at = 9\nzones.\"a.example\".score = 3\nzones.\"b.example\".score = 4.5",
       "come to 7.5 even together"},
      {"[policy.dnsbl]\nreject_at = 7.5\nzones.\"a.example\".score = 3\nzones.\"b.example\".score = 4.5", ""},
      {"[policy.dnsbl]\nreject_at = 5", "no list is asked"},
      {"[policy.dnsbl]\nskip = [\"0.0.0.0/1\", \"128.0.0.0/1\"]\nzones.\"a.example\".score = 9",
       "with an IPv4 address is looked up"},
      {"[policy.dnsbl]\nzones.\"list.dnswl.org\".score = -5", "none of which `reply` has"},
      {"[policy.dnsbl.zones.\"list.dnswl.org\"]\nscore = -5\nreply = [\"127.0.2.0-127.0.20.3\"]", ""},
      {"[policy.rate]\nskip = [\"::/0\"]", "with an IPv6 address is limited"},
      {"[tenants.acme]\ndomains = [\"acme.example\"]\npolicy.actions.reject = 3", "tenants.acme.policy.actions"},
  };
  const std::string before = file_;
  for (const auto& one : cases) {
    std::ifstream good(before);
    const std::string text((std::istreambuf_iterator<char>(good)), {});
    const std::string file = write("one.toml", text + one.text + "\n");
    err_.str("");
    EXPECT_EQ(check_command({file, false}, console_), exit_code::ok) << one.text;
    if (*one.warning == 0) {
      EXPECT_THAT(err_.str(), IsEmpty()) << one.text;
    } else {
      EXPECT_THAT(err_.str(), testing::AllOf(HasSubstr(": warning: "), HasSubstr(one.warning))) << one.text;
    }
  }
}

TEST_F(CommandsTest, CheckFindsErrorsOfTextAndFilesInOneRun) {
  append("wokers = 2\n[tls]\ncert = \"nowhere\"\n[policy.rules]\npath = \"norules\"\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(out_.str(), IsEmpty());
  EXPECT_THAT(err_.str(), HasSubstr(file_ + ":7:1: error: unknown key \"wokers\""));
  EXPECT_THAT(err_.str(), HasSubstr(file_ + ":9:1: error: "));
  EXPECT_THAT(err_.str(), HasSubstr("nowhere/"));
  EXPECT_THAT(err_.str(), HasSubstr("norules"));
}

TEST_F(CommandsTest, CheckReportsRulesAtTheirOwnLine) {
  std::filesystem::create_directory(directory_ + "/rules");
  const std::string rule = write("rules/bad.lua", "local x = 1\nthis is no Lua\n");
  append("[policy.rules]\npath = \"rules\"\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(err_.str(), HasSubstr(rule + ":2:"));
  EXPECT_THAT(err_.str(), HasSubstr(": error: "));
}

TEST_F(CommandsTest, CheckOfAFileThatIsNotThere) {
  EXPECT_EQ(check_command({"/nonexistent/s.toml", false}, console_), exit_code::configuration);
  EXPECT_EQ(err_.str(),
            "/nonexistent/s.toml: error: cannot read: No such file or directory\nsallyport: `sallyport init` writes a "
            "first configuration; -c FILE names one that is elsewhere\n");
}

TEST_F(CommandsTest, CheckForPrograms) {
  append("wokers = 2\n");
  EXPECT_EQ(check_command({file_, true}, console_), exit_code::configuration);
  EXPECT_THAT(out_.str(), HasSubstr("\"ok\": false"));
  EXPECT_THAT(out_.str(), HasSubstr("\"line\": 7"));
  EXPECT_THAT(err_.str(), IsEmpty());
}

TEST_F(CommandsTest, CheckOfPlacesThatAreSomethingElse) {
  write("state", "a file");
  append("log.target = \"file:none/x.log\"\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(err_.str(), HasSubstr(file_ + ":4:7: error: " + directory_ + "/state is not a directory"));
  EXPECT_THAT(err_.str(), HasSubstr(file_ + ":7:5: error: there is no directory " + directory_ + "/none"));
}

TEST_F(CommandsTest, ShowIsDataOrErrors) {
  EXPECT_EQ(config_show_command({file_, false}, console_), exit_code::ok);
  EXPECT_THAT(out_.str(), HasSubstr("hostname = \"mx1.example.com\""));
  EXPECT_THAT(err_.str(), IsEmpty());
  append("wokers = 2\n");
  EXPECT_EQ(config_show_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(err_.str(), HasSubstr("wokers"));
}

TEST_F(CommandsTest, ShowOfOneTenant) {
  append("[tenants.acme]\ndomains = [\"acme.example\"]\npolicy.spf.on_fail = \"reject\"\n");
  EXPECT_EQ(config_show_command({file_, false, "acme"}, console_), exit_code::ok);
  EXPECT_THAT(out_.str(), HasSubstr("[tenants.acme.policy.spf]"));
  EXPECT_THAT(out_.str(), HasSubstr("on_fail = \"reject\""));
  EXPECT_THAT(out_.str(), testing::Not(HasSubstr("hostname")));
  EXPECT_EQ(config_show_command({file_, true, "acme"}, console_), exit_code::ok);
  EXPECT_THAT(out_.str(), HasSubstr("\"tenants.acme.policy.spf.on_fail\": {"));
  EXPECT_THAT(err_.str(), IsEmpty());
  EXPECT_EQ(config_show_command({file_, false, "acne"}, console_), exit_code::usage);
  EXPECT_THAT(err_.str(), HasSubstr("there is no tenant named \"acne\"; did you mean \"acme\"?"));
}

TEST_F(CommandsTest, CheckOfWhatATenantNames) {
  append(
      "[tenants.acme]\ndomains = [\"acme.example\"]\n"
      "policy.arc.seal = { domain = \"a.example\", selector = \"s\", key = { file = \"none.pem\" } }\n"
      "policy.rules.path = \"norules\"\n");
  EXPECT_EQ(check_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(err_.str(), testing::ContainsRegex(file_ + ":9:[0-9]+: error: [^\n]*none.pem"));
  EXPECT_THAT(err_.str(), testing::ContainsRegex(file_ + ":10:[0-9]+: error: [^\n]*norules"));
}

TEST_F(CommandsTest, ReloadWithoutADaemon) {
  EXPECT_EQ(reload_command({file_}, console_), exit_code::unavailable);
  EXPECT_THAT(err_.str(), HasSubstr("cannot be reached at " + directory_ + "/state/control.sock"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(CommandsTest, ReloadLooksForTheSocketBehindErrors) {
  // The parser notices the table that is there already only behind its heading.
  append("log = { }\nwokers = 2\n[log]\nlevel = \"info\"\n[limits]\nhops = = 3\nhops 4\n");
  EXPECT_EQ(reload_command({file_}, console_), exit_code::configuration);
  EXPECT_THAT(err_.str(), HasSubstr(file_ + ":"));
  EXPECT_THAT(err_.str(), HasSubstr("cannot be reached at " + directory_ + "/state/control.sock"));
}

TEST_F(CommandsTest, DiffWithoutADaemon) {
  EXPECT_EQ(config_diff_command({file_, false}, console_), exit_code::unavailable);
  EXPECT_THAT(err_.str(), HasSubstr(directory_ + "/state/control.sock"));
  append("wokers = 2\n");
  EXPECT_EQ(config_diff_command({file_, false}, console_), exit_code::configuration);
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(CommandsTest, ExplainNeedsNoConfiguration) {
  EXPECT_EQ(config_explain_command({"/nonexistent/s.toml", "limits.hops"}, console_), exit_code::ok);
  EXPECT_THAT(out_.str(), HasSubstr("limits.hops"));
  EXPECT_THAT(err_.str(), HasSubstr("current values are not shown"));
}

TEST_F(CommandsTest, ExplainOfAnUnknownKey) {
  EXPECT_EQ(config_explain_command({file_, "limits.hosp"}, console_), exit_code::usage);
  EXPECT_THAT(err_.str(), HasSubstr("did you mean \"hops\"?"));
  EXPECT_THAT(out_.str(), IsEmpty());
}

TEST_F(CommandsTest, SchemaIsJson) {
  EXPECT_EQ(config_schema_command({}, console_), exit_code::ok);
  EXPECT_THAT(out_.str(), HasSubstr("\"$schema\""));
}

TEST_F(CommandsTest, StatsWithoutADaemon) {
  EXPECT_EQ(stats_command({file_, false}, console_), exit_code::unavailable);
  EXPECT_THAT(err_.str(), HasSubstr(directory_ + "/state/control.sock"));
  EXPECT_THAT(err_.str(), HasSubstr("Is it running"));
}

}  // namespace
}  // namespace sallyport::cli
