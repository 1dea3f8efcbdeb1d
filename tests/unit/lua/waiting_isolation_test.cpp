// threats.md L6 for rules that wait: mails whose rules are in the same line of the same file at the same time see
// nothing of each other, however their waits interleave.
#include <random>

#include "gateway/async/wait.h"
#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using std::chrono::milliseconds;

// One mail with its own loop of stages; all share the rules and the loop.
struct OneMail {
  policies::Transaction mail;
  policies::Facts facts;
  std::unique_ptr<policies::Gathering> gathering;
};

// Answers after a time that depends on the name: "d30.example" after 30 ms.
class SlowResolver final : public io::Resolver {
 public:
  explicit SlowResolver(async::Scheduler& scheduler) : scheduler_(scheduler) {}
  Task<dns::Answer> lookup(dns::Question question, Time) override {
    const int delay = std::atoi(question.name.c_str() + 1);
    if (delay > 0) co_await async::sleep_for(scheduler_, milliseconds(delay));
    dns::Answer answer;
    answer.status = dns::Status::nxdomain;
    co_return answer;
  }

 private:
  async::Scheduler& scheduler_;
};

class WaitingIsolation : public GatherTest {
 protected:
  // Gathers for `count` mails at the same time; mail i has the id "mail-i". Gives the details of their hits.
  std::vector<std::string> details_of(const std::string& source, std::size_t count) {
    use(source);
    SlowResolver slow(loop.scheduler());
    const policies::GatherContext at_hand{loop.scheduler(), slow, counters, log, deadline, body_hashes};
    std::vector<OneMail> mails(count);
    {
      async::Nursery nursery(loop.scheduler());
      for (std::size_t i = 0; i < count; ++i) {
        mails[i].mail = mail;
        mails[i].mail.id = "mail-" + std::to_string(i);
        mails[i].gathering = gatherer->begin();
        nursery.spawn(mails[i].gathering->gather(Stage::message, mails[i].mail, mails[i].facts, at_hand));
      }
      loop.advance(std::chrono::seconds(10));
      EXPECT_EQ(nursery.size(), 0u);
    }
    std::vector<std::string> details;
    for (const OneMail& one : mails) {
      std::string all;
      for (const RuleFact& fact : one.facts.get<RulesFacts>().rules) all += fact.detail + ";";
      details.push_back(all);
    }
    return details;
  }
};

TEST_F(WaitingIsolation, GlobalsLocalsAndValuesOfTheMailAreTheRunsOwn) {
  const std::vector<std::string> details = details_of(R"lua(
    local sp = require 'sallyport'
    local count, last, nested = 0, nil, { f = nil }
    shared = 'loaded'
    local function bump(id) count = count + 1 last = id end
    local function make() local n = 0 return function() n = n + 1 return n end end
    local counter = make()
    local function look(ms) sp.dns.a('d' .. ms .. '.example') end
    local function body(tx, delay)
      local number = tonumber(tx.id:match('%d+'))
      own = tx.id
      bump(tx.id)
      look((number * 7 + delay) % 50)
      assert(shared == 'loaded') shared = tx.id
      assert(own == tx.id and last == tx.id and count == 1, 'of another')
      bump(tx.id) counter()
      look((number * 13 + delay) % 50)
      pcall(function() look((number * 3) % 20) error() end)
      assert(own == tx.id and last == tx.id and count == 2 and shared == tx.id and counter() == 2, 'of another')
      return sp.hit { detail = own .. count .. shared }
    end
    sp.rule { name = 'a', stage = 'message', run = function(tx) return body(tx, 1) end }
    sp.rule { name = 'b', stage = 'message', run = function(tx) return body(tx, 20) end }
    sp.rule { name = 'c', stage = 'message', run = function(tx) count = 99 shared = 'c' last = 'c' return nil end }
  )lua",
                                                      40);
  for (std::size_t i = 0; i < details.size(); ++i) {
    const std::string id = "mail-" + std::to_string(i);
    EXPECT_EQ(details[i], id + "2" + id + ";" + id + "2" + id + ";");
  }
}

TEST_F(WaitingIsolation, EnvironmentsThatAreReplacedAreTheRunsOwn) {
  write("m.lua", "local m = {} function m.set(x) _ENV = { leak = x } end function m.get() return leak end return m");
  const std::vector<std::string> details = details_of(R"lua(
    local sp = require 'sallyport'
    local m = require 'm'
    local tostring = tostring
    local function get() return mine end
    sp.rule { name = 'a', stage = 'message', run = function(tx)
      local before = tostring(mine) .. tostring(m.get())
      _ENV = { mine = tx.id }
      m.set(tx.id)
      sp.dns.a('d' .. (tx.id:byte(-1) % 10) .. '.example')
      return sp.hit { detail = before .. get() .. m.get() }
    end }
  )lua",
                                                      20);
  for (std::size_t i = 0; i < details.size(); ++i) {
    const std::string id = "mail-" + std::to_string(i);
    EXPECT_EQ(details[i], "nilnil" + id + id + ";");
  }
}

TEST_F(WaitingIsolation, AModuleForgetsTheEnvironmentThatARunGaveIt) {
  write("m.lua", "local m = {} function m.set(x) _ENV = { leak = x } end function m.get() return leak end return m");
  write("r.lua", "local m = require 'm'\n" +
                     rule_text("local before = tostring(m.get()) m.set(tx.id) return sp.hit { detail = before }"));
  load();
  EXPECT_EQ(run().fact.detail, "nil");
  EXPECT_EQ(run().fact.detail, "nil");
}

TEST_F(WaitingIsolation, AValueOfAnotherRunIsStale) {
  // One run hands its tx to nobody, as it has nowhere to put it; the closure of a library table is frozen.
  const std::vector<std::string> details = details_of(R"lua(
    local sp = require 'sallyport'
    local kept
    sp.rule { name = 'a', stage = 'message', run = function(tx)
      local before = kept and kept.id or 'none'
      kept = tx.client
      sp.dns.a('d' .. (tx.id:byte(-1) % 10) .. '.example')
      return sp.hit { detail = before .. kept.ip }
    end }
  )lua",
                                                      10);
  for (const std::string& detail : details) EXPECT_EQ(detail, "none192.0.2.7;");
}

TEST_F(WaitingIsolation, PatternsAndBudgetsAreTheRunsOwn) {
  const std::vector<std::string> details = details_of(R"lua(
    local sp = require 'sallyport'
    sp.rule { name = 'a', stage = 'message', run = function(tx)
      for i = 1, 10 do sp.re('a' .. i) end
      sp.dns.a('d' .. (tx.id:byte(-1) % 10) .. '.example')
      for i = 1, 6 do sp.re('a' .. i) end
      return sp.hit { detail = tostring(pcall(sp.re, 'x')) }
    end }
  )lua",
                                                      10);
  for (const std::string& detail : details) EXPECT_EQ(detail, "false;");
}

TEST_F(WaitingIsolation, ARunThatIsDroppedLeavesNothing) {
  use(R"lua(
    local sp = require 'sallyport'
    local count = 0
    sp.rule { name = 'a', stage = 'message', run = function(tx)
      count = count + 1
      left = tx.id
      if tx.id == 'first' then sp.dns.a('d40.example') end
      return sp.hit { detail = count .. tostring(left) }
    end }
  )lua");
  SlowResolver slow(loop.scheduler());
  const policies::GatherContext at_hand{loop.scheduler(), slow, counters, log, deadline, body_hashes};
  const auto gathering = gatherer->begin();
  mail.id = "first";
  {
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(gathering->gather(Stage::message, mail, facts, at_hand));
    loop.run();
  }
  mail.id = "second";
  gather();
  EXPECT_EQ(found().at(0).detail, "1second");
}

}  // namespace
}  // namespace sallyport::lua
