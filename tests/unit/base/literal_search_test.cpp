#include "gateway/base/literal_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "gateway/base/text.h"

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::size_t much = 8u << 20;

std::vector<int> found(const std::vector<std::string>& literals, std::string_view text) {
  return LiteralSearch::of(literals, much).value().found_in(text);
}

TEST(LiteralSearch, FindsAllThatOccur) {
  EXPECT_THAT(found({"he", "she", "his", "hers"}, "ushers"), UnorderedElementsAre(0, 1, 3));
  EXPECT_THAT(found({"abcd", "bc", "c"}, "xabcy"), UnorderedElementsAre(1, 2));
  EXPECT_THAT(found({"same", "same"}, "same same"), UnorderedElementsAre(0, 1));
  EXPECT_THAT(found({"a"}, ""), IsEmpty());
  EXPECT_THAT(found({""}, "abc"), IsEmpty());
  EXPECT_THAT(found({}, "abc"), IsEmpty());
}

TEST(LiteralSearch, LeavesTheCaseOfAsciiLettersAside) {
  EXPECT_THAT(found({"viagra"}, "VIAgra"), ElementsAre(0));
  EXPECT_THAT(found({"\xc3\xa9t\xc3\xa9"}, "\xc3\xa9T\xc3\xa9"), ElementsAre(0));
  EXPECT_THAT(found({"\xc3\xa9t"}, "\xc3\x89t"), IsEmpty());
}

TEST(LiteralSearch, RefusesTablesThatAreTooLarge) {
  EXPECT_FALSE(LiteralSearch::of({std::string(1000, 'a')}, 1000));
  EXPECT_TRUE(LiteralSearch::of({std::string(1000, 'a')}, 100'000));
}

TEST(LiteralSearch, FindsWhatOneSearchForEachFinds) {
  std::mt19937 random(7);
  const auto word = [&random](std::size_t longest) {
    std::string made(random() % longest + 1, ' ');
    for (char& c : made) c = static_cast<char>('a' + random() % 3);
    return made;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<std::string> literals;
    for (int i = 0; i < 12; ++i) literals.push_back(word(6));
    const std::string text = word(60);
    std::vector<int> expected;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      if (text.find(literals[i]) != std::string::npos) expected.push_back(static_cast<int>(i));
    }
    std::vector<int> got = found(literals, text);
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, expected) << text;
  }
}

}  // namespace
}  // namespace sallyport
