#include "gateway/control/upgrade.h"

#include <gtest/gtest.h>

#include "gateway/control/protocol.h"

namespace sallyport::control {
namespace {

TEST(UpgradeAnswer, IsReadAsItWasWritten) {
  const auto done = decode_upgrade(encode_upgraded("1.2.3"));
  ASSERT_TRUE(done);
  ASSERT_TRUE(*done);
  EXPECT_EQ(**done, "1.2.3");
  const NotUpgraded reason{78, "a.toml:1:1: error: no\na.toml:2:1: error: no\n"};
  const auto refused = decode_upgrade(encode_not_upgraded(reason));
  ASSERT_TRUE(refused);
  ASSERT_FALSE(*refused);
  EXPECT_EQ(refused->error(), reason);
}

TEST(UpgradeAnswer, OfAVersionThatKnowsNoneIsAFailure) {
  const auto said = decode_upgrade(encode_error("this version answers only \"stats\""));
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message, "this version answers only \"stats\"");
  for (const char* line : {"", "nonsense", "[]", "{}", R"({"ok":true})", R"({"ok":true,"upgraded":5})",
                           R"({"ok":false,"error":"x","status":"78"})"}) {
    EXPECT_FALSE(decode_upgrade(line)) << line;
  }
}

TEST(UpgradeAnswer, ToOneThatHasWaitedIsThatAnotherProcessServes) {
  EXPECT_TRUE(is_superseded(encode_superseded()));
  for (const std::string& other : {encode_error("x"), encode_done(), std::string("nonsense"), std::string()}) {
    EXPECT_FALSE(is_superseded(other)) << other;
  }
}

}  // namespace
}  // namespace sallyport::control
