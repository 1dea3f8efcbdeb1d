// What a reload takes over of the servers, and what our EHLO may offer.
#include "gateway/upstream/registry.h"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.h"

namespace sallyport::upstream {
namespace {

const SocketAddress one = *SocketAddress::parse("10.0.0.5:25");
const SocketAddress two = *SocketAddress::parse("10.0.0.6:25");

class RegistryTest : public testing::Test {
 protected:
  config::UpstreamSettings& upstream(const std::string& name, std::vector<Endpoint> servers) {
    config::UpstreamSettings& group = settings.upstreams[name];
    group.name = name;
    group.servers = std::move(servers);
    return group;
  }
  static std::shared_ptr<UpstreamServer> server(const UpstreamGroups& groups, const std::string& name,
                                                std::size_t index = 0) {
    return groups.at(name)->servers.at(index);
  }

  config::Settings settings;
  UpstreamRegistry registry;
};

TEST_F(RegistryTest, AServerStaysTheSameOverAReload) {
  upstream("default", {one, two});
  UpstreamGroups before = registry.make_groups(settings, {});
  upstream("default", {two});
  settings.hostname = "mx2.example.com";
  UpstreamGroups after = registry.make_groups(settings, {});
  EXPECT_EQ(server(before, "default", 1), server(after, "default"));
  EXPECT_NE(before.at("default"), after.at("default"));
  EXPECT_EQ(after.at("default")->ehlo_name, "mx2.example.com");
  EXPECT_LT(before.at("default")->serial, after.at("default")->serial);
}

TEST_F(RegistryTest, TheSameAddressInAnotherGroupOrByOtherTlsIsAnotherServer) {
  upstream("default", {one});
  upstream("other", {one});
  UpstreamGroups before = registry.make_groups(settings, {});
  EXPECT_NE(server(before, "default"), server(before, "other"));
  upstream("default", {one}).tls.mode = tls::UpstreamTls::verify;
  UpstreamGroups after = registry.make_groups(settings, {});
  EXPECT_NE(server(before, "default"), server(after, "default"))
      << "a connection without TLS must not be used where it is required";
  EXPECT_EQ(server(before, "other"), server(after, "other"));
}

TEST_F(RegistryTest, ForgetsServersThatNobodyUses) {
  upstream("default", {one, two});
  UpstreamGroups groups = registry.make_groups(settings, {});
  std::shared_ptr<UpstreamServer> in_use = server(groups, "default", 1);
  EXPECT_EQ(registry.size(), 2u);
  groups.clear();
  EXPECT_EQ(registry.size(), 1u);
  EXPECT_EQ(server(registry.make_groups(settings, {}), "default", 1), in_use);
}

TEST_F(RegistryTest, OffersWhatEveryServerOfEveryGroupHas) {
  upstream("default", {one});
  upstream("other", {two});
  UpstreamGroups groups = registry.make_groups(settings, {});
  smtp::Extensions own;
  own.eight_bit_mime = own.smtputf8 = true;
  smtp::Extensions both;
  both.eight_bit_mime = both.smtputf8 = true;
  server(groups, "default")->learned(both);
  EXPECT_FALSE(offer(groups, own).eight_bit_mime) << "nothing is known of the other one";
  smtp::Extensions eight_bit_only;
  eight_bit_only.eight_bit_mime = true;
  server(groups, "other")->learned(eight_bit_only);
  EXPECT_TRUE(offer(groups, own).eight_bit_mime);
  EXPECT_FALSE(offer(groups, own).smtputf8);
}

TEST_F(RegistryTest, AServerThatWasNeverSeenHasNoSayUnlessItIsTheOnlyOne) {
  upstream("default", {one, two});
  UpstreamGroups groups = registry.make_groups(settings, {});
  smtp::Extensions all;
  all.eight_bit_mime = all.smtputf8 = all.dsn = true;
  EXPECT_FALSE(offer(groups, all).eight_bit_mime) << "none has been seen";
  server(groups, "default", 1)->learned(all);
  EXPECT_TRUE(offer(groups, all).eight_bit_mime);
  EXPECT_TRUE(offer(groups, all).smtputf8);
  EXPECT_TRUE(server(groups, "default", 1)->failed_to_connect(Time(std::chrono::hours(1)), "refused", false));
  EXPECT_TRUE(offer(groups, all).dsn) << "away, it keeps its last word";
  server(groups, "default", 0)->learned(smtp::Extensions{});
  EXPECT_FALSE(offer(groups, all).eight_bit_mime);
}

TEST_F(RegistryTest, OffersWhatTheConfigurationPromisesWhateverIsKnown) {
  upstream("default", {one}).extensions = {false, {"8BITMIME", "DSN"}};
  UpstreamGroups groups = registry.make_groups(settings, {});
  smtp::Extensions all;
  all.eight_bit_mime = all.smtputf8 = all.dsn = all.size = true;
  all.max_size = 1000;
  EXPECT_TRUE(offer(groups, all).eight_bit_mime);
  EXPECT_TRUE(offer(groups, all).dsn);
  EXPECT_FALSE(offer(groups, all).smtputf8);
  smtp::Extensions seen;
  seen.smtputf8 = seen.size = true;
  seen.max_size = 500;
  server(groups, "default")->learned(seen);
  EXPECT_TRUE(offer(groups, all).eight_bit_mime);
  EXPECT_FALSE(offer(groups, all).smtputf8);
  EXPECT_EQ(offer(groups, all).max_size, 500u) << "sizes are no promise";
  upstream("other", {two});
  EXPECT_FALSE(offer(registry.make_groups(settings, {}), all).eight_bit_mime) << "the other upstream was never seen";
}

TEST_F(RegistryTest, SaysThatAMailHasOneRecipientWhereAllServersSpeakLmtp) {
  upstream("default", {one}).protocol = config::UpstreamProtocol::lmtp;
  smtp::Extensions own;
  own.rcpt_max = 1000;
  EXPECT_EQ(offer(registry.make_groups(settings, {}), own).rcpt_max, 1u);
  upstream("other", {two});
  EXPECT_EQ(offer(registry.make_groups(settings, {}), own).rcpt_max, 1000u);
}

TEST_F(RegistryTest, EveryAddressOfANameIsAServerAndStaysItOverChanges) {
  struct Resolver final : io::Resolver {
    Task<dns::Answer> lookup(dns::Question question, Time) override {
      dns::Answer answer;
      answer.status = question.type == dns::Type::A ? dns::Status::ok : dns::Status::no_data;
      if (answer.found()) answer.records = {one.ip, last};
      answer.ttl = std::chrono::seconds(1);
      co_return answer;
    }
    IpAddress last = two.ip;
  };
  Resolver dns;
  support::ManualLoop loop;
  const auto look_up = [&] {
    loop.advance(NameBook::longest_life);
    static_cast<void>(
        loop.run_until_done(registry.names().refresh(names_of(settings), {}, dns, loop.scheduler(), Time::max())));
    return registry.make_groups(settings, {});
  };
  upstream("default", {Endpoint::name("mail.acme.internal", 25), one, Endpoint::unix_socket("/run/lmtp")});
  EXPECT_EQ(registry.make_groups(settings, {}).at("default")->servers.size(), 2u) << "the name is not known yet";

  UpstreamGroups groups = look_up();
  ASSERT_EQ(groups.at("default")->servers.size(), 3u) << "an address that is named twice is one server";
  EXPECT_EQ(server(groups, "default", 0)->address().to_string(), "10.0.0.5:25");
  EXPECT_EQ(server(groups, "default", 0)->address().certificate_name(), "mail.acme.internal");
  EXPECT_EQ(server(groups, "default", 1)->address().to_string(), "10.0.0.6:25");
  EXPECT_EQ(server(groups, "default", 2)->address().to_string(), "unix:/run/lmtp");

  dns.last = *IpAddress::parse("10.0.0.7");
  UpstreamGroups after = look_up();
  EXPECT_EQ(server(after, "default", 0), server(groups, "default", 0)) << "with what is known of it";
  EXPECT_EQ(server(after, "default", 1)->address().to_string(), "10.0.0.7:25");
  EXPECT_FALSE(server(after, "default", 1)->extensions());

  smtp::Extensions seen;
  seen.dsn = true;
  server(after, "default", 1)->learned(seen);
  dns.last = *IpAddress::parse("10.0.0.8");
  UpstreamGroups last = look_up();
  ASSERT_TRUE(server(last, "default", 1)->extensions())
      << "the word of the name's other servers, until it has said more";
  EXPECT_TRUE(server(last, "default", 1)->extensions()->dsn);
}

TEST_F(RegistryTest, ServersTakeTheirLastWordFromBeforeTheStart) {
  upstream("default", {one, two}).hide = {"DSN"};
  UpstreamGroups groups = registry.make_groups(settings, {});
  smtp::Extensions seen;
  seen.smtputf8 = true;
  server(groups, "default", 1)->learned(seen);
  registry.recall({{"default", "10.0.0.5:25", "", {"", "8BITMIME", "DSN", "SIZE 1000"}},
                   {"default", "10.0.0.6:25", "", {"", "8BITMIME"}},
                   {"other", "10.0.0.7:25", "", {"", "DSN"}}});
  ASSERT_TRUE(server(groups, "default", 0)->extensions());
  EXPECT_TRUE(server(groups, "default", 0)->extensions()->eight_bit_mime);
  EXPECT_FALSE(server(groups, "default", 0)->extensions()->dsn) << "hidden by now";
  EXPECT_EQ(server(groups, "default", 0)->extensions()->max_size, 1000u);
  EXPECT_TRUE(server(groups, "default", 1)->extensions()->smtputf8) << "what was heard since counts more";
  EXPECT_FALSE(server(groups, "default", 1)->extensions()->eight_bit_mime);
  upstream("other", {*SocketAddress::parse("10.0.0.7:25"), *SocketAddress::parse("10.0.0.8:25")});
  groups = registry.make_groups(settings, {});
  EXPECT_TRUE(server(groups, "other", 0)->extensions()->dsn) << "a server that a reload brings";
  EXPECT_FALSE(server(groups, "other", 1)->extensions());
}

TEST_F(RegistryTest, ANewProtocolOrHiddenKeywordMakesAnotherServer) {
  config::UpstreamSettings& group = upstream("default", {one});
  UpstreamGroups before = registry.make_groups(settings, {});
  group.hide = {"DSN"};
  UpstreamGroups hidden = registry.make_groups(settings, {});
  EXPECT_NE(server(before, "default"), server(hidden, "default")) << "its kept connections know more";
  group.protocol = config::UpstreamProtocol::lmtp;
  EXPECT_NE(server(hidden, "default"), server(registry.make_groups(settings, {}), "default"));
}

TEST_F(RegistryTest, OffersRequireTlsOnlyWhereCertificatesAreVerified) {
  upstream("default", {one}).tls.mode = tls::UpstreamTls::require;
  UpstreamGroups groups = registry.make_groups(settings, {});
  smtp::Extensions can;
  can.requiretls = true;
  server(groups, "default")->learned(can);
  EXPECT_FALSE(offer(groups, can).requiretls);
  upstream("default", {one}).tls.mode = tls::UpstreamTls::verify;
  groups = registry.make_groups(settings, {});
  server(groups, "default")->learned(can);
  EXPECT_TRUE(offer(groups, can).requiretls);
}

}  // namespace
}  // namespace sallyport::upstream
