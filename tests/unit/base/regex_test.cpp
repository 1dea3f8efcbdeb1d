#include "gateway/base/regex.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using Groups = std::vector<std::string_view>;

TEST(Regex, FindsAndMatches) {
  auto regex = Regex::compile("ab+c");
  ASSERT_TRUE(regex);
  EXPECT_TRUE(regex->found_in("xxabbbcxx"));
  EXPECT_FALSE(regex->found_in("xxacxx"));
  EXPECT_TRUE(regex->matches("abc"));
  EXPECT_FALSE(regex->matches("abcx"));
  EXPECT_EQ(regex->pattern(), "ab+c");
}

TEST(Regex, HeedsCaseUnlessTold) {
  EXPECT_FALSE(Regex::compile("bob@")->found_in("BOB@example.org"));
  EXPECT_TRUE(Regex::compile("bob@", {.ignore_case = true})->found_in("BOB@example.org"));
}

TEST(Regex, GivesGroupsThatPointIntoTheText) {
  auto regex = Regex::compile("(\\w+)@(\\w+)(\\.test)?");
  ASSERT_TRUE(regex);
  std::string text = "to ann@example now";
  Groups groups = regex->groups(text);
  EXPECT_EQ(groups, (Groups{"ann@example", "ann", "example", ""}));
  EXPECT_EQ(groups[1].data(), text.data() + 3);
  EXPECT_TRUE(regex->groups("nobody").empty());
  EXPECT_EQ(Regex::compile("x*")->groups("").size(), 1u);
}

TEST(Regex, TellsWhereAPatternIsWrong) {
  auto broken = Regex::compile("fine(a|b");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.error().message.find("missing"), std::string::npos) << broken.error().message;
  auto repeat = Regex::compile("abc**");
  ASSERT_FALSE(repeat);
  EXPECT_NE(repeat.error().message.find("at character 4"), std::string::npos) << repeat.error().message;
  EXPECT_FALSE(Regex::compile("(?=look)ahead"));
  EXPECT_FALSE(Regex::compile("(a)\\1"));
  EXPECT_FALSE(Regex::compile("\xff"));
}

TEST(Regex, IsBoundedInMemory) {
  EXPECT_FALSE(Regex::compile("((a{100}){100}){100}"));
  EXPECT_TRUE(Regex::compile("(a{100}){10}"));
  EXPECT_FALSE(Regex::compile("(a{100}){10}", {.max_memory_bytes = 2048}));
}

TEST(Regex, IsLinearOnPatternsThatBacktrack) {
  auto regex = Regex::compile("(a*)*b");
  ASSERT_TRUE(regex);
  EXPECT_FALSE(regex->found_in(std::string(100'000, 'a')));
}

TEST(Regex, TakesAnyOctets) {
  auto regex = Regex::compile("b");
  EXPECT_TRUE(regex->found_in(std::string_view("\0\xff\xfe b", 5)));
  EXPECT_FALSE(regex->found_in(std::string_view("\0\xff", 2)));
}

TEST(Regex, Moves) {
  auto regex = Regex::compile("a");
  Regex moved = *std::move(regex);
  EXPECT_TRUE(moved.found_in("a"));
  moved = *Regex::compile("b");
  EXPECT_FALSE(moved.found_in("a"));
}

}  // namespace
}  // namespace sallyport
