// Sets of macros that are kept once, until somebody reads in them.
#include "gateway/milter_library/macro_set.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

std::string pairs_of(unsigned number) { return "i\0"s + std::to_string(number) + '\0'; }

TEST(MacroSets, ThatAreEqualAreKeptOnce) {
  const std::size_t before = MacroSet::shared_sets();
  const MacroSet one("j\0mx\0"s);
  const MacroSet two("j\0mx\0"s);
  const MacroSet other("j\0my\0"s);
  EXPECT_EQ(one.pairs(), "j\0mx\0"s);
  EXPECT_EQ(one.pairs().data(), two.pairs().data());
  EXPECT_EQ(MacroSet::shared_sets(), before + 2);
}

TEST(MacroSets, ThatAreReadAreTheirHoldersOwn) {
  const std::size_t before = MacroSet::shared_sets();
  {
    MacroSet one("j\0mx\0"s);
    MacroSet two("j\0mx\0"s);
    char* own = one.own_pairs();
    own[2] = 'M';
    EXPECT_EQ(one.own_pairs(), own);
    EXPECT_EQ(one.pairs(), "j\0Mx\0"s);
    EXPECT_EQ(two.pairs(), "j\0mx\0"s);
    two.own_pairs()[2] = 'N';
    EXPECT_EQ(MacroSet::shared_sets(), before);
    const MacroSet three("j\0mx\0"s);
    EXPECT_EQ(three.pairs(), "j\0mx\0"s);
    const MacroSet moved = std::move(two);
    EXPECT_EQ(moved.pairs(), "j\0Nx\0"s);
    EXPECT_FALSE(two);
  }
  EXPECT_EQ(MacroSet::shared_sets(), before);
}

TEST(MacroSets, AreFoundAgainHoweverTheyComeAndGo) {
  const std::size_t before = MacroSet::shared_sets();
  {
    std::mt19937 random(7);
    std::vector<std::pair<unsigned, MacroSet>> held;
    for (int step = 0; step < 20000; ++step) {
      const unsigned number = random() % 500;
      if (random() % 2 == 0 || held.empty()) {
        held.emplace_back(number, MacroSet(pairs_of(number)));
        continue;
      }
      auto& victim = held[random() % held.size()];
      if (random() % 4 == 0) EXPECT_EQ(victim.second.own_pairs(), victim.second.pairs().data());
      std::swap(victim, held.back());
      held.pop_back();
    }
    for (const auto& [number, set] : held) EXPECT_EQ(set.pairs(), pairs_of(number));
  }
  EXPECT_EQ(MacroSet::shared_sets(), before);
}

TEST(MacroSets, AreHeldFromAnyThread) {
  const std::size_t before = MacroSet::shared_sets();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (unsigned step = 0; step < 5000; ++step) {
        MacroSet set(pairs_of(step % 7));
        if (step % 3 == 0) set.own_pairs()[2] = 'x';
        const MacroSet again(pairs_of(step % 7));
        EXPECT_EQ(again.pairs(), pairs_of(step % 7));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(MacroSet::shared_sets(), before);
}

}  // namespace
}  // namespace sallyport::milter_library
