// What a rule in Lua costs: microseconds of CPU for one rule at one stage, through the policy as a session calls it.
//
//   lua_rules [RUNS]
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gateway/base/cpu_time.h"
#include "gateway/resolver/budget.h"
#include "gateway/resolver/cache.h"
#include "lua/engine/rules_entry.h"
#include "tests/support/lines_log.h"
#include "tests/support/manual_loop.h"

namespace sallyport {
namespace {

class CacheResolver final : public io::Resolver {
 public:
  CacheResolver(resolver::Cache& cache, async::Scheduler& scheduler) : cache_(cache), scheduler_(scheduler) {}
  Task<dns::Answer> lookup(dns::Question question, Time) override {
    auto known = cache_.find(question, scheduler_.now());
    co_return known ? std::move(*known) : dns::Answer{};
  }

 private:
  resolver::Cache& cache_;
  async::Scheduler& scheduler_;
};

class NoRates final : public io::RateStore {
 public:
  Task<io::RateAnswer> take(std::string, Rate) override { co_return io::RateAnswer{}; }
};

class Bench {
 public:
  explicit Bench(int runs) : runs_(runs) {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::exit(74);
    folder_ = pattern;
    mail_.id = "01JD3K7Q0123ABCD";
    mail_.client.ip = *IpAddress::parse("192.0.2.7");
    mail_.client.helo = "mail.example.org";
    mail_.from = MailAddress{"ann", "example.org"};
    mail_.rcpt = MailAddress{"bob", "example.com"};
    dns::Answer answer;
    answer.status = dns::Status::ok;
    answer.records.emplace_back(*IpAddress::parse("192.0.2.1"));
    cache_.put({"host.example", dns::Type::A}, answer, loop_.now(), loop_.now() + std::chrono::hours(1));
  }
  ~Bench() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  void measure(const char* name, const std::string& body, int rules = 1) {
    std::string source = "local sp = require 'sallyport' local re = sp.re('lottery')\n";
    for (int i = 0; i < rules; ++i) {
      source +=
          "sp.rule { name = 'r" + std::to_string(i) + "', stage = 'rcpt', run = function(tx) " + body + " end }\n";
    }
    std::ofstream(folder_ + "/r.lua") << source;
    lua::RuleSettings settings;
    settings.path = folder_;
    auto gatherer = lua::rules_entry.prepare(&settings, {learned_, rates_, suffixes_, own_});
    if (!gatherer) {
      std::fprintf(stderr, "%s\n", gatherer.error().message.c_str());
      std::exit(70);
    }
    const auto gathering = (*gatherer)->begin();
    gather(*gathering, runs_ / 10 + 1);
    const Duration before = thread_cpu_time();
    gather(*gathering, runs_);
    const double micros = std::chrono::duration<double, std::micro>(thread_cpu_time() - before).count();
    std::printf("%-28s %7.2f us\n", name, micros / runs_ / rules);
  }

 private:
  void gather(policies::Gathering& gathering, int times) {
    resolver::QuestionBudget budget;
    resolver::BudgetedResolver budgeted(dns_, budget, [] {});
    for (int i = 0; i < times; ++i) {
      Duration running_rules{};
      policies::GatherContext context{
          loop_.scheduler(), budgeted, counters_, log_, loop_.now() + std::chrono::seconds(20), body_hashes_};
      context.running_rules = &running_rules;
      loop_.run_until_done(gathering.gather(policies::Stage::rcpt, mail_, facts_, context));
    }
  }

  const int runs_;
  std::string folder_;
  support::ManualLoop loop_;
  resolver::Cache cache_{1000};
  CacheResolver dns_{cache_, loop_.scheduler()};
  NoRates rates_;
  PublicSuffixList suffixes_;
  policies::Learned learned_;
  policies::OwnNames own_;
  Counters counters_;
  support::LinesLog log_;
  std::vector<signature::BodyHash> body_hashes_;
  policies::Transaction mail_;
  policies::Facts facts_;
};

void run(int runs) {
  Bench bench(runs);
  bench.measure("nothing", "");
  bench.measure("nothing, of 20 rules", "", 20);
  bench.measure(
      "10 calls",
      "local c = tx.client return c.ip == tx.id or c.helo == 'x' or tx.from.domain == 'x' or tx.rcpt.user == 'x' "
      "or re:test(tx.from.addr)");
  bench.measure(
      "10 calls, of 20 rules",
      "local c = tx.client return c.ip == tx.id or c.helo == 'x' or tx.from.domain == 'x' or tx.rcpt.user == 'x' "
      "or re:test(tx.from.addr)",
      20);
  bench.measure("a cached DNS name", "local a = sp.dns.a('host.example') return a[1] == 'x'");
  bench.measure("two cached DNS names",
                "local a, b = sp.dns.a('host.example'), sp.dns.a('host.example') return a[1] ~= b[1]");
  bench.measure("each of 3 cached names",
                "local t = sp.each({ 'host.example', 'host.Example', 'HOST.example' }, sp.dns.a) return not next(t)");
}

}  // namespace
}  // namespace sallyport

int main(int count, char** arguments) {
  sallyport::run(count > 1 ? std::atoi(arguments[1]) : 200'000);
  return 0;
}
