#include "gateway/resolver/cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace sallyport::resolver {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Time start{std::chrono::hours(1)};
// Where what falls together would otherwise be another matter each time.
const KeyedHash fixed_hash(1, 2);

dns::Question question(std::uint64_t n) { return {"name" + std::to_string(n) + ".example.org", dns::Type::TXT}; }

dns::Answer text_answer(std::string text) {
  dns::Answer answer;
  answer.status = dns::Status::ok;
  answer.records.emplace_back(std::move(text));
  return answer;
}

void put(Cache& cache, std::uint64_t n, std::string text = "text") {
  cache.put(question(n), text_answer(std::move(text)), start, start + seconds(60));
}

TEST(Cache, KeepsAnAnswerUntilItsTimeIsUp) {
  Cache cache(100);
  EXPECT_FALSE(cache.find(question(1), start));
  put(cache, 1);
  auto found = cache.find(question(1), start + milliseconds(20500));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, dns::Status::ok);
  EXPECT_EQ(found->records, text_answer("text").records);
  EXPECT_TRUE(found->from_cache);
  EXPECT_EQ(found->ttl, seconds(40)) << "what is left, rounded up";
  EXPECT_FALSE(cache.find(question(1), start + seconds(60)));
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_EQ(cache.octets(), 0u);
}

TEST(Cache, TellsTypesApart) {
  Cache cache(100);
  put(cache, 1);
  EXPECT_FALSE(cache.find({question(1).name, dns::Type::A}, start));
}

TEST(Cache, ANewAnswerTakesThePlaceOfTheOld) {
  Cache cache(100);
  put(cache, 1, "old");
  put(cache, 1, "new");
  EXPECT_EQ(cache.find(question(1), start)->records, text_answer("new").records);
  EXPECT_EQ(cache.size(), 1u);
}

TEST(Cache, KeepsNothingThatHasNoTime) {
  Cache cache(100);
  cache.put(question(1), text_answer("x"), start, start);
  EXPECT_EQ(cache.size(), 0u);
}

TEST(Cache, OfNoEntriesKeepsNone) {
  Cache cache(0);
  put(cache, 1);
  EXPECT_FALSE(cache.find(question(1), start));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(Cache, IsBoundedInEntries) {
  Cache cache(160);
  for (std::uint64_t n = 0; n < 5000; ++n) put(cache, n);
  EXPECT_EQ(cache.size(), 160u);
  EXPECT_TRUE(cache.find(question(4999), start)) << "the newest has found room";
}

TEST(Cache, IsBoundedInOctets) {
  Cache cache(1600);
  for (std::uint64_t n = 0; n < 5000; ++n) put(cache, n, std::string(8000, 'x'));
  EXPECT_LE(cache.octets(), 1600u * 1024);
  EXPECT_GT(cache.size(), 100u);
}

TEST(Cache, DoesNotKeepGiants) {
  Cache cache(1600);
  put(cache, 1, std::string(60000, 'x'));
  EXPECT_FALSE(cache.find(question(1), start));
}

// threats.md D6: a flood of names that are asked for once drives out itself.
TEST(Cache, SparesWhatIsAskedFor) {
  Cache cache(1600, fixed_hash);
  constexpr std::uint64_t wanted = 400;
  for (std::uint64_t n = 0; n < wanted; ++n) put(cache, n);
  for (std::uint64_t flood = 0; flood < 20000; ++flood) {
    put(cache, 1000 + flood);
    cache.find(question(flood % wanted), start);
  }
  std::uint64_t left = 0;
  for (std::uint64_t n = 0; n < wanted; ++n) left += cache.find(question(n), start).has_value();
  EXPECT_EQ(left, wanted);
}

TEST(Cache, DropsWhatHasRunOutFirst) {
  Cache cache(1600, fixed_hash);
  for (std::uint64_t n = 0; n < 400; ++n) {
    cache.put(question(n), text_answer("x"), start, start + seconds(1));
    ASSERT_TRUE(cache.find(question(n), start)) << "asked for, and so spared while it lasts";
  }
  for (std::uint64_t n = 400; n < 800; ++n) put(cache, n);
  Time later = start + seconds(2);
  for (std::uint64_t n = 800; n < 1550; ++n) cache.put(question(n), text_answer("x"), later, later + seconds(60));
  EXPECT_LT(cache.size(), 1550u) << "some had to go";
  for (std::uint64_t n = 400; n < 800; ++n) EXPECT_TRUE(cache.find(question(n), later)) << n;
}

TEST(Cache, ServesManyThreads) {
  Cache cache(64);
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> wrong = 0;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, &wrong, thread] {
      for (std::uint64_t n = 0; n < 5000; ++n) {
        std::uint64_t name = (n * 7 + thread) % 200;
        if (auto found = cache.find(question(name), start)) {
          if (found->records != text_answer(std::to_string(name)).records) ++wrong;
        } else {
          put(cache, name, std::to_string(name));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0u);
  EXPECT_LE(cache.size(), 64u);
}

}  // namespace
}  // namespace sallyport::resolver
