// Rules as the gateway runs them: through their policy, on a loop, with a table of DNS records.
#pragma once

#include "lua/engine/rules_entry.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"
#include "tests/unit/lua/fixture.h"

namespace sallyport::lua {

using policies::Stage;
using policies::Verdict;

class NoRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

class GatherTest : public RulesTest {
 protected:
  // A rule whose function is `body`.
  static std::string rule(const std::string& name, const std::string& body, const std::string& more = "") {
    return "require('sallyport').rule { name = '" + name + "', stage = 'message', score = 1, " + more +
           " run = function(tx) local sp = require 'sallyport' " + body + " end }\n";
  }

  Result<std::unique_ptr<policies::Gatherer>> prepare() {
    return rules_entry.prepare(&settings, {learned, rates, suffixes, own});
  }
  void use(const std::string& source) {
    write("r.lua", source);
    auto prepared = prepare();
    ASSERT_TRUE(prepared) << prepared.error().message;
    gatherer = std::move(*prepared);
  }
  // How long the DNS takes to answer; zero: it answers at once, as from the cache.
  void dns_takes(Duration delay) { resolver = support::TableResolver(resolver.zone(), loop.scheduler(), delay); }
  policies::GatherContext context() { return {loop.scheduler(), resolver, counters, log, deadline, body_hashes}; }
  void gather(Stage stage = Stage::message) {
    if (!gatherer) return;  // use() has failed
    const policies::GatherContext at_hand = context();
    const auto gathering = gatherer->begin();
    loop.run_until_done(gathering->gather(stage, mail, facts, at_hand));
  }
  std::vector<Verdict> judge(Stage stage = Stage::message) {
    policies::Verdicts said;
    said.speaks(rules_entry.name, stage, rules_entry.mode(&settings));
    rules_entry.judge(stage, mail, facts, &settings, said);
    return said.take();
  }
  std::vector<Verdict> verdicts_of(const std::string& source) {
    use(source);
    gather();
    return judge();
  }
  // Of rules of which one at most has something to say.
  Verdict verdict_of(const std::string& source) {
    const std::vector<Verdict> said = verdicts_of(source);
    EXPECT_LE(said.size(), 1u);
    return said.empty() ? Verdict() : said.front();
  }
  std::vector<RuleFact> found() const { return facts.get<RulesFacts>().rules; }

  support::ManualLoop loop;
  support::TableResolver resolver;
  NoRates rates;
  PublicSuffixList suffixes;
  policies::Learned learned;
  policies::OwnNames own;
  Counters counters;
  support::LinesLog log;
  std::vector<signature::BodyHash> body_hashes;
  Time deadline = loop.now() + std::chrono::seconds(20);
  policies::Facts facts;
  std::unique_ptr<policies::Gatherer> gatherer;
};

}  // namespace sallyport::lua
