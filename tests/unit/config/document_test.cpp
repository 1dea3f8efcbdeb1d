#include "gateway/config/document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::config {
namespace {

using testing::HasSubstr;

TEST(Document, KnowsWhereEverythingStands) {
  const auto root = parse_document("b = 1\na.c = [true, \"x\"]\n[t.\"q.r\"]\nf = 2.5\nd = 2026-01-01\n", "f.toml");
  ASSERT_TRUE(root) << root.error().to_string();
  ASSERT_EQ(root->members.size(), 3u);
  EXPECT_EQ(root->members[0].key, "b");  // in the order of the file, not of the alphabet
  EXPECT_EQ(root->members[0].at.to_string(), "f.toml:1:1");
  EXPECT_EQ(root->members[0].value.at.to_string(), "f.toml:1:5");
  EXPECT_EQ(root->members[0].value.integer, 1);
  const Node& list = root->members[1].value.members[0].value;
  ASSERT_EQ(list.items.size(), 2u);
  EXPECT_TRUE(list.items[0].boolean);
  EXPECT_EQ(list.items[1].text, "x");
  EXPECT_EQ(list.items[1].at.to_string(), "f.toml:2:14");
  const Node& table = root->members[2].value.members[0].value;
  EXPECT_EQ(root->members[2].value.members[0].key, "q.r");
  EXPECT_EQ(table.members[0].value.number, 2.5);
  EXPECT_EQ(table.members[1].value.kind, Node::Kind::date);
}

TEST(Document, SyntaxErrorsHaveAPlace) {
  const auto root = parse_document("a = 1\nb = \n", "f.toml");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().at.line, 2u);
  EXPECT_THAT(root.error().to_string(), HasSubstr("f.toml:2:"));
  EXPECT_THAT(root.error().to_string(), HasSubstr(": error: "));
}

TEST(Document, AKeyTwiceIsASyntaxError) { EXPECT_FALSE(parse_document("a = 1\na = 2\n", "f.toml")); }

TEST(Document, DepthAndSizeAreBounded) {
  std::string deep = "a = ";
  for (int i = 0; i < 100; ++i) deep += "[";
  for (int i = 0; i < 100; ++i) deep += "]";
  const auto root = parse_document(deep, "f.toml");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().message, "nested too deeply");
  EXPECT_FALSE(parse_document(std::string(max_document_bytes + 1, '\n'), "f.toml"));
}

TEST(Document, LettersOutsideAscii) {
  const auto root = parse_document("# ä\na = \"ä\"\n\"ö\" = 'ü'\nb = \"\"\"\\\n  ß\"\"\"\n", "f.toml");
  ASSERT_TRUE(root) << root.error().to_string();
  EXPECT_EQ(root->members.at(0).value.text, "ä");
  EXPECT_EQ(root->members.at(1).key, "ö");
  EXPECT_EQ(root->members.at(2).value.text, "ß");
}

// Found by fuzzing: undefined behaviour in the library, which the sanitizers of this test's build would stop at.
TEST(Document, LettersOutsideAsciiThatAreNotQuoted) {
  for (const char* toml : {"homple\xcf\x9com = 2\n", "hostname = -mx1.x\"p>>\xc2\xb9>>\"\n", "a = m\xc3\xa4x\n",
                           "[\xc3\xa4]\n", "a = [1, \xc3\xa4]\n",
                           "\xc2\xa0"
                           "a = 1\n",
                           "a = 1 \xe3\x80\x80\n"})
    EXPECT_FALSE(parse_document(toml, "f.toml")) << toml;
}

TEST(Document, OctetsThatAreNotUtf8AreRefused) { EXPECT_FALSE(parse_document("a = \"\xff\"\n", "f.toml")); }

}  // namespace
}  // namespace sallyport::config
