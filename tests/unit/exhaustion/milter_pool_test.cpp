// R7 for the pool of connections to milters: whatever allocation fails while a connection is given back, it and those
// after it are told farewell to in time.
#include "tests/unit/exhaustion/injector.h"
#include "tests/unit/milters/pool_fixture.h"

namespace sallyport::policies {
namespace {

using exhaustion::Failing;
using std::chrono::seconds;

using MilterPoolExhaustion = MilterPoolFixture;

TEST_F(MilterPoolExhaustion, ConnectionsAreSweptWhateverHasFailed) {
  const Client client = client_at("192.0.2.1");
  const MilterUser user(client);
  std::uint64_t failures = 1;
  for (std::uint64_t first = 1; failures > 0; ++first) {
    SCOPED_TRACE("allocation " + std::to_string(first));
    ASSERT_LT(first, 100u);
    auto one = acquire(user);
    ASSERT_TRUE(one);
    {
      const Failing failing({.first = first});
      pool.give_back(hub(), true, std::move(*one));
      failures = failing.failures();
    }
    auto next = acquire(user);
    ASSERT_TRUE(next);
    pool.give_back(hub(), true, std::move(*next));
    loop.advance(seconds(70));  // more than a connection is kept
    ASSERT_EQ(dialer.scripts_running(), 0u) << "a connection that nobody looks after";
  }
}

}  // namespace
}  // namespace sallyport::policies
