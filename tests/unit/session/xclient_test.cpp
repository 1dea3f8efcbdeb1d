// A listed peer says with XCLIENT for whom it speaks (threats.md S35); what is said about it stands in the dialogues.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

using testing::StartsWith;

// Refuses one address when it connects, and keeps whom it was asked about.
class DoorPolicy final : public TestPolicy {
 public:
  explicit DoorPolicy(std::vector<std::string>& asked) : asked_(asked) {}
  std::string_view name() const override { return "door"; }
  void judge(policies::Stage stage, const policies::Transaction& mail, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage != policies::Stage::connect) return;
    asked_.push_back(mail.client.ip.to_string());
    if (asked_.back() == "198.51.100.66") out.add(policies::Verdict::reject("5.7.1", "Not you", 554));
  }

 private:
  std::vector<std::string>& asked_;
};

class Xclient : public testing::Test {
 protected:
  Xclient() { world.listener.settings.xclient_from = {*IpNetwork::parse("192.0.2.1")}; }

  std::vector<std::string> asked;
  World world;
};

TEST_F(Xclient, TheClientIsJudgedAsOneThatConnectsAndThePeerIsNot) {
  world.add(std::make_unique<DoorPolicy>(asked));
  world.greet();
  EXPECT_TRUE(asked.empty());
  EXPECT_EQ(world.say("XCLIENT ADDR=198.51.100.7\r\n"), "220 mx.example.com ESMTP Sallyport\r\n");
  EXPECT_EQ(asked, std::vector<std::string>{"198.51.100.7"});
  EXPECT_THAT(world.say("XCLIENT NAME=friend.example\r\n"), StartsWith("220 "));
  EXPECT_EQ(asked.size(), 1u) << "it is the same client";
  EXPECT_THAT(world.say("XCLIENT ADDR=198.51.100.66\r\n"), StartsWith("554 5.7.1 Not you "));
  EXPECT_TRUE(world.is_over());
  EXPECT_NE(world.log.find("event=connection"), "");
  EXPECT_NE(world.log.find("ip=198.51.100.66"), "");
}

TEST_F(Xclient, TheClientNeedsAPlaceOfItsOwn) {
  world.greet();
  world.slots.places = 0;
  EXPECT_THAT(world.say("XCLIENT ADDR=198.51.100.7\r\n"), StartsWith("421 4.7.0 "));
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Violation::session_limit), 1u);
}

TEST_F(Xclient, IsForListedPeersAlone) {
  world.connect(*SocketAddress::parse("192.0.2.2:1234"));
  world.heard();
  EXPECT_EQ(world.say("EHLO front.example\r\n").find("XCLIENT"), std::string::npos);
  EXPECT_EQ(world.say("XCLIENT ADDR=198.51.100.7\r\n"), "502 5.5.1 Command not available\r\n");
  EXPECT_EQ(world.counters.get(Violation::proxy_untrusted), 1u);
}

TEST_F(Xclient, OctetByOctetAndPipelinedAreTheSame) {
  world.greet();
  std::string heard;
  for (const char octet : std::string("XCLIENT ADDR=198.51.100.7 HELO=friend.example\r\n"))
    heard += world.say({&octet, 1});
  EXPECT_THAT(heard, StartsWith("220 "));
  heard = world.say("EHLO front.example\r\nMAIL FROM:<ann@example.org>\r\n");
  EXPECT_THAT(heard, StartsWith("554 5.5.0 ")) << "EHLO is waited for";
}

}  // namespace
}  // namespace sallyport::session
