// sp.list, as rules use it.
#include "gateway/state/list_files.h"

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

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
