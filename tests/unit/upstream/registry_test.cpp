// What a reload takes over of the servers, and what our EHLO may offer.
#include "gateway/upstream/registry.h"

#include <gtest/gtest.h>

namespace sallyport::upstream {
namespace {

const SocketAddress one = *SocketAddress::parse("10.0.0.5:25");
const SocketAddress two = *SocketAddress::parse("10.0.0.6:25");

class RegistryTest : public testing::Test {
 protected:
  config::UpstreamSettings& upstream(const std::string& name, std::vector<SocketAddress> servers) {
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
