// Which server a mail goes to.
#include "gateway/upstream/balance.h"

#include <gtest/gtest.h>

namespace sallyport::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Balance : public testing::Test {
 protected:
  Balance() {
    for (const char* address : {"10.0.0.5:25", "10.0.0.6:25", "10.0.0.7:25"})
      group.servers.push_back(std::make_shared<UpstreamServer>(*SocketAddress::parse(address)));
    group.settings.balance = config::Balance::least_sessions;
  }
  // Their numbers, the best first.
  std::string order(const UpstreamServer* preferred = nullptr) const {
    std::string numbers;
    for (const UpstreamServer* server : candidates(group, failed, preferred, now)) {
      for (std::size_t i = 0; i < group.servers.size(); ++i) {
        if (group.servers[i].get() == server) numbers += std::to_string(i);
      }
    }
    return numbers;
  }
  void occupy(std::size_t server, int connections) {
    for (int i = 0; i < connections; ++i) EXPECT_TRUE(group.servers[server]->acquire_slot(100, now));
  }

  Time now{std::chrono::hours(1)};
  UpstreamGroup group;
  std::vector<FailedServer> failed;
};

TEST_F(Balance, ByTheNumberOfConnections) {
  EXPECT_EQ(order(), "012");
  occupy(0, 2);
  occupy(1, 1);
  EXPECT_EQ(order(), "210");
  group.settings.balance = config::Balance::failover;
  EXPECT_EQ(order(), "012");
}

TEST_F(Balance, AQuickRefusalDrawsNoMail) {
  occupy(1, 5);
  occupy(2, 5);
  group.servers[0]->refused_for_now(now);
  EXPECT_EQ(order(), "120");
  group.settings.balance = config::Balance::failover;
  EXPECT_EQ(order(), "120");
  now += seconds(3);
  EXPECT_EQ(order(), "012") << "it is tried again";
}

TEST_F(Balance, ASlowServerGetsLess) {
  for (int i = 0; i < 60; ++i) group.servers[0]->answered_after(milliseconds(400));
  for (int i = 0; i < 60; ++i) group.servers[1]->answered_after(milliseconds(5));
  EXPECT_EQ(order(), "120");
  occupy(1, 4);
  occupy(2, 4);
  EXPECT_EQ(order(), "120");
  occupy(1, 40);
  occupy(2, 40);
  EXPECT_EQ(order(), "012") << "less, not nothing";
}

TEST_F(Balance, WithoutThoseThatAreDownOrHaveFailed) {
  static_cast<void>(group.servers[1]->failed_to_connect(now, "refused", false));
  EXPECT_EQ(order(), "02");
  failed.push_back({group.servers[0].get(), {}});
  EXPECT_EQ(order(), "2");
}

TEST_F(Balance, ThePreferredOneComesFirst) {
  occupy(2, 9);
  EXPECT_EQ(order(group.servers[2].get()), "201");
}

TEST_F(Balance, WhoHasRecoveredIsForgiven) {
  static_cast<void>(group.servers[0]->failed_to_connect(now, "refused", false));
  failed.push_back({group.servers[0].get(), {UpstreamError::Kind::down, "refused"}, false, true});
  failed.push_back({group.servers[1].get(), {UpstreamError::Kind::down, "reset at MAIL"}});
  EXPECT_FALSE(forgive(failed, now));
  EXPECT_EQ(order(), "2");
  now += seconds(3);
  EXPECT_TRUE(forgive(failed, now));
  EXPECT_EQ(order(), "02") << "a server that failed this mail is not asked for it again";
  EXPECT_FALSE(forgive(failed, now));
}

}  // namespace
}  // namespace sallyport::upstream
