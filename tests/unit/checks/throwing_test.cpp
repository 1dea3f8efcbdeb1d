// A policy that throws, at every point where one is called and at every moment: the session ends with 421, and no mail
// goes on as if that policy had nothing to say (threats.md I9, R7).
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>

#include "gateway/async/wait.h"
#include "tests/unit/session/world.h"

namespace sallyport::checks {
namespace {

using namespace session;

using policies::Facts;
using policies::Stage;
using policies::Transaction;

enum class Hook : std::uint8_t {
  begin,
  gather_at_once,      // in the call itself
  gather_at_the_line,  // in the first line of the coroutine
  gather_after_wait,
  body_forms,
  wants_body,
  body,
  recipient_answered,
  judge,
};

// Where a policy throws, and at which call of this kind.
struct Point {
  Hook hook;
  Stage stage;  // for begin: of the gathering; else where the hook belongs
  unsigned call;
};

void PrintTo(const Point& point, std::ostream* out) {
  *out << "hook " << static_cast<int>(point.hook) << " at stage " << static_cast<int>(point.stage) << ", call "
       << point.call;
}

class Thrower final : public TestPolicy {
 public:
  Thrower(Point point, bool is_out_of_memory, bool precedes)
      : point_(point), is_out_of_memory_(is_out_of_memory), precedes_(precedes) {}

  std::string_view name() const override { return "thrower"; }
  // It has something to find out everywhere, so that each of its calls is made.
  bool gathers_at(Stage) const override { return true; }
  bool precedes_greeting() const override { return precedes_; }
  std::unique_ptr<policies::Gathering> begin() const override {
    pass(Hook::begin, Stage::connect);
    return std::make_unique<Its>(*this);
  }
  void judge(Stage stage, const Transaction&, const Facts&, policies::Verdicts&) const override {
    pass(Hook::judge, stage);
  }

  mutable bool has_thrown = false;

 private:
  class Its final : public policies::Gathering {
   public:
    explicit Its(const Thrower& policy) : policy_(policy) {}
    Task<void> gather(Stage stage, const Transaction&, Facts&, const policies::GatherContext& context) override {
      policy_.pass(Hook::gather_at_once, stage);
      return find_out(policy_, stage, context.scheduler);
    }
    void recipient_answered(bool) override { policy_.pass(Hook::recipient_answered, Stage::rcpt); }
    std::vector<signature::BodyForm> body_forms(const Transaction&) override {
      policy_.pass(Hook::body_forms, Stage::headers);
      return {};
    }
    bool wants_body(const Transaction&) override {
      policy_.pass(Hook::wants_body, Stage::headers);
      return true;
    }
    void body(std::string_view) override { policy_.pass(Hook::body, Stage::message); }

   private:
    static Task<void> find_out(const Thrower& policy, Stage stage, async::Scheduler& scheduler) {
      policy.pass(Hook::gather_at_the_line, stage);
      co_await async::sleep_for(scheduler, std::chrono::milliseconds(100));
      policy.pass(Hook::gather_after_wait, stage);
    }
    const Thrower& policy_;
  };

  void pass(Hook hook, Stage stage) const {
    if (hook != point_.hook || stage != point_.stage || ++calls_ != point_.call) return;
    has_thrown = true;
    if (is_out_of_memory_) throw std::bad_alloc();
    throw std::runtime_error("the policy has a mistake");
  }

  const Point point_;
  const bool is_out_of_memory_;
  const bool precedes_;
  mutable unsigned calls_ = 0;
};

// Waits beside it, so that several gather at the same time.
class Neighbour final : public TestPolicy {
 public:
  std::string_view name() const override { return "neighbour"; }
  bool gathers_at(Stage) const override { return true; }
  Task<void> gather(Stage, const Transaction&, Facts&, const policies::GatherContext& context) const override {
    co_await async::sleep_for(context.scheduler, std::chrono::milliseconds(200));
  }
};

std::vector<Point> all_points() {
  std::vector<Point> points;
  for (unsigned call = 1; call <= 3; ++call) {
    for (const Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::rcpt, Stage::headers, Stage::message}) {
      for (const Hook hook : {Hook::gather_at_once, Hook::gather_at_the_line, Hook::gather_after_wait, Hook::judge}) {
        points.push_back({hook, stage, call});
      }
    }
    points.push_back({Hook::begin, Stage::connect, call});
    points.push_back({Hook::body_forms, Stage::headers, call});
    points.push_back({Hook::wants_body, Stage::headers, call});
    points.push_back({Hook::body, Stage::message, call});
    points.push_back({Hook::recipient_answered, Stage::rcpt, call});
  }
  return points;
}

// How a test goes about it.
struct Circumstance {
  bool is_out_of_memory;
  bool precedes_greeting;
  bool has_neighbour;
  bool has_tenants;
  std::chrono::milliseconds before_mail;  // time for what was begun at connect to end
  bool by_bdat;
};

// Two mails with two recipients each, on one connection. What was answered.
std::string two_mails(World& world, const Circumstance& how) {
  std::string heard;
  const auto say = [&](std::string_view octets) {
    if (!world.is_over()) heard += world.say(octets);
    if (!world.is_over()) world.advance(std::chrono::milliseconds(300));
    heard += world.heard();
  };
  world.connect();
  world.advance(std::chrono::milliseconds(300));
  heard += world.heard();
  say("EHLO client.example\r\n");
  world.advance(how.before_mail);
  for (int i = 0; i < 2; ++i) {
    say("MAIL FROM:<ann@example.org>\r\n");
    say("RCPT TO:<bob@example.com>\r\n");
    say("RCPT TO:<eve@example.com>\r\n");
    if (how.by_bdat) {
      say("BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n");
    } else {
      say("DATA\r\n");
      if (!world.is_over()) say("Subject: x\r\n\r\ny\r\n.\r\n");
    }
    world.advance(std::chrono::seconds(1));
    heard += world.heard();
  }
  return heard;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

bool expect_no_clean_mail(const Point& point, const Circumstance& how) {
  World world;
  world.excuse(Invariant::no_mistake);  // there is one on purpose
  if (how.has_neighbour) world.add(std::make_unique<Neighbour>());
  auto& thrower =
      static_cast<Thrower&>(world.add(std::make_unique<Thrower>(point, how.is_out_of_memory, how.precedes_greeting)));
  if (how.has_tenants) world.add_tenant("other", "other.example", "default");
  const std::string heard = two_mails(world, how);
  const std::size_t accepted = count(heard, "250 2.0.0 Stored");
  EXPECT_EQ(accepted, world.upstream.stored.size()) << heard;
  if (!thrower.has_thrown) {
    EXPECT_EQ(accepted, 2u) << heard;
    return false;
  }
  EXPECT_TRUE(world.is_over()) << heard;
  EXPECT_EQ(count(heard, "421 4.3.0"), 1u) << heard;
  EXPECT_LT(accepted, 2u) << "a mail went on without the policy: " << heard;
  EXPECT_EQ(world.counters.get(Fault::internal), 1u) << heard;
  EXPECT_EQ(world.log.count({"kind=internal"}) + world.log.count({"check=internal"}), 1u)
      << text::join(world.log.lines, "\n");
  return true;
}

TEST(ThrowingPolicy, NeverCountsForOneThatHasNothingToSay) {
  unsigned thrown = 0;
  for (const Point& point : all_points()) {
    SCOPED_TRACE(testing::PrintToString(point));
    for (unsigned bits = 0; bits < 64; ++bits) {
      SCOPED_TRACE("circumstance " + std::to_string(bits));
      const Circumstance how{(bits & 1) != 0,
                             (bits & 2) != 0,
                             (bits & 4) != 0,
                             (bits & 8) != 0,
                             (bits & 16) != 0 ? std::chrono::seconds(5) : std::chrono::milliseconds(0),
                             (bits & 32) != 0};
      thrown += expect_no_clean_mail(point, how) ? 1 : 0;
      if (testing::Test::HasFailure()) return;  // one is enough to look into
    }
  }
  EXPECT_GT(thrown, 2000u) << "most points are reached";
}

}  // namespace
}  // namespace sallyport::checks
