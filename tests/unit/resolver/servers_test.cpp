// Which server is asked when, what failures and CNAMEs come to, and what is kept.
#include <gtest/gtest.h>

#include "tests/unit/resolver/world.h"

namespace sallyport::resolver {
namespace {

using dns::Status;
using support::question_of;
using Servers = std::vector<SocketAddress>;

// The instants, from the first, at which something was sent.
std::vector<milliseconds> instants(const World& world) {
  std::vector<milliseconds> all;
  for (const auto& sent : world.network.sent()) {
    all.push_back(std::chrono::duration_cast<milliseconds>(sent.at - world.network.sent()[0].at));
  }
  return all;
}

void expect_about(milliseconds instant, milliseconds meant) {
  EXPECT_GE(instant, meant);
  EXPECT_LE(instant, meant + milliseconds(20));
}

support::MemoryNetwork::Responder only_second_answers() {
  return [](SocketAddress to, std::string_view query) {
    return to == second_server ? just(address_reply(query)) : std::vector<support::MemoryPacket>{};
  };
}

// -- D7
// -------------------------------------------------------------------------------------------------------------------

TEST(Servers, SilenceIsATimeoutInTime) {
  World world;
  Time before = world.loop.now();
  EXPECT_EQ(world.ask(example_a).status, Status::timeout);
  EXPECT_GE(world.loop.now() - before, seconds(5));
  EXPECT_LT(world.loop.now() - before, milliseconds(5050));
  world.expect_recorded(Fault::dns_timeout, 1);
  EXPECT_EQ(world.network.sockets_open(), 0u);
}

TEST(Servers, ASilentOneIsAskedThreeTimes) {
  World world;
  world.ask(example_a);
  auto at = instants(world);
  ASSERT_EQ(at.size(), 3u);
  expect_about(at[1], seconds(1));
  expect_about(at[2], seconds(3));
}

TEST(Servers, TheTimesAreSharesOfTheSetting) {
  World world;
  world.settings.timeout = milliseconds(500);
  world.ask(example_a);
  auto at = instants(world);
  ASSERT_EQ(at.size(), 3u);
  expect_about(at[1], milliseconds(100));
  expect_about(at[2], milliseconds(300));
}

TEST(Servers, TakeTurnsWhenSilent) {
  World world({first_server, second_server});
  world.ask(example_a);
  EXPECT_EQ(world.asked(), (Servers{first_server, second_server, first_server}));
}

TEST(Servers, TheOneThatAnsweredIsAskedFirst) {
  World world({first_server, second_server});
  world.network.set_responder(only_second_answers());
  EXPECT_TRUE(world.ask(example_a).found());
  EXPECT_TRUE(world.ask({"another.example.org", dns::Type::A}).found());
  EXPECT_EQ(world.asked(), (Servers{first_server, second_server, second_server}));
}

TEST(Servers, AnAnswerToALaterPacketCounts) {
  World world;
  world.network.set_responder([&world](SocketAddress, std::string_view query) {
    return just(address_reply(query), world.network.sent().size() == 1 ? seconds(4) : milliseconds(10));
  });
  EXPECT_TRUE(world.ask(example_a).found());
  EXPECT_EQ(world.network.sent().size(), 2u);
}

// -- failures
// -------------------------------------------------------------------------------------------------------------

TEST(Servers, AFailureIsFollowedByTheNextAtOnce) {
  for (unsigned rcode : {2u, 5u, 9u}) {
    World world({first_server, second_server});
    world.network.set_responder([rcode](SocketAddress to, std::string_view query) {
      return just(to == first_server ? DnsPacket::reply_to(query).rcode(rcode) : address_reply(query));
    });
    EXPECT_TRUE(world.ask(example_a).found()) << rcode;
    EXPECT_LT(instants(world)[1], milliseconds(20));
  }
}

TEST(Servers, WhenAllFailTheAnswerIsAFailure) {
  World world({first_server, second_server});
  world.network.set_responder(
      [](SocketAddress, std::string_view query) { return just(DnsPacket::reply_to(query).rcode(2)); });
  EXPECT_EQ(world.ask(example_a).status, Status::servfail);
  EXPECT_EQ(world.asked(), (Servers{first_server, second_server}));
  world.expect_recorded(Fault::dns_error, 1);
}

TEST(Servers, AFailureSaysMoreThanSilence) {
  World world({first_server, second_server});
  world.network.set_responder([](SocketAddress to, std::string_view query) {
    return to == first_server ? just(DnsPacket::reply_to(query).rcode(2)) : std::vector<support::MemoryPacket>{};
  });
  EXPECT_EQ(world.ask(example_a).status, Status::servfail);
  EXPECT_EQ(world.asked(), (Servers{first_server, second_server, second_server, second_server}));
}

TEST(Servers, AReferralIsAFailure) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    return just(DnsPacket::reply_to(query).record(DnsPacket::Section::authority, support::dns_name("org"), 2, 300,
                                                  support::dns_name("ns.example")));
  });
  EXPECT_EQ(world.ask(example_a).status, Status::servfail) << "and not: there is no such record";
}

TEST(Servers, AnUnreachableOneIsAFailureAtOnce) {
  World world;
  world.network.fail_traffic(io::Error::refused);
  Time before = world.loop.now();
  EXPECT_EQ(world.ask(example_a).status, Status::servfail);
  EXPECT_EQ(world.loop.now(), before);
}

TEST(Servers, NoSocketIsAFailureAtOnce) {
  World world;
  world.network.fail_open(io::Error::exhausted);
  EXPECT_EQ(world.ask(example_a).status, Status::servfail);
  EXPECT_EQ(world.questions(), 0u);
}

// To open a socket for packets, to send one, and to connect after an answer that did not fit.
TEST(Servers, AShortageOfOursIsNobodysNewsAndIsNotKept) {
  enum class Short : std::uint8_t { to_open, to_send, to_connect };
  for (const Short at : {Short::to_open, Short::to_send, Short::to_connect}) {
    World world({first_server, second_server});
    if (at == Short::to_open) world.network.fail_open(io::Error::exhausted);
    if (at == Short::to_send) world.network.fail_traffic(io::Error::exhausted);
    world.dialer.fail_all(io::Error::exhausted);
    world.network.set_responder(
        [](SocketAddress, std::string_view query) { return just(DnsPacket::reply_to(query).truncated()); });
    const Time before = world.loop.now();
    for (int i = 0; i < 2; ++i) {
      const dns::Answer answer = world.ask(example_a);
      EXPECT_EQ(answer.status, Status::servfail);
      EXPECT_TRUE(answer.from_cache) << "else something is learned of who could not be asked";
    }
    EXPECT_EQ(world.loop.now(), before);
    EXPECT_EQ(world.counters.get(Fault::resource), 2u);
    world.expect_recorded(Fault::dns_error, 0);
    world.expect_recorded(Fault::dns_timeout, 0);

    world.network.fail_open({});
    world.network.fail_traffic({});
    world.network.set_responder([](SocketAddress, std::string_view query) { return just(address_reply(query)); });
    const dns::Answer again = world.ask(example_a);
    EXPECT_EQ(again.status, Status::ok) << "at once";
    EXPECT_FALSE(again.from_cache);
    EXPECT_EQ(world.loop.now(), before);
  }
}

// With a socket for the first it might have answered, so the other's silence is no news either.
TEST(Servers, AShortageForOneAndSilenceOfTheOtherIsAShortage) {
  World world({first_server, second_server});
  world.network.set_responder([](SocketAddress to, std::string_view query) {
    if (to == second_server) return std::vector<support::MemoryPacket>();
    return just(DnsPacket::reply_to(query).truncated());
  });
  world.dialer.fail_all(io::Error::exhausted);
  for (const Duration patience : {seconds(60), seconds(2)}) {
    const dns::Answer answer = world.ask(example_a, patience);
    EXPECT_TRUE(answer.failed());
    EXPECT_TRUE(answer.from_cache);
  }
  world.expect_recorded(Fault::dns_timeout, 0);
}

TEST(Servers, ANameThatDnsCannotHoldIsNotAsked) {
  World world;
  EXPECT_EQ(world.ask({std::string(64, 'x') + ".example", dns::Type::A}).status, Status::nxdomain);
  EXPECT_EQ(world.ask({"a..example", dns::Type::A}).status, Status::nxdomain);
  EXPECT_EQ(world.questions(), 0u);
}

// -- what an answer is
// ----------------------------------------------------------------------------------------------------

TEST(Answers, TellNoNameFromNoData) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    bool is_missing = question_of(query).name.size() == 4;
    return just(DnsPacket::reply_to(query).rcode(is_missing ? 3 : 0).soa("example", 3600, 77));
  });
  dns::Answer missing = world.ask({"gone", dns::Type::A});
  EXPECT_EQ(missing.status, Status::nxdomain);
  EXPECT_EQ(missing.ttl, seconds(77));
  EXPECT_EQ(world.ask({"empty", dns::Type::A}).status, Status::no_data);
}

TEST(Answers, AskForTheTargetThatIsLeftOut) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::string name = question_of(query).name;
    if (name.size() == 3) return just(DnsPacket::reply_to(query).cname(name, "target.example"));
    return just(DnsPacket::reply_to(query).a(name, "192.0.2.9"));
  });
  EXPECT_EQ(world.ask({"www", dns::Type::A}).records, one_address("192.0.2.9"));
  EXPECT_EQ(world.questions(), 2u);
  EXPECT_TRUE(world.ask({"www", dns::Type::A}).from_cache) << "kept under the name that was asked for";
}

// threats.md D3, with a server that gives one link at a time.
TEST(Answers, ALoopAcrossAnswersIsAFailure) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    std::string name = question_of(query).name;
    return just(DnsPacket::reply_to(query).cname(name, name.size() == 1 ? "bb" : "a"));
  });
  EXPECT_EQ(world.ask({"a", dns::Type::A}).status, Status::servfail);
  EXPECT_EQ(world.questions(), 9u);
}

TEST(Answers, DoNotDependOnCaseOrFinalDot) {
  World world;
  world.network.set_responder(reply_with_address);
  EXPECT_TRUE(world.ask({"Host.Example.ORG.", dns::Type::A}).found());
  EXPECT_TRUE(world.ask(example_a).from_cache);
}

// A local part in an SPF macro can bring any octet into a name.
TEST(Answers, AreFoundForNamesOfAnyOctets) {
  World world;
  world.network.set_responder(reply_with_address);
  EXPECT_TRUE(world.ask({"a\\b c\xe4.example", dns::Type::A}).found());
}

// -- what is kept
// ---------------------------------------------------------------------------------------------------------

TEST(Kept, AnswersComeFromTheCacheUntilTheirTimeIsUp) {
  World world;
  world.network.set_responder(reply_with_address);
  world.ask(example_a);
  world.loop.advance(seconds(299));
  dns::Answer kept = world.ask(example_a);
  EXPECT_TRUE(kept.from_cache);
  EXPECT_EQ(kept.ttl, seconds(1));
  EXPECT_EQ(world.counters.get(Total::dns_cache_hits), 1u);
  EXPECT_EQ(world.questions(), 1u);
  world.loop.advance(seconds(1));
  EXPECT_FALSE(world.ask(example_a).from_cache);
  EXPECT_EQ(world.questions(), 2u);
}

TEST(Kept, AnAnswerWithoutTimeIsNotKept) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    return just(DnsPacket::reply_to(query).a(question_of(query).name, "192.0.2.1", 0));
  });
  EXPECT_TRUE(world.ask(example_a).found());
  EXPECT_FALSE(world.ask(example_a).from_cache);
}

TEST(Kept, AbsenceIsKeptForFifteenMinutesAtMost) {
  World world;
  world.network.set_responder([](SocketAddress, std::string_view query) {
    return just(DnsPacket::reply_to(query).rcode(3).soa("example.org", 86400, 86400));
  });
  world.ask(example_a);
  world.loop.advance(seconds(899));
  EXPECT_TRUE(world.ask(example_a).from_cache);
  world.loop.advance(seconds(1));
  EXPECT_FALSE(world.ask(example_a).from_cache);
}

TEST(Kept, ASilentServerDoesNotCostEverySessionTheTimeout) {
  World world;
  world.ask(example_a);
  dns::Answer again = world.ask(example_a);
  EXPECT_TRUE(again.from_cache);
  EXPECT_EQ(again.status, Status::timeout);
  world.expect_recorded(Fault::dns_timeout, 1);
}

// threats.md R9: whoever asks again is served five seconds after the server is back.
TEST(Kept, FailuresAreForgottenInTime) {
  for (bool is_silent : {false, true}) {
    World world;
    bool is_back = false;
    world.network.set_responder([&](SocketAddress, std::string_view query) {
      if (is_back) return just(address_reply(query));
      return is_silent ? std::vector<support::MemoryPacket>{} : just(DnsPacket::reply_to(query).rcode(2));
    });
    async::Nursery first(world.loop.scheduler());
    dns::Answer answer;
    auto store = [&answer](dns::Answer given) { answer = std::move(given); };
    first.spawn(ask_and(world, example_a, store));
    world.loop.advance(milliseconds(3100));  // the last packet has just been sent
    is_back = true;
    world.loop.advance(milliseconds(4900));
    EXPECT_TRUE(answer.failed());
    EXPECT_TRUE(world.ask(example_a).found()) << is_silent;
  }
}

}  // namespace
}  // namespace sallyport::resolver
