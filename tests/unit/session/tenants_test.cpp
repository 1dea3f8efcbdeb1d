// Several tenants behind one gateway, and configurations that change while a client is connected.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

using policies::Stage;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Refuses every message, for those whose settings have it on.
class Strict final : public TestPolicy {
 public:
  std::string_view name() const override { return "strict"; }
  void judge(Stage stage, const policies::Transaction& mail, const policies::Facts&,
             policies::Verdicts& out) const override {
    if (stage == Stage::message) out.add(policies::Verdict::reject("5.7.1", "Not for " + mail.tenant.name));
  }
};

class Tenants : public testing::Test {
 protected:
  std::string rcpt(const std::string& to) { return world.say("RCPT TO:<" + to + ">\r\n"); }
  std::string begin(const std::string& to) {
    world.say("MAIL FROM:<ann@example.org>\r\n");
    return rcpt(to);
  }
  std::string content() {
    world.say("DATA\r\n");
    return world.say("Subject: x\r\n\r\nhello\r\n.\r\n");
  }
  static bool is_accepted(const std::string& reply) { return reply == "250 2.1.5 Ok\r\n"; }

  FakeUpstream other_server;
  World world;
};

// S22: also where both have the same upstream.
TEST_F(Tenants, HaveOneTransactionEach) {
  world.add_tenant("acme", "acme.example", "default");
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_THAT(rcpt("eve@acme.example"), StartsWith("452 4.5.3 Send the message to this recipient separately (id "));
  EXPECT_TRUE(is_accepted(rcpt("kim@example.com")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.upstream.stored.at(0).rcpts.size(), 2u);
  EXPECT_TRUE(is_accepted(begin("eve@acme.example")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.counters.get(Violation::split_route), 1u);
  EXPECT_EQ(world.log.count({"event=transaction", "tenant=acme", "nrcpt=1"}), 1u);
  EXPECT_EQ(world.log.count({"event=transaction", "tenant=default", "nrcpt=2"}), 1u);
}

// I13: one that has half of all places leaves the rest to the others; where there is one tenant, it has all.
TEST_F(Tenants, HaveNoMoreThanTheirPartOfAllPlaces) {
  world.add_tenant("acme", "acme.example", "default");
  world.slots.places_for_mails = 0;
  world.greet();
  EXPECT_THAT(begin("eve@acme.example"), StartsWith("451 4.3.2 Too many messages for this domain at once"));
  EXPECT_EQ(world.log.count({"event=recipient", "tenant=", "check=resource", "because=\"tenant acme has half of all"}),
            1u);
  EXPECT_EQ(world.counters.get(Fault::resource), 1u);
  world.slots.places_for_mails = 1;
  EXPECT_TRUE(is_accepted(rcpt("eve@acme.example")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
}

TEST_F(Tenants, AloneHasAllPlaces) {
  world.slots.places_for_mails = 0;
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
}

TEST_F(Tenants, HaveTheirOwnUpstreams) {
  world.add_upstream("exchange", second_server);
  world.add_tenant("acme", "acme.example", "exchange");
  world.dialer.serve(second_server, [this](std::unique_ptr<support::MemoryStream> stream) {
    return other_server.serve(std::move(stream));
  });
  world.greet();
  EXPECT_TRUE(is_accepted(begin("eve@acme.example")));
  EXPECT_THAT(rcpt("bob@example.com"), StartsWith("452 4.5.3 "));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(other_server.stored.size(), 1u);
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(world.records.all.back().transaction.route.upstream, "exchange");
  EXPECT_EQ(world.records.all.back().upstream, "10.0.0.6:25");
}

// A recipient who was refused binds nothing, not even the tenant.
TEST_F(Tenants, AreToldByTheFirstRecipientThatIsAccepted) {
  world.add_tenant("acme", "acme.example", "default");
  world.upstream.queued["RCPT"] = {"550 5.1.1 no such user\r\n"};
  world.greet();
  EXPECT_EQ(begin("ghost@acme.example"), "550 5.1.1 no such user\r\n");
  EXPECT_TRUE(is_accepted(rcpt("bob@example.com")));
  EXPECT_THAT(rcpt("eve@acme.example"), StartsWith("452 4.5.3 "));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.records.all.back().transaction.tenant.name, "default");
}

TEST_F(Tenants, AreJudgedByTheirOwnSettings) {
  world.add(std::make_unique<Strict>());
  world.settings.policy.edit(test_sections[0]).mode = policies::Mode::off;
  world.add_tenant("acme", "acme.example", "default").edit(test_sections[0]).mode = policies::Mode::enforce;
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_TRUE(is_accepted(begin("eve@acme.example")));
  EXPECT_THAT(content(), StartsWith("550 5.7.1 Not for acme (id "));
  EXPECT_EQ(world.log.count({"event=transaction", "tenant=acme", "check=strict"}), 1u);
}

TEST_F(Tenants, ServeTheirDomainsInUnicodeToo) {
  world.settings.tenants["default"].domains = {"xn--strae-oqa.example"};
  world.greet();
  world.say("MAIL FROM:<ann@example.org> SMTPUTF8\r\n");
  EXPECT_TRUE(
      is_accepted(rcpt("bob@stra\xc3\x9f"
                       "e.example")));
}

// ---- reload ----

TEST_F(Tenants, ComeAndGoBetweenTheMailsOfOneConnection) {
  world.greet();
  EXPECT_THAT(begin("eve@acme.example"), StartsWith("550 5.7.1 Relaying denied "));
  world.say("RSET\r\n");
  world.add_tenant("acme", "acme.example", "default");
  world.reload();
  EXPECT_TRUE(is_accepted(begin("eve@acme.example")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.records.all.back().configuration, "configuration 2");
}

TEST_F(Tenants, StayWithAMailThatHasBegun) {
  world.add_tenant("acme", "acme.example", "default");
  world.greet();
  EXPECT_TRUE(is_accepted(begin("eve@acme.example")));
  world.settings.tenants.erase("acme");
  world.reload();
  EXPECT_TRUE(is_accepted(rcpt("kim@acme.example"))) << "the mail goes by the configuration of its MAIL";
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.records.all.back().configuration, "configuration 1");
  EXPECT_THAT(begin("eve@acme.example"), StartsWith("550 5.7.1 Relaying denied "));
}

TEST_F(Tenants, AMailHasTheLimitsOfItsMail) {
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  world.settings.limits.recipients = 1;
  world.settings.hostname = "mx2.example.com";
  world.reload();
  EXPECT_TRUE(is_accepted(rcpt("kim@example.com")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_THAT(world.upstream.stored.back().content, HasSubstr("\tby mx.example.com "));

  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_THAT(rcpt("kim@example.com"), StartsWith("452 4.5.3 "));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_THAT(world.upstream.stored.back().content, HasSubstr("\tby mx2.example.com "));
  EXPECT_EQ(world.say("QUIT\r\n"), "221 2.0.0 mx.example.com Bye\r\n") << "the connection goes by its own";
}

// What EHLO has promised holds, whatever the new configuration says.
TEST_F(Tenants, APromiseOfEhloHolds) {
  world.settings.limits.message_size = 1000;
  world.greet();
  world.settings.limits.message_size = 10;
  world.reload();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
}

TEST_F(Tenants, PoliciesOfAReloadJudgeTheNextMail) {
  world.add(std::make_unique<Strict>());
  world.settings.policy.edit(test_sections[0]).mode = policies::Mode::off;
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  world.settings.policy.edit(test_sections[0]).mode = policies::Mode::enforce;
  world.reload();
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_THAT(content(), StartsWith("550 5.7.1 Not for default "));
}

TEST_F(Tenants, AnUpstreamThatMovesTakesTheNextMail) {
  world.dialer.serve(second_server, [this](std::unique_ptr<support::MemoryStream> stream) {
    return other_server.serve(std::move(stream));
  });
  world.greet();
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  world.settings.upstreams["default"].servers = {second_server};
  world.reload();
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(world.upstream.stored.size(), 1u) << "where its recipient was accepted";
  EXPECT_TRUE(is_accepted(begin("bob@example.com")));
  EXPECT_EQ(content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(other_server.stored.size(), 1u);
}

}  // namespace
}  // namespace sallyport::session
