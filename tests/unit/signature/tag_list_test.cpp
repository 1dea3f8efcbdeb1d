#include "gateway/signature/tag_list.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::signature {
namespace {

TEST(TagList, ReadsTagsInOrder) {
  const std::string text = "v=1; a=rsa-sha256;b = x y ;\r\n\tc=";
  const auto list = TagList::parse(text);
  ASSERT_TRUE(list);
  ASSERT_EQ(list->tags().size(), 4u);
  EXPECT_EQ(list->tags()[0].name, "v");
  EXPECT_EQ(list->value("a"), "rsa-sha256");
  EXPECT_EQ(list->value("b"), "x y");
  EXPECT_EQ(list->find("b")->raw, " x y ");
  EXPECT_EQ(list->value("c"), "");
  EXPECT_EQ(list->value("C"), std::nullopt) << "names are case-sensitive";
}

TEST(TagList, MayEndWithOneSemicolon) {
  EXPECT_TRUE(TagList::parse("a=1;"));
  EXPECT_TRUE(TagList::parse("a=1; \r\n "));
  EXPECT_FALSE(TagList::parse("a=1;;"));
  EXPECT_FALSE(TagList::parse("a=1;;b=2"));
  EXPECT_FALSE(TagList::parse(";a=1"));
}

TEST(TagList, RefusesSyntaxErrors) {
  for (const char* text : {"", " ", "a", "=1", "a=1; x", "1a=1", "a b=1", "a=1; =2", "a-b=1", "_a=1"})
    EXPECT_FALSE(TagList::parse(text)) << text;
  EXPECT_TRUE(TagList::parse("a_1=1"));
}

TEST(TagList, RefusesATagTwice) {
  EXPECT_FALSE(TagList::parse("a=1; b=2; a=1"));
  EXPECT_TRUE(TagList::parse("a=1; b=2; A=1"));
}

TEST(TagList, TakesOnlyFoldingForWhiteSpace) {
  EXPECT_TRUE(TagList::parse("a=1\r\n 2"));
  EXPECT_TRUE(TagList::parse("a=1\r\n \r\n\t2"));
  EXPECT_TRUE(TagList::parse("\r\n a=1"));
  for (const std::string& text : {"a=1\n 2", "a=1\r 2", "a=1\r\n2", "a=1\r\n", "a=1\v2", "a=\x7f", "a=1\x1f"})
    EXPECT_FALSE(TagList::parse(text)) << text;
  EXPECT_FALSE(TagList::parse(std::string("a=1\0", 4)));
}

TEST(TagList, TakesUtf8AndNoOtherEightBitText) {
  EXPECT_TRUE(
      TagList::parse("d=b\xc3\xbc"
                     "cher.example"));
  EXPECT_FALSE(
      TagList::parse("d=b\xfc"
                     "cher.example"));
}

TEST(TagList, HasAnEnd) {
  std::string text = "a0=";
  for (std::size_t i = 1; i < TagList::max_tags; ++i) text += ";a" + std::to_string(i) + "=";
  EXPECT_TRUE(TagList::parse(text));
  EXPECT_FALSE(TagList::parse(text + ";b="));
}

TEST(SplitColons, TrimsTheParts) {
  EXPECT_EQ(split_colons("a : b\r\n :c"), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(split_colons(""), (std::vector<std::string_view>{""}));
  EXPECT_EQ(split_colons("a::"), (std::vector<std::string_view>{"a", "", ""}));
}

}  // namespace
}  // namespace sallyport::signature
