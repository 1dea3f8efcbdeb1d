#include "gateway/smtp/octets.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::smtp {
namespace {

using namespace std::string_view_literals;

// At every place of texts of every length around the width of a vector.
TEST(Octets, FindOneOddOctetAnywhere) {
  for (std::size_t size = 1; size < 70; ++size) {
    std::string text(size, 'x');
    EXPECT_FALSE(has_8bit(text));
    EXPECT_FALSE(has_nul(text));
    EXPECT_TRUE(has_only_crlf_inside(text));
    for (std::size_t at = 0; at < size; ++at) {
      text[at] = '\x80';
      EXPECT_TRUE(has_8bit(text));
      text[at] = '\0';
      EXPECT_TRUE(has_nul(text));
      text[at] = '\n';
      EXPECT_EQ(has_only_crlf_inside(text), at == 0) << at << " of " << size;
      text[at] = '\r';
      EXPECT_EQ(has_only_crlf_inside(text), at + 1 == size) << at << " of " << size;
      if (at > 0) {
        text[at - 1] = '\r';
        text[at] = '\n';
        EXPECT_TRUE(has_only_crlf_inside(text)) << at << " of " << size;
        text[at - 1] = 'x';
      }
      text[at] = 'x';
    }
  }
}

TEST(Octets, FindADotAfterALineEnd) {
  for (std::size_t size = 1; size < 200; ++size) {
    std::string text(size, '.');
    EXPECT_EQ(find_line_dot(text), std::string::npos) << size;
    for (std::size_t at = 1; at < size; ++at) {
      for (const char line_end : {'\r', '\n'}) {
        text[at - 1] = line_end;
        EXPECT_EQ(find_line_dot(text), at) << at << " of " << size;
        text[at] = 'x';
        EXPECT_EQ(find_line_dot(text), std::string::npos) << at << " of " << size;
        text[at - 1] = text[at] = '.';
      }
    }
  }
  EXPECT_EQ(find_line_dot("\n.\n."), 1U);
  EXPECT_EQ(find_line_dot(""), std::string::npos);
}

TEST(Octets, OfNothingHaveNothing) {
  EXPECT_FALSE(has_8bit(""));
  EXPECT_FALSE(has_nul(""));
  EXPECT_TRUE(has_only_crlf_inside(""));
  EXPECT_FALSE(has_only_crlf_inside("\r\r\n"));
  EXPECT_FALSE(has_only_crlf_inside("\r\n\n"));
}

}  // namespace
}  // namespace sallyport::smtp
