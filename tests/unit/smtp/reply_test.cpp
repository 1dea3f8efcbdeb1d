#include "gateway/smtp/reply.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/base/ensure.h"

namespace sallyport::smtp {
namespace {

using Lines = std::vector<std::string>;

TEST(Reply, GoesOnTheWire) {
  EXPECT_EQ(Reply(250, "2.1.0", "Ok").to_wire(), "250 2.1.0 Ok\r\n");
  EXPECT_EQ(Reply(220, "", "mx.example.org ESMTP").to_wire(), "220 mx.example.org ESMTP\r\n");
  EXPECT_EQ(Reply(354, "", "end with <CRLF>.<CRLF>").to_wire(), "354 end with <CRLF>.<CRLF>\r\n");
  EXPECT_EQ(Reply(250, "", "").to_wire(), "250\r\n");
  EXPECT_EQ(Reply(250, "2.0.0", "").to_wire(), "250 2.0.0\r\n");
  EXPECT_EQ(Reply(250, "", Lines{}).to_wire(), "250\r\n");
}

TEST(Reply, RepeatsItsCodesOnEachLine) {
  EXPECT_EQ(Reply(250, "", Lines{"mx.example.org", "PIPELINING", "SIZE 5"}).to_wire(),
            "250-mx.example.org\r\n250-PIPELINING\r\n250 SIZE 5\r\n");
  EXPECT_EQ(Reply(550, "5.7.1", Lines{"No", "", "never"}).to_wire(),
            "550-5.7.1 No\r\n550-5.7.1\r\n550 5.7.1 never\r\n");
  std::string wire = "x";
  Reply(221, "2.0.0", "Bye").append_to(wire);
  EXPECT_EQ(wire, "x221 2.0.0 Bye\r\n");
}

TEST(Reply, WritesPrintableAsciiOnly) {
  EXPECT_EQ(Reply(550, "", "a\r\nb\tc\x7f\xc3\xa9").to_wire(), "550 a??b?c???\r\n");
}

std::vector<std::string> wire_lines(const std::string& wire) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < wire.size();) {
    const std::size_t end = wire.find("\r\n", at) + 2;
    lines.push_back(wire.substr(at, end - at));
    at = end;
  }
  return lines;
}

TEST(Reply, FoldsLongLinesAtSpaces) {
  std::string text;
  while (text.size() < 1900) text += "some words ";
  text += "end";
  const auto lines = wire_lines(Reply(550, "5.7.1", text).to_wire());
  ASSERT_GE(lines.size(), 4U);
  std::string joined;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_LE(lines[i].size(), 512U);
    EXPECT_TRUE(lines[i].starts_with(i + 1 < lines.size() ? "550-5.7.1 " : "550 5.7.1 ")) << lines[i];
    joined += lines[i].substr(10, lines[i].size() - 12) + (i + 1 < lines.size() ? " " : "");
  }
  EXPECT_EQ(joined, text);
}

TEST(Reply, CutsWhatHasNoSpaces) {
  const auto lines = wire_lines(Reply(250, "", std::string(1013, 'x')).to_wire());
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].size(), 512U);
  EXPECT_EQ(lines[1].size(), 512U);
  EXPECT_EQ(lines[2], "250 x\r\n");
  EXPECT_EQ(wire_lines(Reply(250, "", std::string(506, 'x')).to_wire()).size(), 1U);
}

TEST(Reply, TellsItsKind) {
  EXPECT_TRUE(Reply(250, "", "").is_positive());
  EXPECT_TRUE(Reply(354, "", "").is_positive());
  EXPECT_TRUE(Reply(451, "", "").is_temporary());
  EXPECT_TRUE(Reply(550, "", "").is_permanent());
  EXPECT_FALSE(Reply(550, "", "").is_temporary());
  EXPECT_EQ(Reply(550, "5.1.1", Lines{"a", "b"}).text(), "a b");
  EXPECT_EQ(Reply(550, "5.1.1", "a"), Reply(550, "5.1.1", Lines{"a"}));
}

TEST(Reply, RefusesCodesThatContradictEachOther) {
  EXPECT_THROW(Reply(550, "4.7.1", ""), BrokenInvariant);
  EXPECT_THROW(Reply(250, "5.0.0", ""), BrokenInvariant);
  EXPECT_THROW(Reply(354, "3.0.0", ""), BrokenInvariant);
  EXPECT_THROW(Reply(550, "5.7", ""), BrokenInvariant);
  EXPECT_THROW(Reply(550, "5.7.1 ", ""), BrokenInvariant);
  EXPECT_THROW(Reply(199, "", ""), BrokenInvariant);
  EXPECT_THROW(Reply(600, "", ""), BrokenInvariant);
  EXPECT_THROW(Reply().to_wire(), BrokenInvariant);
}

}  // namespace
}  // namespace sallyport::smtp
