#include "gateway/base/text_safety.h"

#include <gtest/gtest.h>

namespace sallyport::text {
namespace {

TEST(DeceptiveCharacters, AreNotSeenOrTurnTextAround) {
  for (char32_t c : {0x00, 0x09, 0x0a, 0x0d, 0x1b, 0x1f, 0x7f, 0x80, 0x85, 0x9b, 0x9f}) EXPECT_TRUE(is_deceptive(c));
  for (char32_t c : {0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x180e, 0x3164, 0xffa0, 0x1bca0, 0x1d173, 0x1d17a})
    EXPECT_TRUE(is_deceptive(c)) << std::hex << std::uint32_t{c};
  for (auto [first, last] : {std::pair{0x200b, 0x200f}, std::pair{0x2028, 0x202e}, std::pair{0x2060, 0x206f},
                             std::pair{0xfe00, 0xfe0f}, std::pair{0xfeff, 0xfeff}, std::pair{0xfff9, 0xfffb},
                             std::pair{0xe0000, 0xe007f}, std::pair{0xe0100, 0xe01ef}}) {
    for (int c = first; c <= last; ++c) EXPECT_TRUE(is_deceptive(static_cast<char32_t>(c))) << std::hex << c;
  }
}

TEST(DeceptiveCharacters, AreNotThoseThatHaveAShape) {
  for (char32_t c = 0x20; c < 0x7f; ++c) EXPECT_FALSE(is_deceptive(c));
  // Their neighbours, and letters of many scripts.
  for (char32_t c : {0xa0,   0xac,   0xae,   0xe9,   0x34e,  0x350,  0x3b1,   0x416,   0x5d0,   0x61b,
                     0x61d,  0x627,  0x915,  0xe01,  0x1100, 0x115e, 0x1161,  0x1809,  0x1810,  0x200a,
                     0x2010, 0x2027, 0x202f, 0x205f, 0x2070, 0x20ac, 0x4e2d,  0xac00,  0xfdff,  0xfe10,
                     0xfefe, 0xff00, 0xff21, 0xffef, 0xfffc, 0xfffd, 0x1f600, 0xdffff, 0xe1000, 0x10ffff})
    EXPECT_FALSE(is_deceptive(c)) << std::hex << std::uint32_t{c};
}

TEST(Showable, LeavesHarmlessTextAlone) {
  EXPECT_EQ(showable(""), "");
  EXPECT_EQ(showable("v=spf1 ip4:192.0.2.0/24 -all"), "v=spf1 ip4:192.0.2.0/24 -all");
  EXPECT_EQ(showable("Gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x98\x80"),
            "Gr\xc3\xbc\xc3\x9f\xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(Showable, ReplacesEachCharacterThatDeceives) {
  EXPECT_EQ(showable("a\r\nb\x1b[2J"), "a??b?[2J");
  EXPECT_EQ(showable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(showable("paid\xe2\x80\xae"
                     "unpaid"),
            "paid?unpaid");
  EXPECT_EQ(showable("paid\xd8\x9c\xe1\xa0\x8e\xe2\x81\xa4\xef\xbb\xbf\xef\xbf\xb9\xf3\xa0\x81\xb8"
                     "unpaid"),
            "paid??????unpaid");
  EXPECT_EQ(showable("\xc2\x9b"
                     "31m"),
            "?31m");
}

TEST(Showable, ReplacesEachOctetThatIsNoUtf8) {
  EXPECT_EQ(showable("a\xff\xc3"), "a??");
  EXPECT_EQ(showable("\xed\xa0\x80"), "???");  // a surrogate
  EXPECT_EQ(showable("\xe2\x80"), "??");       // cut
}

}  // namespace
}  // namespace sallyport::text
