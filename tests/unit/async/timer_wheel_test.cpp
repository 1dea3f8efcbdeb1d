#include "gateway/async/timer_wheel.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace sallyport::async {
namespace {

using namespace std::chrono_literals;

class Alarm : public Timer {
 public:
  explicit Alarm(std::function<void()> action = nullptr) : action_(std::move(action)) {}
  int count() const { return count_; }

 private:
  void fired() override {
    EXPECT_FALSE(is_set());
    ++count_;
    if (action_) action_();
  }

  std::function<void()> action_;
  int count_ = 0;
};

constexpr Duration tick = 4ms;
const Time start{Duration(123'456'789'012'345)};

TEST(TimerWheel, FiresAtItsTimeOrWithinATickAfterIt) {
  for (Duration delay :
       {Duration(1), Duration(3ms), Duration(4ms), Duration(4ms + 1ns), Duration(255ms), Duration(256ms),
        Duration(257ms), Duration(1s), Duration(16s), Duration(17s), Duration(18min), Duration(20h), Duration(240h)}) {
    TimerWheel wheel(start);
    Alarm alarm;
    wheel.set(alarm, start + delay);
    EXPECT_TRUE(alarm.is_set());
    wheel.advance(start + delay - 1ns);
    EXPECT_EQ(alarm.count(), 0) << delay.count();
    wheel.advance(start + delay + tick);
    EXPECT_EQ(alarm.count(), 1) << delay.count();
    EXPECT_FALSE(alarm.is_set());
    wheel.advance(start + 2 * delay + 1h);
    EXPECT_EQ(alarm.count(), 1);
  }
}

TEST(TimerWheel, FiresInASingleJumpToo) {
  for (Duration delay :
       {Duration(4ms), Duration(300ms), Duration(20s), Duration(20min), Duration(24h), Duration(2400h)}) {
    TimerWheel wheel(start);
    Alarm alarm;
    wheel.set(alarm, start + delay);
    wheel.advance(start + 10 * delay);
    EXPECT_EQ(alarm.count(), 1);
  }
}

TEST(TimerWheel, FiresNothingThatWasClearedOrMoved) {
  TimerWheel wheel(start);
  Alarm cleared, moved;
  wheel.set(cleared, start + 1s);
  wheel.set(moved, start + 1s);
  wheel.set(moved, start + 2s);
  {
    Alarm dies;
    wheel.set(dies, start + 1s);
  }
  cleared.clear();
  cleared.clear();
  EXPECT_EQ(moved.when(), start + 2s);
  wheel.advance(start + 1500ms);
  EXPECT_EQ(cleared.count(), 0);
  EXPECT_EQ(moved.count(), 0);
  wheel.advance(start + 2500ms);
  EXPECT_EQ(moved.count(), 1);
}

// Between collect() and fire() the driver looks for events: those clear timers, and set them and others.
TEST(TimerWheel, FiresWhatWasFoundAndLeftAloneSince) {
  std::mt19937 random(20261129);
  for (int round = 0; round < 200; ++round) {
    TimerWheel wheel(start);
    std::vector<std::unique_ptr<Alarm>> alarms;
    for (int i = 0; i < 60; ++i) {
      alarms.push_back(std::make_unique<Alarm>());
      wheel.set(*alarms.back(), start + Duration(1ms) * static_cast<int>(random() % 4000) - 1s);
    }
    const Time now = start + 1s;  // the beginning of a tick, so that what is due is due to the nanosecond
    wheel.collect(now);
    std::vector<int> expected(alarms.size(), 0);
    std::vector<int> expected_next(alarms.size(), 0);
    for (std::size_t i = 0; i < alarms.size(); ++i) {
      const auto what_happens = random() % 4;
      if (what_happens == 0) {
        alarms[i]->clear();
      } else if (what_happens == 1) {
        wheel.set(*alarms[i], now - 1s);
        expected_next[i] = 1;
      } else if (what_happens == 2) {
        wheel.set(*alarms[i], now + 1s);
      } else {
        expected[i] = expected_next[i] = alarms[i]->when() <= now ? 1 : 0;
      }
    }
    wheel.fire();
    for (std::size_t i = 0; i < alarms.size(); ++i) EXPECT_EQ(alarms[i]->count(), expected[i]) << i;
    wheel.advance(now);
    for (std::size_t i = 0; i < alarms.size(); ++i) EXPECT_EQ(alarms[i]->count(), expected_next[i]) << i;
  }
}

TEST(TimerWheel, OfAPassedTimeFiresAtTheNextCall) {
  TimerWheel wheel(start);
  wheel.advance(start + 1h);
  Alarm past, present;
  wheel.set(past, start - 1h);
  wheel.set(present, start + 1h);
  EXPECT_EQ(past.count(), 0);
  ASSERT_TRUE(wheel.next());
  EXPECT_LE(*wheel.next(), start + 1h + tick);
  wheel.advance(start + 1h + tick);
  EXPECT_EQ(past.count(), 1);
  EXPECT_EQ(present.count(), 1);
}

TEST(TimerWheel, TakesTheEndOfTimeAndAStartBeforeZero) {
  for (Time begin : {start, Time{}, Time(-1h), Time::min()}) {
    TimerWheel wheel(begin);
    Alarm never, soon;
    wheel.set(never, Time::max());
    wheel.set(soon, begin + 1s);
    wheel.advance(begin + 48h);
    EXPECT_EQ(soon.count(), 1);
    EXPECT_EQ(never.count(), 0);
    EXPECT_TRUE(never.is_set());
  }
}

// A timer that sets itself for now, while the wheel catches up with a long sleep, may not keep it busy.
TEST(TimerWheel, WhatIsSetWhileFiringWaitsForTheNextCall) {
  for (Duration sleep : {Duration(8ms), Duration(1s), Duration(1h), Duration(100h)}) {
    TimerWheel wheel(start);
    std::vector<std::unique_ptr<Alarm>> alarms;
    Alarm* self = nullptr;
    Time now = start;
    Alarm again([&] { wheel.set(*self, now); });
    self = &again;
    wheel.set(again, start + 4ms);
    now = start + sleep;
    wheel.advance(now);
    EXPECT_EQ(again.count(), 1) << sleep.count();
    now += tick;
    wheel.advance(now);
    EXPECT_EQ(again.count(), 2) << sleep.count();
  }
}

TEST(TimerWheel, ATimerMayClearOrDestroyOthersAndItself) {
  TimerWheel wheel(start);
  auto other = std::make_unique<Alarm>();
  auto third = std::make_unique<Alarm>();
  std::unique_ptr<Alarm> self;
  self = std::make_unique<Alarm>([&] {
    other.reset();
    third->clear();
    auto dying = std::move(self);  // and with it this closure: nothing is touched after
  });
  wheel.set(*self, start + 1s);
  wheel.set(*other, start + 1s);
  wheel.set(*third, start + 1s);
  wheel.advance(start + 2s);
  EXPECT_FALSE(self);
  EXPECT_EQ(third->count(), 0);
}

TEST(TimerWheel, ThatDiesLeavesItsTimersClear) {
  Alarm alarm;
  {
    TimerWheel wheel(start);
    wheel.set(alarm, start + 1s);
  }
  EXPECT_FALSE(alarm.is_set());
  alarm.clear();
}

TEST(TimerWheel, GoesToTheNextTimerAndNoFurther) {
  TimerWheel wheel(start);
  EXPECT_FALSE(wheel.next());
  Alarm alarm;
  wheel.set(alarm, start + 10s);
  // Following next() reaches the timer, in few steps, without ever passing it by more than a tick.
  int steps = 0;
  while (alarm.count() == 0) {
    ASSERT_TRUE(wheel.next());
    ASSERT_LE(*wheel.next(), start + 10s + tick);
    wheel.advance(*wheel.next());
    ++steps;
  }
  EXPECT_LE(steps, 4);
  EXPECT_FALSE(wheel.next());
}

// The reference: a sorted map. Everything the wheel does is held against it.
class Model {
 public:
  explicit Model(unsigned seed) : random_(seed), wheel_(start), alarms_(200), due_(200) {
    for (std::size_t i = 0; i < alarms_.size(); ++i) {
      alarms_[i] = std::make_unique<Alarm>([this, i] { fire(i); });
    }
  }

  void run(int rounds) {
    for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
      std::size_t i = random_() % alarms_.size();
      switch (random_() % 8) {
        case 0:
        case 1:
        case 2:
          set(i, random_duration());
          break;
        case 3:
          clear(i);
          break;
        case 4:
          advance(random_duration() / 16);
          break;
        case 5:
          advance(Duration(random_() % 8'000'000));
          break;
        case 6:
          follow_next();
          break;
        case 7:
          set(i, -random_duration());
          break;
      }
      check();
    }
    // Left alone it runs empty: those that set others again die out.
    for (int year = 0; year < 1000 && wheel_.next(); ++year) advance(24h * 365);
    check();
    EXPECT_FALSE(wheel_.next());
  }

 private:
  // From nanoseconds to weeks, each magnitude as likely as the others.
  Duration random_duration() {
    unsigned bits = 1 + random_() % 50;
    return Duration(random_() & ((std::uint64_t{1} << bits) - 1));
  }

  void set(std::size_t i, Duration from_now) {
    Time when = now_ + from_now;
    wheel_.set(*alarms_[i], when);
    due_[i] = when;
    set_at_[i] = now_;
  }
  void clear(std::size_t i) {
    alarms_[i]->clear();
    due_[i].reset();
  }
  void advance(Duration duration) {
    now_ += duration;
    wheel_.advance(now_);
  }
  void follow_next() {
    auto next = wheel_.next();
    if (!next) return;
    if (*next > now_) now_ = *next;
    wheel_.advance(now_);
  }

  void fire(std::size_t i) {
    ASSERT_TRUE(due_[i]) << "fired though it was clear";
    EXPECT_LE(*due_[i], now_) << "fired early";
    due_[i].reset();
    // Now and then one sets itself again, or another one, while the wheel turns.
    if (random_() % 4 == 0) set(i, random_duration());
    if (random_() % 8 == 0) set(random_() % alarms_.size(), random_duration() - 1s);
    if (random_() % 8 == 0) clear(random_() % alarms_.size());
  }

  void check() {
    auto next = wheel_.next();
    bool any = false;
    for (std::size_t i = 0; i < alarms_.size(); ++i) {
      ASSERT_EQ(alarms_[i]->is_set(), due_[i].has_value());
      if (!due_[i]) continue;
      any = true;
      // What is still set is due in the future, or within the tick that has begun, or was set for a time that had
      // passed.
      Time latest = std::max(*due_[i], set_at_[i]) + tick;
      EXPECT_GT(latest, now_) << "fires late";
      ASSERT_TRUE(next);
      EXPECT_LE(*next, latest) << "next() is late";
    }
    EXPECT_EQ(next.has_value(), any);
  }

  std::mt19937_64 random_;
  Time now_ = start;
  TimerWheel wheel_;
  std::vector<std::unique_ptr<Alarm>> alarms_;
  std::vector<std::optional<Time>> due_;
  std::map<std::size_t, Time> set_at_;
};

TEST(TimerWheel, AgreesWithASortedMap) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Model(seed).run(2000);
  }
}

}  // namespace
}  // namespace sallyport::async
