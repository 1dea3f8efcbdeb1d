// The header section as it stands: fields, faults, limits (threats.md M2, M3).
#include "gateway/mail/header.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::mail {
namespace {

TEST(HeaderSection, KeepsFieldsInOrderWithTheirNamesAsWritten) {
  std::string octets = "From: Ann <ann@example.org>\r\nSUBJECT:hello\r\nTo:  bob@example.com \r\n\r\n";
  HeaderSection header(octets);
  ASSERT_EQ(header.fields().size(), 3u);
  EXPECT_EQ(header.fields()[0].name, "From");
  EXPECT_EQ(header.fields()[0].value, " Ann <ann@example.org>");
  EXPECT_EQ(header.fields()[0].whole, "From: Ann <ann@example.org>\r\n");
  EXPECT_EQ(header.fields()[1].name, "SUBJECT");
  EXPECT_EQ(header.fields()[1].value, "hello");
  EXPECT_EQ(header.fields()[2].value, "  bob@example.com ");
  EXPECT_FALSE(header.faults().malformed_line);
  EXPECT_FALSE(header.faults().over_limit());
}

TEST(HeaderSection, KeepsFoldingInTheValue) {
  std::string octets = "Subject: one\r\n two\r\n\tthree\r\nTo: x\r\n\r\n";
  HeaderSection header(octets);
  ASSERT_EQ(header.fields().size(), 2u);
  EXPECT_EQ(header.fields()[0].value, " one\r\n two\r\n\tthree");
  EXPECT_EQ(header.fields()[0].whole, "Subject: one\r\n two\r\n\tthree\r\n");
}

TEST(HeaderSection, FindsFieldsWhateverTheirCase) {
  std::string octets = "Received: a\r\nreceived: b\r\nSubject: s\r\n\r\n";
  HeaderSection header(octets);
  EXPECT_EQ(header.count("RECEIVED"), 2u);
  ASSERT_NE(header.find("Received"), nullptr);
  EXPECT_EQ(header.find("Received")->value, " a");
  ASSERT_EQ(header.find_all("received").size(), 2u);
  EXPECT_EQ(header.find_all("received")[1]->value, " b");
  EXPECT_EQ(header.find("Date"), nullptr);
  EXPECT_EQ(header.count("Receive"), 0u);
}

TEST(HeaderSection, OfNothingOrOnlyAnEmptyLineHasNoFields) {
  EXPECT_TRUE(HeaderSection("").fields().empty());
  HeaderSection empty_line("\r\n");
  EXPECT_TRUE(empty_line.fields().empty());
  EXPECT_FALSE(empty_line.faults().malformed_line);
}

TEST(HeaderSection, EndsAtTheEmptyLineEvenWhenWhiteSpaceFollows) {
  HeaderSection header("A: 1\r\n\r\n B: 2\r\n");
  ASSERT_EQ(header.fields().size(), 1u);
  EXPECT_EQ(header.fields()[0].whole, "A: 1\r\n");
}

TEST(HeaderSection, ReadsALastLineWithoutItsCrlf) {
  HeaderSection header("A: 1\r\nB: 2");
  ASSERT_EQ(header.fields().size(), 2u);
  EXPECT_EQ(header.fields()[1].value, " 2");
  EXPECT_EQ(header.fields()[1].whole, "B: 2");
}

struct MalformedCase {
  const char* what;
  std::string octets;
  std::string name;
  bool control_in_name;
};

class MalformedLines : public testing::TestWithParam<MalformedCase> {};

TEST_P(MalformedLines, AreKeptAndNoted) {
  const auto& line = GetParam();
  std::string octets = line.octets + "Subject: x\r\n\r\n";
  HeaderSection header(octets);
  ASSERT_EQ(header.fields().size(), 2u) << line.what;
  EXPECT_EQ(header.fields()[0].name, line.name) << line.what;
  EXPECT_EQ(header.fields()[0].whole, line.octets) << line.what;
  EXPECT_TRUE(header.faults().malformed_line) << line.what;
  EXPECT_EQ(header.faults().control_in_name, line.control_in_name) << line.what;
  EXPECT_NE(header.find("subject"), nullptr) << line.what;
}

INSTANTIATE_TEST_SUITE_P(
    HeaderSection, MalformedLines,
    testing::Values(MalformedCase{"no colon", "just words\r\n", "", false},
                    MalformedCase{"a colon only in the continuation", "just words\r\n more: words\r\n", "", false},
                    MalformedCase{"a stray continuation", " lost: text\r\n\tmore\r\n", "", false},
                    MalformedCase{"space before the colon", "From : ann@example.org\r\n", "From", false},
                    MalformedCase{"space in the name", "Sub ject: x\r\n", "Sub ject", false},
                    MalformedCase{"no name", ": x\r\n", "", false},
                    MalformedCase{"8-bit name", "S\xc3\xbc: x\r\n", "S\xc3\xbc", false},
                    MalformedCase{"tab in the name", "Sub\tject: x\r\n", "Sub\tject", true},
                    MalformedCase{"NUL in the name", std::string("Sub\0: x\r\n", 9), std::string("Sub\0", 4), true},
                    MalformedCase{"bare LF in the name", "a\nFrom: x\r\n", "a\nFrom", true}));

TEST(HeaderSection, NotesAFieldOver64KiB) {
  std::string longest = "A: " + std::string(max_field_octets - 5, 'x') + "\r\n";
  ASSERT_EQ(longest.size(), max_field_octets);
  EXPECT_FALSE(HeaderSection(longest).faults().over_limit());
  std::string over = "A: x\r\n " + std::string(max_field_octets - 6, 'x') + "\r\n\r\n";
  HeaderSection header(over);
  EXPECT_TRUE(header.faults().field_too_long);
  EXPECT_TRUE(header.faults().over_limit());
}

TEST(HeaderSection, KeepsAThousandFieldsAndNotesMore) {
  std::string octets;
  for (std::size_t i = 0; i < max_header_fields; ++i) octets += "A: x\r\n";
  EXPECT_FALSE(HeaderSection(octets).faults().over_limit());
  octets += "B: y\r\n";
  HeaderSection header(octets);
  EXPECT_TRUE(header.faults().too_many_fields);
  EXPECT_EQ(header.fields().size(), max_header_fields);
}

TEST(HeaderSection, NotesASectionOver256KiB) {
  std::string octets;
  while (octets.size() < max_header_octets - 1000) octets += "A: " + std::string(995, 'x') + "\r\n";
  std::string fits = octets + "A: " + std::string(max_header_octets - octets.size() - 7, 'x') + "\r\n\r\n";
  ASSERT_EQ(fits.size(), max_header_octets);
  EXPECT_FALSE(HeaderSection(fits).faults().over_limit());
  std::string over = "B" + fits;
  EXPECT_TRUE(HeaderSection(over).faults().section_too_long);
}

TEST(Unfold, PutsAValueOnOneLine) {
  EXPECT_EQ(unfold(" one\r\n two\r\n\tthree "), "one two\tthree");
  EXPECT_EQ(unfold("plain"), "plain");
  EXPECT_EQ(unfold(""), "");
}

TEST(Unfold, LeavesNoLineEndBehind) {
  EXPECT_EQ(unfold("a\r\nb"), "a  b");
  EXPECT_EQ(unfold("a\rb\nc"), "a b c");
  EXPECT_EQ(unfold("a\r\n"), "a");
}

}  // namespace
}  // namespace sallyport::mail
