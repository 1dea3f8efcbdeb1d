#include "gateway/smtp/body_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/base/ensure.h"
#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

TEST(BodyWriter, StuffsDotsAndEndsTheMessage) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", ".\r\n"},
      {"a", "a\r\n.\r\n"},
      {"a\r\n", "a\r\n.\r\n"},
      {".\r\n", "..\r\n.\r\n"},
      {"a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n"},
      {"a\r\n..x\r\n.y.z.\r\n", "a\r\n...x\r\n..y.z.\r\n.\r\n"},
      {"\r\n\r\n.", "\r\n\r\n..\r\n.\r\n"},
  };
  for (const auto& [content, wire] : cases) {
    EXPECT_EQ(frame(content), wire) << escaped(content);
    for (std::size_t piece = 1; piece < 4; ++piece) EXPECT_EQ(frame(content, piece), wire) << escaped(content);
  }
}

TEST(BodyWriter, CopiesNothing) {
  const std::string content = "a\r\n.b\r\nc.d\r\n";
  BodyWriter writer;
  std::vector<std::string_view> parts;
  writer.frame(content, parts);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].data(), content.data());
  EXPECT_EQ(parts[1], ".");
  EXPECT_EQ(parts[2].data(), content.data() + 3);
}

// I3: the last place where it can be stopped.
TEST(BodyWriter, RefusesWhatMustNeverBeSent) {
  const auto writing = [](std::vector<std::string_view> pieces) {
    BodyWriter writer;
    std::vector<std::string_view> parts;
    for (const std::string_view piece : pieces) writer.frame(piece, parts);
    static_cast<void>(writer.end());
  };
  EXPECT_THROW(writing({"a\nb"}), BrokenInvariant);
  EXPECT_THROW(writing({"\nb"}), BrokenInvariant);
  EXPECT_THROW(writing({"a\rb"}), BrokenInvariant);
  EXPECT_THROW(writing({"a\r", "b"}), BrokenInvariant);
  EXPECT_THROW(writing({"a\r"}), BrokenInvariant);
  EXPECT_THROW(writing({"a\r\r\n"}), BrokenInvariant);
  EXPECT_THROW(writing({std::string_view("a\0b", 3)}), BrokenInvariant);
  EXPECT_NO_THROW(writing({"a\r", "\n"}));
}

TEST(BdatLine, SaysTheCount) {
  EXPECT_EQ(bdat_line(512, false), "BDAT 512\r\n");
  EXPECT_EQ(bdat_line(0, true), "BDAT 0 LAST\r\n");
  EXPECT_EQ(bdat_line(std::uint64_t{1} << 40, true), "BDAT 1099511627776 LAST\r\n");
}

}  // namespace
}  // namespace sallyport::smtp
