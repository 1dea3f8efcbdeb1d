// sp.http, as rules use it, over a client that answers after a while.
#include "gateway/async/wait.h"
#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

using std::chrono::seconds;

// Says "200" with the path as its content, after `delay`.
class SlowHttp final : public io::HttpClient {
 public:
  explicit SlowHttp(async::Scheduler& scheduler) : scheduler_(scheduler) {}
  Task<Result<io::HttpAnswer>> ask(io::HttpQuestion question, io::Resolver&, Time deadline) override {
    asked.push_back(question);
    const Time end = scheduler_.now() + delay;
    if (end > deadline) {
      co_await async::sleep_for(scheduler_, deadline - scheduler_.now());
      co_return Failure{"timeout"};
    }
    if (delay > Duration::zero()) co_await async::sleep_for(scheduler_, delay);
    co_return io::HttpAnswer{200, {{"x-a", "1"}, {"x-a", "2"}}, question.url};
  }

  Duration delay{};
  std::vector<io::HttpQuestion> asked;

 private:
  async::Scheduler& scheduler_;
};

class RuleHttp : public GatherTest {
 protected:
  RuleHttp() {
    learned.of<RuleServices>().http = &http;
    settings.http = {"web.example"};
    settings.http_ca = "/etc/authorities.pem";
  }
  std::string detail_of(const std::string& body) {
    use(rule("r", body, "on_error = 'skip',"));
    deadline = loop.now() + seconds(20);
    gather();
    const std::vector<RuleFact> rules = found();
    return rules.empty() ? "silent" : rules.front().detail;
  }

  SlowHttp http{loop.scheduler()};
};

TEST_F(RuleHttp, GivesTheAnswerToARuleThatWaits) {
  http.delay = seconds(1);
  EXPECT_EQ(detail_of("local a, err = sp.http.post('https://web.example/x', 'b\\0c', { headers = { ['X-K'] = 'v' } })\n"
                      "return sp.hit { detail = a.status .. a.body .. a.headers['x-a'] .. tostring(err) }"),
            "200https://web.example/x1, 2nil");
  ASSERT_EQ(http.asked.size(), 1u);
  const io::HttpQuestion& asked = http.asked.front();
  EXPECT_TRUE(asked.is_post);
  EXPECT_EQ(asked.body, std::string("b\0c", 3));
  EXPECT_EQ(asked.hosts, settings.http);
  EXPECT_EQ(asked.ca_file, settings.http_ca);
  ASSERT_EQ(asked.headers.size(), 1u);
  EXPECT_EQ(asked.headers.front().second, "v");
}

TEST_F(RuleHttp, WaitsFiveSecondsAndNotLongerThanItsMail) {
  http.delay = seconds(6);
  const Time begun = loop.now();
  EXPECT_EQ(detail_of("local a, err = sp.http.get('https://web.example/') return sp.hit { detail = err }"), "timeout");
  EXPECT_EQ(loop.now() - begun, seconds(5));
}

TEST_F(RuleHttp, TwentyQuestionsForOneMail) {
  EXPECT_EQ(detail_of("local t = {} for i = 1, 30 do t[i] = 'https://web.example/' .. i end\n"
                      "local found, errors = sp.each(t, sp.http.get) local n = 0\n"
                      "for i = 1, 30 do local a, err = sp.http.get(t[i]) if err == 'too_many' then n = n + 1 end end\n"
                      "return sp.hit { detail = tostring(n) }"),
            "30");
  EXPECT_EQ(http.asked.size(), 20u);
}

TEST_F(RuleHttp, MistakesAreErrors) {
  for (const char* call : {
           "sp.http.get()",
           "sp.http.get('https://web.example/\\0')",
           "sp.http.get('https://web.example/\\r\\nX: y')",
           "sp.http.get(('x'):rep(5000))",
           "sp.http.get('https://web.example/', { headers = { Host = 'x' } })",
           "sp.http.get('https://web.example/', { headers = { ['Transfer-Encoding'] = 'x' } })",
           "sp.http.get('https://web.example/', { headers = { ['X-A'] = 'a\\r\\nb' } })",
           "sp.http.get('https://web.example/', { headers = { ['X A'] = 'a' } })",
           "sp.http.get('https://web.example/', { headers = { 'a' } })",
           "sp.http.get('https://web.example/', { header = {} })",
           "sp.http.post('https://web.example/')",
           "sp.http.post('https://web.example/', {})",
       }) {
    EXPECT_EQ(
        detail_of("return sp.hit { detail = tostring((pcall(function() return " + std::string(call) + " end))) }"),
        "false")
        << call;
  }
  EXPECT_TRUE(http.asked.empty());
}

TEST_F(RuleHttp, ADroppedSessionNeverResumesARule) {
  http.delay = seconds(1);
  use(rule("r", "sp.http.get('https://web.example/1') sp.http.get('https://web.example/2')"));
  const policies::GatherContext at_hand = context();
  {
    const auto gathering = gatherer->begin();
    async::Nursery nursery(loop.scheduler());
    nursery.spawn(gathering->gather(Stage::message, mail, facts, at_hand));
    loop.run();
    EXPECT_EQ(http.asked.size(), 1u);
  }
  loop.advance(seconds(60));
  EXPECT_EQ(http.asked.size(), 1u);
  EXPECT_TRUE(found().empty());
  deadline = loop.now() + seconds(20);
  gather();
  EXPECT_EQ(http.asked.size(), 3u) << "the rule is as good as new";
}

TEST_F(RuleHttp, TenThousandWait) {
  http.delay = seconds(1);
  use(rule("r", "return sp.hit { detail = sp.http.get('https://web.example/').body }"));
  const policies::GatherContext at_hand = context();
  struct OneMail {
    policies::Facts facts;
    std::unique_ptr<policies::Gathering> gathering;
  };
  std::vector<OneMail> mails(10'000);
  async::Nursery nursery(loop.scheduler());
  for (OneMail& one : mails) {
    one.gathering = gatherer->begin();
    nursery.spawn(one.gathering->gather(Stage::message, mail, one.facts, at_hand));
  }
  loop.run();
  EXPECT_EQ(http.asked.size(), 10'000u);
  loop.advance(seconds(5));
  EXPECT_EQ(nursery.size(), 0u);
  std::size_t hits = 0;
  for (const OneMail& one : mails) hits += one.facts.get<RulesFacts>().rules.size();
  EXPECT_EQ(hits, 10'000u);
  EXPECT_EQ(counters.get(Fault::rule_memory) + counters.get(Fault::rule_error) + counters.get(Fault::rule_timeout), 0u);
}

TEST_F(RuleHttp, WithoutAClientItIsUnavailable) {
  learned.of<RuleServices>().http = nullptr;
  EXPECT_EQ(detail_of("local a, err = sp.http.get('https://web.example/') return sp.hit { detail = err }"),
            "unavailable");
}

}  // namespace
}  // namespace sallyport::lua
