// Several sessions of several workers ask lists at the same time: what they share is one question, one answer, and one
// state of the list's health (threats.md D8, D10).
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/resolver/shared_queries.h"
#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_table.h"
#include "tests/unit/policies/policy_world.h"
#include "tests/unit/resolver/world.h"

namespace sallyport::policies {
namespace {

using namespace std::chrono_literals;
using support::DnsPacket;

// What the name server does with a question.
enum class Mood : std::uint8_t { lists, clears, silent, fails, errs, another_answers };

struct Crowd {
  std::size_t workers;
  std::size_t sessions;
};

class SharedAnswers : public testing::TestWithParam<Crowd> {
 protected:
  SharedAnswers() {
    world_.network.set_responder([this](SocketAddress, std::string_view query) { return answer(query); });
    settings_.zones["list.example"].score = 9;
    for (std::size_t i = 0; i < GetParam().workers; ++i) {
      auto worker = std::make_unique<Worker>(*this);
      workers_.push_back(std::move(worker));
    }
  }
  ~SharedAnswers() override { sessions_.clear(); }

  struct Worker {
    explicit Worker(SharedAnswers& test)
        : resolver(test.world_.loop.scheduler(), test.world_.network, test.world_.dialer, test.world_.cache,
                   test.world_.settings, test.world_.counters, test.world_.log) {
      resolver.ask_with_others(test.shared_queries_,
                               [&test](std::function<void()> then) { test.posted_.push_back(std::move(then)); });
      learned.of<ListTable>() = test.table_;
      gatherer = dnsbl_entry.prepare(&test.settings_, {learned, test.rates_, test.suffixes_, test.own_}).value();
    }
    resolver::Resolver resolver;
    Learned learned;
    std::unique_ptr<Gatherer> gatherer;
  };

  // A client at one of the workers; it gathers until it is ended.
  struct Session {
    Session(SharedAnswers& test, std::size_t worker, const std::string& ip, Duration patience)
        : mail(mail_of(ip.c_str())),
          gatherer(*test.workers_[worker % test.workers_.size()]->gatherer),
          gathering(gatherer.begin()),
          context{test.world_.loop.scheduler(),
                  test.workers_[worker % test.workers_.size()]->resolver,
                  test.world_.counters,
                  test.world_.log,
                  test.world_.loop.now() + patience,
                  test.no_hashes_},
          running(test.world_.loop.scheduler()) {
      running.spawn(gathering->gather(Stage::connect, mail, facts, context));
    }
    bool is_listed() const { return facts.find<DnsblFacts>() != nullptr && !facts.get<DnsblFacts>().hits.empty(); }
    const DnsblFacts::Failed* failure() const {
      const DnsblFacts* found = facts.find<DnsblFacts>();
      return found == nullptr || found->failed.empty() ? nullptr : &found->failed.front();
    }

    Transaction mail;
    Facts facts;
    const Gatherer& gatherer;
    std::unique_ptr<Gathering> gathering;
    GatherContext context;
    async::Nursery running;
  };

  Session& connect(std::size_t worker, const std::string& ip, Duration patience = 20s) {
    sessions_.push_back(std::make_unique<Session>(*this, worker, ip, patience));
    return *sessions_.back();
  }
  // All sessions of the crowd, for the same client.
  void connect_all(const std::string& ip) {
    for (std::size_t i = 0; i < GetParam().sessions; ++i) connect(i, ip);
  }
  void pass(Duration time) {
    for (Duration left = time; left > Duration::zero(); left -= std::min<Duration>(left, 100ms)) {
      world_.loop.advance(std::min<Duration>(left, 100ms));
      for (; !posted_.empty(); posted_.pop_front()) posted_.front()();
      world_.loop.advance({});
    }
  }
  ListHealth::Report health() { return table_.of("list.example").report(); }
  const ListHealth::Part& ipv4(const ListHealth::Report& report) { return report.parts[0]; }
  // Ten questions about ten clients, without an answer.
  void open_breaker() {
    mood_ = Mood::silent;
    for (unsigned i = 0; i < ListHealth::failures_to_open; ++i) connect(i, "198.51.100." + std::to_string(i + 1));
    pass(6s);
    ASSERT_TRUE(ipv4(health()).is_open);
    sessions_.clear();
  }

  std::vector<support::MemoryPacket> answer(std::string_view query) const {
    const std::string name = support::question_of(query).name;
    const bool is_slow = text::to_lower(name).ends_with("slow.example");
    const Duration after = is_slow ? 4s : Duration(200ms);
    switch (is_slow ? Mood::clears : mood_) {
      case Mood::lists:
        return resolver::just(DnsPacket::reply_to(query).a(name, "127.0.0.2"), after);
      case Mood::clears:
        return resolver::just(DnsPacket::reply_to(query).rcode(3), after);
      case Mood::fails:
        return resolver::just(DnsPacket::reply_to(query).rcode(2), after);
      case Mood::errs:
        return resolver::just(DnsPacket::reply_to(query).a(name, "127.255.255.254"), after);
      case Mood::another_answers:
        return resolver::just(DnsPacket::reply_to(query).a(name, "203.0.113.80"), after);
      case Mood::silent:
        break;
    }
    return {};
  }

  resolver::World world_;
  resolver::SharedQueries shared_queries_;
  std::deque<std::function<void()>> posted_;
  ListTable table_;
  FakeRates rates_;
  PublicSuffixList suffixes_;
  OwnNames own_;
  std::vector<signature::BodyHash> no_hashes_;
  DnsblSettings settings_;
  Mood mood_ = Mood::clears;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

TEST_P(SharedAnswers, AFailureIsOneHoweverManyWaitForIt) {
  for (const Mood mood : {Mood::silent, Mood::fails, Mood::errs}) {
    mood_ = mood;
    const ListHealth::Report before = health();
    const auto faults_before = world_.counters.get(Fault::dnsbl_error);
    connect_all("192.0.2." + std::to_string(10 + static_cast<int>(mood)));
    pass(7s);
    for (const auto& session : sessions_) ASSERT_NE(session->failure(), nullptr);
    EXPECT_EQ(health().faults - before.faults, 1u);
    EXPECT_EQ(health().questions - before.questions, 1u);
    EXPECT_EQ(ipv4(health()).failures_in_a_row - ipv4(before).failures_in_a_row, 1u);
    EXPECT_EQ(world_.counters.get(Fault::dnsbl_error) - faults_before, 1u);
    EXPECT_FALSE(ipv4(health()).is_open);
    sessions_.clear();
  }
}

TEST_P(SharedAnswers, TheTenthFailureOpensTheBreakerOnce) {
  mood_ = Mood::silent;
  for (unsigned i = 1; i <= ListHealth::failures_to_open; ++i) {
    EXPECT_FALSE(ipv4(health()).is_open) << i;
    connect_all("192.0.2." + std::to_string(i));
    pass(6s);
  }
  EXPECT_TRUE(ipv4(health()).is_open);
  EXPECT_EQ(health().faults, 10u);
  EXPECT_EQ(world_.log.count({"event=fault", "in a row"}), 1u);
}

TEST_P(SharedAnswers, TheFirstGoodAnswerClosesIt) {
  open_breaker();
  pass(ListHealth::pause);
  mood_ = Mood::lists;
  const auto questions_before = world_.questions();
  for (std::size_t i = 0; i < GetParam().sessions; ++i) connect(i, "192.0.2." + std::to_string(i + 1));
  pass(1s);
  EXPECT_EQ(world_.questions() - questions_before, 1u) << "one probe, whichever worker has it";
  EXPECT_FALSE(ipv4(health()).is_open);
  EXPECT_EQ(world_.log.count({"event=recovered", "kind=dnsbl_error"}), 1u);
  sessions_.clear();
  connect_all("203.0.113.9");
  pass(1s);
  for (const auto& session : sessions_) EXPECT_TRUE(session->is_listed());
}

// It was asked a moment before the list came back, and will have no answer.
TEST_P(SharedAnswers, AProbeInVainHoldsUpNoLaterOne) {
  open_breaker();
  pass(ListHealth::pause);
  connect(0, "192.0.2.1");
  pass(ListHealth::pause / 2);
  mood_ = Mood::lists;
  connect(1, "192.0.2.2");
  pass(ListHealth::pause / 2);
  EXPECT_TRUE(ipv4(health()).is_open) << "one probe in each pause";
  Session& next = connect(2, "192.0.2.3");
  pass(1s);
  EXPECT_TRUE(next.is_listed());
  EXPECT_FALSE(ipv4(health()).is_open);
}

TEST_P(SharedAnswers, AListThatRefusesUsIsLeftAloneForLonger) {
  mood_ = Mood::errs;
  for (unsigned i = 1; i <= ListHealth::failures_to_open; ++i) connect(i - 1, "192.0.2." + std::to_string(i));
  pass(6s);
  ASSERT_TRUE(ipv4(health()).is_open);
  const auto questions_before = world_.questions();
  connect(0, "192.0.2.20");
  pass(ListHealth::pause_after_refusal - 7s);
  connect(1, "192.0.2.21");
  pass(1s);
  EXPECT_EQ(world_.questions(), questions_before);
  pass(1s);
  connect(2, "192.0.2.22");
  pass(ListHealth::pause_after_refusal / 2);
  connect(3, "192.0.2.23");
  EXPECT_EQ(world_.questions() - questions_before, 1u) << "its probe was refused as well";
}

// R9: no list says so, but a resolver in its place, which may stop at any time.
TEST_P(SharedAnswers, AListInWhosePlaceAnotherAnswersIsBackAtOnce) {
  mood_ = Mood::another_answers;
  for (unsigned i = 1; i <= ListHealth::failures_to_open; ++i) connect(i - 1, "192.0.2." + std::to_string(i));
  pass(6s);
  ASSERT_TRUE(ipv4(health()).is_open);
  connect(0, "192.0.2.20");
  pass(ListHealth::pause);
  EXPECT_TRUE(ipv4(health()).is_open);
  mood_ = Mood::lists;
  Session& next = connect(1, "192.0.2.21");
  pass(1s);
  EXPECT_TRUE(next.is_listed());
  EXPECT_FALSE(ipv4(health()).is_open);
}

// Its answer counts when it comes, and not when slower lists have been heard as well; also when its client leaves then.
TEST_P(SharedAnswers, AnAnswerIsLearnedAtOnce) {
  settings_.zones["slow.example"].score = 1;
  for (auto& worker : workers_) worker = std::make_unique<Worker>(*this);
  open_breaker();
  pass(ListHealth::pause);
  mood_ = Mood::lists;
  connect(0, "192.0.2.1");
  pass(1s);
  sessions_.clear();
  EXPECT_FALSE(ipv4(health()).is_open);
}

TEST_P(SharedAnswers, TheCacheIsUsedWhileTheBreakerIsOpenAndTakesNoProbe) {
  mood_ = Mood::lists;
  connect(0, "192.0.2.77");
  pass(1s);
  sessions_.clear();
  open_breaker();
  for (const Duration wait : {Duration::zero(), Duration(30s), ListHealth::pause, Duration(30s)}) {
    pass(wait);
    const auto questions_before = world_.questions();
    connect_all("192.0.2.77");
    for (const auto& session : sessions_) EXPECT_TRUE(session->is_listed()) << "without any wait";
    EXPECT_EQ(world_.questions(), questions_before);
    EXPECT_TRUE(ipv4(health()).is_open) << "what the cache has tells nothing new of the list";
    sessions_.clear();
  }
  mood_ = Mood::lists;
  Session& next = connect(1, "192.0.2.78");
  pass(1s);
  EXPECT_TRUE(next.is_listed()) << "the probe was left for it";
  EXPECT_FALSE(ipv4(health()).is_open);
}

// While slower lists are asked, too: a client known to the cache holds the probe for no moment.
TEST_P(SharedAnswers, AClientOfTheCacheHoldsTheProbeForNoMoment) {
  settings_.zones["slow.example"].score = 1;
  for (auto& worker : workers_) worker = std::make_unique<Worker>(*this);
  mood_ = Mood::lists;
  connect(0, "192.0.2.77");
  pass(1s);
  sessions_.clear();
  open_breaker();
  pass(ListHealth::pause);
  mood_ = Mood::lists;
  connect_all("192.0.2.77");
  Session& next = connect(1, "192.0.2.78");
  pass(1s);
  EXPECT_FALSE(ipv4(health()).is_open);
  pass(5s);
  EXPECT_TRUE(next.is_listed());
}

TEST_P(SharedAnswers, WhoLeavesTakesNothingAlong) {
  if (GetParam().sessions == 1) return;  // then nobody stays
  for (unsigned i = 1; i <= ListHealth::failures_to_open; ++i) {
    mood_ = Mood::silent;
    connect_all("192.0.2." + std::to_string(i));
    pass(1s);
    sessions_.erase(sessions_.begin(), sessions_.end() - 1);  // the one that has asked is the first
    pass(6s);
    sessions_.clear();
    EXPECT_EQ(health().faults, i);
  }
  EXPECT_TRUE(ipv4(health()).is_open);
}

// Not enough time, or too many questions under way: limits of ours.
TEST_P(SharedAnswers, WhatWasNotAskedIsNoFailureOfTheList) {
  for (std::size_t i = 0; i < 30; ++i) connect(i, "192.0.2." + std::to_string(i + 1), 0s);
  pass(1s);
  for (const auto& session : sessions_) {
    ASSERT_NE(session->failure(), nullptr);
    EXPECT_EQ(session->failure()->why, ListFailure::no_time);
  }
  EXPECT_EQ(health().questions, 0u);
  EXPECT_FALSE(ipv4(health()).is_open);
}

// No socket to ask with: the list is neither judged by it, nor is a client taken for one that is not listed.
TEST_P(SharedAnswers, WhatThereIsNoSocketForIsNoFailureOfTheList) {
  mood_ = Mood::lists;
  world_.network.fail_open(io::Error::exhausted);
  for (std::size_t i = 0; i < 30; ++i) connect(i, "192.0.2." + std::to_string(i + 1));
  connect_all("192.0.2.40");
  pass(1s);
  for (const auto& session : sessions_) {
    ASSERT_NE(session->failure(), nullptr);
    EXPECT_EQ(session->failure()->why, ListFailure::no_answer);
  }
  EXPECT_EQ(health().questions, 0u);
  EXPECT_EQ(health().faults, 0u);
  EXPECT_EQ(ipv4(health()).failures_in_a_row, 0u);
  EXPECT_EQ(world_.counters.get(Fault::dnsbl_error), 0u);
  EXPECT_GE(world_.counters.get(Fault::resource), 31u);
  EXPECT_EQ(world_.questions(), 0u);

  world_.network.fail_open({});
  Session& next = connect(0, "192.0.2.40");
  pass(1s);
  EXPECT_TRUE(next.is_listed()) << "as soon as there are sockets again";
}

TEST_P(SharedAnswers, AProbeThatThereIsNoSocketForIsLeftForTheNext) {
  open_breaker();
  pass(ListHealth::pause);
  mood_ = Mood::lists;
  const ListHealth::Report before = health();
  world_.network.fail_open(io::Error::exhausted);
  connect_all("192.0.2.1");
  pass(1s);
  EXPECT_TRUE(ipv4(health()).is_open);
  EXPECT_EQ(health().faults, before.faults);
  world_.network.fail_open({});
  Session& next = connect(1, "192.0.2.2");
  pass(1s);
  EXPECT_TRUE(next.is_listed());
  EXPECT_FALSE(ipv4(health()).is_open);
}

// With less patience than the resolver has, a silent list is found out all the same.
TEST_P(SharedAnswers, ASilentListIsFoundOutByTheImpatient) {
  mood_ = Mood::silent;
  for (unsigned i = 1; i <= ListHealth::failures_to_open; ++i) {
    for (std::size_t n = 0; n < GetParam().sessions; ++n) connect(n, "192.0.2." + std::to_string(i), 1s);
    pass(6s);
    EXPECT_EQ(health().faults, i);
  }
  EXPECT_TRUE(ipv4(health()).is_open);
}

INSTANTIATE_TEST_SUITE_P(Crowds, SharedAnswers,
                         testing::Values(Crowd{1, 1}, Crowd{1, 12}, Crowd{4, 1}, Crowd{4, 12}, Crowd{4, 50}),
                         [](const auto& info) {
                           return std::to_string(info.param.workers) + "Workers" + std::to_string(info.param.sessions) +
                                  "Sessions";
                         });

}  // namespace
}  // namespace sallyport::policies
