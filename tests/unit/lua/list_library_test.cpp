// sp.list, as rules use it.
#include "gateway/state/list_files.h"

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using std::chrono::minutes;

class RuleLists : public GatherTest {
 protected:
  RuleLists() : lists(counters) { learned.of<RuleServices>().lists = &lists; }
  std::string detail() {
    gather();
    const std::vector<RuleFact> rules = found();
    return rules.empty() ? "silent" : rules.front().detail;
  }

  state::ListFiles lists;
  const std::string source =
      "local sp = require 'sallyport'\n"
      "local known = sp.list { file = 'known.txt', kind = 'domain' }\n"
      "sp.rule { name = 'r', stage = 'message', run = function(tx) return sp.hit { detail = known.kind .. known.size "
      ".. "
      "tostring(known:contains(tx.from.domain)) .. tostring(known:contains('\\0\\n')) } end }\n";
};

TEST_F(RuleLists, AreAskedByRulesAndChangeWhileTheyRun) {
  write("known.txt", "example.org\nexample.net\n");
  use(source);
  EXPECT_EQ(detail(), "domain2truefalse");
  write("known.txt", "example.com\n");
  lists.look(log);
  lists.look(log);
  EXPECT_EQ(detail(), "domain1falsefalse");
}

TEST_F(RuleLists, AreReadWithoutAnybodyWhoWatches) {
  learned.of<RuleServices>().lists = nullptr;
  write("known.txt", "example.org\n");
  use(source);
  EXPECT_EQ(detail(), "domain1truefalse");
}

TEST_F(RuleLists, OfWebServersAreEmptyUntilTheyHaveAnswered) {
  settings.http = {"web.example:8443"};
  settings.http_ca = "/ca.pem";
  use("local sp = require 'sallyport'\n"
      "local known = sp.list { url = 'https://web.example:8443/list', kind = 'domain', refresh = '10m' }\n"
      "sp.rule { name = 'r', stage = 'message', run = function(tx) return sp.hit { detail = tostring(known.loaded) .. "
      "tostring(known:contains(tx.from.domain)) } end }\n");
  EXPECT_EQ(detail(), "falsefalse");
  std::vector<state::UrlLists::Due> due = lists.urls().due(loop.now());
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].question.url, "https://web.example:8443/list");
  EXPECT_EQ(due[0].question.hosts, settings.http);
  EXPECT_EQ(due[0].question.ca_file, "/ca.pem");
  const auto outcome = lists.urls().taking(due[0].list, io::HttpAnswer{200, {}, "example.org\n"})();
  lists.urls().note(*due[0].list, outcome, loop.now(), log);
  EXPECT_EQ(detail(), "truetrue");
  EXPECT_TRUE(lists.urls().due(loop.now() + minutes(9)).empty());
  EXPECT_EQ(lists.urls().due(loop.now() + minutes(10)).size(), 1u);
}

TEST_F(RuleLists, OfWebServersThatMayNotBeAskedDoNotLoad) {
  settings.http = {"web.example:8443"};
  for (const char* options :
       {"url = 'https://web.example/list'", "url = 'https://elsewhere.example:8443/list'", "url = 'file:///etc/passwd'",
        "url = 'https://web.example:8443/list', file = 'known.txt'", "file = 'known.txt', refresh = '1h'",
        "url = 'https://web.example:8443/list', refresh = '0s'", "url = 'https://web.example:8443/a\\nb'"}) {
    write("known.txt", "example.org\n");
    write("r.lua", "local list = require('sallyport').list { " + std::string(options) + ", kind = 'domain' }");
    EXPECT_EQ(load_errors().size(), 1u) << options;
  }
  EXPECT_TRUE(lists.urls().due(loop.now()).empty());
}

TEST_F(RuleLists, ThatAreBrokenAreErrorsOfTheFile) {
  write("known.txt", "example.org\nno domain\n");
  write("r.lua", source);
  std::vector<std::string> errors = load_errors();
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_THAT(errors[0], testing::HasSubstr("known.txt: line 2: not a domain name"));
  EXPECT_THAT(errors[0], testing::StartsWith("r.lua:2:"));
  for (const char* options :
       {"{ file = 'missing.txt', kind = 'domain' }", "{ file = 'known.txt', kind = 'thing' }", "{ file = 'known.txt' }",
        "{ kind = 'word' }", "{ file = 'a\\0b', kind = 'word' }", "{}"}) {
    write("r.lua", "local list = require('sallyport').list " + std::string(options));
    EXPECT_EQ(load_errors().size(), 1u) << options;
  }
}

}  // namespace
}  // namespace sallyport::lua
