// Skeletons, foldings and distances of texts.
#include "gateway/base/letters.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "gateway/base/text.h"

namespace sallyport {
namespace {

TEST(Skeleton, OfTextsThatLookAlikeIsEqual) {
  const std::string latin = "paypal";
  const std::string cyrillic = "\u0440\u0430\u0443\u0440\u0430l";
  EXPECT_NE(latin, cyrillic);
  EXPECT_EQ(skeleton_of(latin), skeleton_of(cyrillic));
  EXPECT_EQ(skeleton_of("rn"), skeleton_of("m")) << "two letters for one";
  EXPECT_NE(skeleton_of("paypal"), skeleton_of("paybal"));
  EXPECT_EQ(skeleton_of(""), "");
}

TEST(Skeleton, MayBeManyTimesLongerThanItsText) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "\ufdfa";  // one letter that is a sentence
  EXPECT_GT(skeleton_of(text).size(), 5000u * 10);
}

// ASCII goes by a table; beside another letter the text goes to ICU as a whole.
TEST(Skeleton, OfAsciiIsWhatIcuMakesOfIt) {
  const std::string other = "\u4e00";
  std::mt19937 random(12);
  for (int i = 0; i < 2000; ++i) {
    std::string text;
    for (std::size_t n = random() % 20; n > 0; --n) text += static_cast<char>(random() % 128);
    EXPECT_EQ(skeleton_of(text) + skeleton_of(other), skeleton_of(text + other)) << text::to_hex(text);
  }
}

TEST(Fold, TakesAwayCaseWidthAndWhatIsNotSeen) {
  EXPECT_EQ(fold_letters("Stra\u00dfe"), "strasse");
  EXPECT_EQ(fold_letters("\uff33\uff34\uff32\uff21\uff33\uff33\uff25"), "strasse");
  EXPECT_EQ(fold_letters("pay\u200bpal\u00ad"), "paypal");
  EXPECT_EQ(fold_letters("\u0391\u03a3"), fold_letters("\u03b1\u03c2"));
  EXPECT_EQ(fold_letters("ABC xyz-09"), "abc xyz-09");
}

TEST(Distance, CountsEdits) {
  EXPECT_EQ(letter_distance("", ""), 0u);
  EXPECT_EQ(letter_distance("", "abc"), 3u);
  EXPECT_EQ(letter_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(letter_distance("exmaple", "example"), 1u) << "neighbours exchanged";
  EXPECT_EQ(letter_distance("ca", "abc"), 2u) << "exchanged, with one between them";
  EXPECT_EQ(letter_distance("\u00e9t\u00e9", "ete"), 2u) << "characters, not octets";
}

// A metric, whatever the texts: so it cannot depend on the order in which they are given.
TEST(Distance, IsAMetric) {
  std::mt19937 random(7);
  const auto word = [&] {
    std::string made;
    for (std::size_t i = random() % 9; i > 0; --i) made += static_cast<char>('a' + random() % 3);
    return made;
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string a = word();
    const std::string b = word();
    const std::string c = word();
    EXPECT_EQ(letter_distance(a, b), letter_distance(b, a)) << a << " " << b;
    EXPECT_EQ(letter_distance(a, b) == 0, a == b) << a << " " << b;
    EXPECT_LE(letter_distance(a, c), letter_distance(a, b) + letter_distance(b, c)) << a << " " << b << " " << c;
    EXPECT_LE(letter_distance(a, b), text::edit_distance(a, b)) << a << " " << b;
  }
}

// Whatever octets there are: UTF-8 comes out, and folding once is enough.
TEST(Letters, TakeAnyOctets) {
  std::mt19937 random(11);
  for (int i = 0; i < 3000; ++i) {
    std::string octets;
    for (std::size_t n = random() % 40; n > 0; --n) octets += static_cast<char>(random());
    EXPECT_TRUE(text::is_utf8(to_valid_utf8(octets)));
    EXPECT_TRUE(text::is_utf8(skeleton_of(octets)));
    const std::string folded = fold_letters(octets);
    EXPECT_TRUE(text::is_utf8(folded));
    EXPECT_EQ(fold_letters(folded), folded) << text::to_hex(octets);
  }
  EXPECT_EQ(to_valid_utf8("a\xff"
                          "b"),
            "a\ufffd"
            "b");
  EXPECT_EQ(to_valid_utf8(std::string_view("\0", 1)), std::string_view("\0", 1));
}

}  // namespace
}  // namespace sallyport
