#include "gateway/milter/custom_reply.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter {
namespace {

TEST(CustomReplies, HaveACodeAndLines) {
  EXPECT_EQ(parse_custom_reply("550 5.7.1 no"), (CustomReply{550, "5.7.1", {"no"}}));
  EXPECT_EQ(parse_custom_reply("451 later"), (CustomReply{451, "", {"later"}}));
  EXPECT_EQ(parse_custom_reply("550 5.1.1 no such %% user"), (CustomReply{550, "5.1.1", {"no such % user"}}));
  EXPECT_EQ(parse_custom_reply("450-4.0.0 a\r\n450 4.0.0 b"), (CustomReply{450, "4.0.0", {"a", "b"}}));
  EXPECT_EQ(parse_custom_reply("550-a\r\n550 b"), (CustomReply{550, "", {"a", "b"}}));
  EXPECT_EQ(parse_custom_reply("550"), (CustomReply{550, "", {""}}));
  EXPECT_EQ(parse_custom_reply("550 5.7.1"), (CustomReply{550, "5.7.1", {""}}));
}

TEST(CustomReplies, KeepWhatOnlyLooksLikeAnEnhancedCode) {
  for (const char* text : {"5.7", "5.7.x", "5..1", "5.7.1000", "6.7.1", "5.7.1x"})
    EXPECT_EQ(parse_custom_reply("550 " + std::string(text)), (CustomReply{550, "", {text}})) << text;
}

// threats.md F5.
TEST(CustomReplies, ThatAreNotFitAreNone) {
  for (const char* text : {"", "5", "55", "250 ok", "650 no", "35x", "5x0 no", "550no", "550-only", "550-a\r\n451 b",
                           "550 a\r\n550 b\r\n", "550 5.7.1 a\rb", "550 a\nb", "550 a\x01",
                           "550 4.7.1 of the other class", "450 2.1.5 fine", "550-a\r\n\r\n550 b"})
    EXPECT_FALSE(parse_custom_reply(text)) << text;
  EXPECT_TRUE(parse_custom_reply("550 " + std::string(980, 'x')));
  EXPECT_FALSE(parse_custom_reply("550 " + std::string(981, 'x')));
  std::string many;
  for (int i = 0; i < 31; ++i) many += "550-x\r\n";
  EXPECT_TRUE(parse_custom_reply(many + "550 x"));
  EXPECT_FALSE(parse_custom_reply(many + "550-x\r\n550 x"));
}

TEST(CustomReplies, SurviveTheWire) {
  for (const CustomReply& reply : {CustomReply{550, "5.7.1", {"100 % sure"}},
                                   CustomReply{450, "4.0.0", {"a", "", "%%"}}, CustomReply{451, "", {"later"}}})
    EXPECT_EQ(parse_custom_reply(to_wire(reply)), reply);
}

}  // namespace
}  // namespace sallyport::milter
