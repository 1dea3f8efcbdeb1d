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
    std::printf("%-28s %7.2f us\n", name, micros_of(body, runs_, rules));
  }

  // A set of 1,000 expressions, on texts of 20 KB in which a few of them occur in part.
  void measure_set() {
    constexpr double octets = 20'000;
    const double micros = micros_of(
        "return set:test(text)", runs_ / 100 + 1, 1,
        "local parts, p = { 'ka', 'lo', 'mi', 'ter', 'pan', 'dor', 'vex', 'qui' }, {}\n"
        "local function part(n) return parts[n // 1 % 8 + 1] end\n"
        "for i = 1, 1000 do\n"
        "  local word = part(i) .. part(i / 8) .. part(i / 64) .. part(i / 512)\n"
        "  p[i] = ({ word .. '[0-9]{2,4}', '\\\\b' .. word .. '\\\\b.{0,20}end', word .. 'x+' })[i % 3 + 1]\n"
        "end\n"
        "local set = sp.re_set(p, 'i')\n"
        "local text = ('The quick brown fox jumps over the lazy dog, kalomi and vex. '):rep(400):sub(1, 20000)\n");
    std::printf("%-28s %7.0f MB/s\n", "1,000 expressions together", octets / micros);
  }

 private:
  // Of one run of one rule.
  double micros_of(const std::string& body, int runs, int rules, const std::string& more = "") {
    std::string source = "local sp = require 'sallyport' local re = sp.re('lottery')\n" + more;
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
    gather(*gathering, runs / 10 + 1);
    const Duration before = thread_cpu_time();
    gather(*gathering, runs);
    return std::chrono::duration<double, std::micro>(thread_cpu_time() - before).count() / runs / rules;
  }

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
  bench.measure_set();
}

}  // namespace
}  // namespace sallyport

int main(int count, char** arguments) {
  sallyport::run(count > 1 ? std::atoi(arguments[1]) : 200'000);
  return 0;
}
