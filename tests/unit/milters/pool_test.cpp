#include "tests/unit/milters/pool_fixture.h"

namespace sallyport::policies {
namespace {

class MilterShares : public MilterPoolFixture {
 protected:
  MilterShares() { milter.max_connections = 4; }
  // How many connections clients at these addresses get, who all keep theirs.
  std::size_t got_by(const std::vector<std::string>& addresses) {
    std::size_t got = 0;
    for (const std::string& ip : addresses) {
      users_.push_back(std::make_unique<MilterUser>(client_at(ip)));
      auto one = acquire(*users_.back());
      if (!one) continue;
      taken_.push_back(std::move(*one));
      ++got;
    }
    return got;
  }

 private:
  std::vector<std::unique_ptr<MilterUser>> users_;
  std::vector<std::unique_ptr<MilterConnection>> taken_;
};

TEST_F(MilterShares, OneAddressHasHalf) {
  EXPECT_EQ(got_by({"192.0.2.1", "192.0.2.1", "192.0.2.1"}), 2u);
  EXPECT_EQ(got_by({"192.0.2.2", "192.0.2.3", "192.0.2.4"}), 2u);
}

TEST_F(MilterShares, TheNetworksOfOneStrangerHaveHalf) {
  EXPECT_EQ(got_by({"2001:db8:7:1::1", "2001:db8:7:2::1", "2001:db8:7:3::1", "2001:db8:7:ff00::1"}), 2u);
  EXPECT_EQ(got_by({"2001:db8:8::1"}), 1u);
  EXPECT_EQ(got_by({"192.0.2.1"}), 1u);
}

TEST_F(MilterShares, WhoIsTrustedMayHaveAll) {
  Client client = client_at("2001:db8:7:1::1");
  client.is_trusted = true;
  const MilterUser user(client);
  std::vector<MilterPool::Acquired> taken;
  for (int i = 0; i < 4; ++i) {
    taken.push_back(acquire(user));
    EXPECT_TRUE(taken.back());
  }
}

}  // namespace
}  // namespace sallyport::policies
