#include "gateway/resolver/follow.h"

#include <gtest/gtest.h>

namespace sallyport::resolver {
namespace {

using dns::Status;
using dns::Type;
using std::chrono::seconds;

dns::Record cname(std::string owner, std::string target, std::uint32_t ttl = 300) {
  return {std::move(owner), Type::CNAME, ttl, std::move(target)};
}
dns::Record address(std::string owner, std::uint32_t ttl = 300) {
  return {std::move(owner), Type::A, ttl, IpAddress::v4({192, 0, 2, 1})};
}
dns::Response response(std::vector<dns::Record> answers, dns::Rcode rcode = dns::Rcode::noerror) {
  dns::Response made;
  made.answers = std::move(answers);
  made.rcode = rcode;
  return made;
}
Chain from(std::string name) {
  Chain chain;
  chain.name = std::move(name);
  return chain;
}
// "n1" -> "n2" -> ... of so many links; with the address at the end.
dns::Response chain_of(unsigned links) {
  dns::Response made = response({address("n" + std::to_string(links))});
  for (unsigned n = 0; n < links; ++n) {
    made.answers.push_back(cname("n" + std::to_string(n), "n" + std::to_string(n + 1)));
  }
  return made;
}

TEST(Follow, TakesTheRecordsOfTheNameAndTypeOnly) {
  Chain chain = from("a");
  dns::Response given = response({address("b"), address("a", 100), address("a", 200)});
  given.answers.push_back({"a", Type::TXT, 5, std::string("text")});
  auto answer = follow(given, Type::A, chain);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, Status::ok);
  EXPECT_EQ(answer->records.size(), 2u);
  EXPECT_EQ(answer->ttl, seconds(100));
}

TEST(Follow, GoesAlongAChainWithTheSmallestTtl) {
  Chain chain = from("a");
  auto answer = follow(response({address("c"), cname("b", "c", 7), cname("a", "b", 60)}), Type::A, chain);
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->found());
  EXPECT_EQ(answer->ttl, seconds(7));
}

TEST(Follow, ACnameThatWasAskedForIsNotFollowed) {
  Chain chain = from("a");
  auto answer = follow(response({cname("a", "b"), cname("b", "c")}), Type::CNAME, chain);
  ASSERT_TRUE(answer);
  ASSERT_EQ(answer->records.size(), 1u);
  EXPECT_EQ(answer->records[0], dns::RecordData(std::string("b")));
}

TEST(Follow, BoundsTheTtl) {
  Chain chain = from("a");
  EXPECT_EQ(follow(response({address("a", 0x7fffffff)}), Type::A, chain)->ttl, most_ttl);
  dns::Response absent = response({}, dns::Rcode::nxdomain);
  absent.negative_ttl = 100000;
  EXPECT_EQ(follow(absent, Type::A, chain)->ttl, most_negative_ttl);
  absent.negative_ttl.reset();
  EXPECT_EQ(follow(absent, Type::A, chain)->ttl, plain_negative_ttl);
  absent.negative_ttl = 3;
  EXPECT_EQ(follow(absent, Type::A, chain)->ttl, seconds(3));
}

TEST(Follow, TellsNoDataFromNoName) {
  Chain chain = from("a");
  EXPECT_EQ(follow(response({}), Type::A, chain)->status, Status::no_data);
  EXPECT_EQ(follow(response({}, dns::Rcode::nxdomain), Type::A, chain)->status, Status::nxdomain);
}

TEST(Follow, ALinkToNothingIsNothing) {
  Chain chain = from("a");
  dns::Response dangling = response({cname("a", "b", 20)}, dns::Rcode::nxdomain);
  dangling.negative_ttl = 300;
  auto answer = follow(dangling, Type::A, chain);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, Status::nxdomain);
  EXPECT_EQ(answer->ttl, seconds(20)) << "the link may change first";
}

TEST(Follow, ALinkToANameWithoutTheTypeIsNoData) {
  Chain chain = from("a");
  dns::Response absent = response({cname("a", "b")});
  absent.negative_ttl = 300;
  EXPECT_EQ(follow(absent, Type::A, chain)->status, Status::no_data);
}

TEST(Follow, AsksForTheTargetThatAResponseDoesNotKnow) {
  Chain chain = from("a");
  EXPECT_FALSE(follow(response({cname("a", "b", 20)}), Type::A, chain));
  EXPECT_EQ(chain.name, "b");
  EXPECT_EQ(chain.links, 1u);
  auto answer = follow(response({address("b", 300)}), Type::A, chain);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ttl, seconds(20));
}

// threats.md D3
TEST(Follow, GivesUpAfterEightLinks) {
  Chain chain = from("n0");
  EXPECT_EQ(follow(chain_of(8), Type::A, chain)->status, Status::ok);
  chain = from("n0");
  EXPECT_EQ(follow(chain_of(9), Type::A, chain)->status, Status::servfail);
}

TEST(Follow, CountsTheLinksOfAllResponses) {
  Chain chain = from("a");
  for (unsigned n = 0; n < 8; ++n) {
    std::string next = chain.name + "x";
    ASSERT_FALSE(follow(response({cname(chain.name, next)}), Type::A, chain)) << n;
  }
  auto answer = follow(response({cname(chain.name, "end"), address("end")}), Type::A, chain);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, Status::servfail);
}

TEST(Follow, ALoopIsAFailure) {
  Chain chain = from("a");
  EXPECT_EQ(follow(response({cname("a", "b"), cname("b", "a")}), Type::A, chain)->status, Status::servfail);
  chain = from("a");
  EXPECT_EQ(follow(response({cname("a", "a")}), Type::A, chain)->status, Status::servfail);
}

TEST(Follow, ATargetThatCannotBeAskedForIsAFailure) {
  Chain chain = from("a");
  EXPECT_EQ(follow(response({cname("a", "b\\.c.example")}), Type::A, chain)->status, Status::servfail);
}

}  // namespace
}  // namespace sallyport::resolver
