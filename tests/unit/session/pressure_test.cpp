// Slow clients (threats.md R1, R2), and what changes while memory or places are scarce (R3).
#include <gtest/gtest.h>

#include "tests/unit/session/world.h"

namespace sallyport::session {
namespace {

using Level = io::Pressure::Level;
using std::chrono::seconds;

constexpr std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";

void begin_data(World& world) {
  world.greet();
  world.say(group);
  world.say("DATA\r\n");
}

void begin_chunk(World& world) {
  world.greet();
  world.say(group);
  world.say("BDAT 9000000\r\n");
}

// Sends so many octets once a second until the session is over; gives after how many seconds that was, at most so many.
int seconds_of_life(World& world, std::size_t octets_a_second, int most) {
  const std::string line =
      octets_a_second < 3 ? std::string(octets_a_second, 'x') : std::string(octets_a_second - 2, 'x') + "\r\n";
  for (int second = 0; second < most; ++second) {
    world.client->send(line);
    world.advance(seconds(1));
    if (world.is_over()) return second + 1;
  }
  return most;
}

struct Rate {
  std::uint64_t rate;
  seconds after;
};

class ContentRate : public testing::TestWithParam<Rate> {};

TEST_P(ContentRate, BelowItTheSessionEndsInTime) {
  for (void (*begin)(World&) : {begin_data, begin_chunk}) {
    World world;
    world.settings.limits.data_rate = GetParam().rate;
    world.settings.timeouts.data_rate_after = GetParam().after;
    world.settings.limits.message_size = 1u << 30;
    begin(world);
    const int after = static_cast<int>(GetParam().after.count());
    EXPECT_EQ(seconds_of_life(world, GetParam().rate * 4 / 5, 10 * after), after);
    EXPECT_TRUE(world.heard().starts_with("421 4.4.2 "));
    EXPECT_EQ(world.counters.get(Violation::slow_client), 1u);
    EXPECT_EQ(world.upstream.stored.size(), 0u);
  }
}

TEST_P(ContentRate, AboveItItGoesOn) {
  for (void (*begin)(World&) : {begin_data, begin_chunk}) {
    World world;
    world.settings.limits.data_rate = GetParam().rate;
    world.settings.timeouts.data_rate_after = GetParam().after;
    world.settings.limits.message_size = 1u << 30;
    begin(world);
    const int most = static_cast<int>(GetParam().after.count()) * 10;
    EXPECT_EQ(seconds_of_life(world, GetParam().rate * 6 / 5, most), most);
    EXPECT_FALSE(world.is_over());
    EXPECT_EQ(world.counters.get(Violation::slow_client), 0u);
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, ContentRate,
                         testing::Values(Rate{500, seconds(60)}, Rate{50, seconds(20)}, Rate{4000, seconds(7)}));

// What came at first counts on: a sender that was quick may be slow for as long as its average allows.
TEST(ContentPace, IsAnAverage) {
  World world;
  begin_data(world);
  std::string early;
  while (early.size() < 50'000) early += "0123456789\r\n";
  world.say(early);
  const int life = seconds_of_life(world, 10, 200);
  EXPECT_GE(life, 100);
  EXPECT_LE(life, 105);
}

TEST(ContentPace, CountsNoTimeThatIsNotTheClients) {
  config::Settings settings;
  ContentPace pace(settings);
  const Time now{};
  pace.waited(seconds(59));
  EXPECT_FALSE(pace.is_too_slow());
  EXPECT_EQ(pace.deadline(now), now + seconds(1));
  pace.came(60'000);
  EXPECT_EQ(pace.deadline(now), now + seconds(61));
  pace.waited(seconds(61));
  EXPECT_TRUE(pace.is_too_slow());
  EXPECT_EQ(pace.deadline(now), now);
  EXPECT_EQ(pace.describe(), "60000 octets in 120 s");
}

TEST(Pressure, CommandsHaveLessTime) {
  World world;
  world.greet();
  world.pressure.all = Level::high;
  world.say("NOOP\r\n");
  world.advance(seconds(9));
  EXPECT_FALSE(world.is_over());
  world.advance(seconds(2));
  EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
  EXPECT_EQ(world.counters.get(Violation::slow_client), 1u);
}

TEST(Pressure, TheFirstCommandAndALineThatTricklesHaveLessTimeToo) {
  World world;
  world.settings.timeouts.under_pressure = seconds(4);
  world.pressure.all = Level::high;
  world.connect();
  world.heard();
  world.say("EH");
  world.advance(seconds(3));
  world.say("LO");
  EXPECT_FALSE(world.is_over());
  world.advance(seconds(2));
  EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
}

TEST(Pressure, BlocksOfContentHaveLessTime) {
  for (void (*begin)(World&) : {begin_data, begin_chunk}) {
    World world;
    begin(world);
    world.pressure.all = Level::full;
    world.say("some text\r\n");
    world.advance(seconds(9));
    EXPECT_FALSE(world.is_over());
    world.advance(seconds(2));
    EXPECT_EQ(world.heard().substr(0, 10), "421 4.4.2 ");
    EXPECT_EQ(world.log.count({"event=transaction", "check=slow_client"}), 1u);
  }
}

// A span that is shorter anyway stays as it is.
TEST(Pressure, LengthensNothing) {
  World world;
  world.settings.timeouts.command = seconds(3);
  world.greet();
  world.pressure.all = Level::high;
  world.say("NOOP\r\n");
  world.advance(seconds(4));
  EXPECT_TRUE(world.is_over());
}

// Those who have been waited for since before the pressure are found by gives_way().
TEST(Pressure, ASilentSessionGivesWay) {
  World world;
  world.greet();
  EXPECT_FALSE(world.session->gives_way());
  world.advance(seconds(9));
  EXPECT_FALSE(world.session->gives_way());
  world.advance(seconds(2));
  EXPECT_TRUE(world.session->gives_way());
}

TEST(Pressure, ASessionThatHasJustSpokenDoesNotGiveWay) {
  World world;
  world.greet();
  world.advance(seconds(100));
  world.say("NOOP\r\n");
  EXPECT_FALSE(world.session->gives_way());
}

TEST(Pressure, ASessionThatWaitsForTheServerDoesNotGiveWay) {
  World world;
  world.greet();
  world.upstream.replies["RCPT"] = "silence";
  world.say(group);
  world.advance(seconds(30));
  EXPECT_FALSE(world.session->gives_way());
}

TEST(Pressure, AClientThatReadsNothingGivesWay) {
  World world;
  world.greet();
  world.read_nothing_more();
  world.client->send("NOOP\r\nNOOP\r\n");
  world.loop.run();
  world.advance(seconds(11));
  EXPECT_TRUE(world.session->gives_way());
}

TEST(Pressure, NewSessionsAreRefused) {
  World world;
  world.pressure.inside = Level::high;
  world.connect();
  EXPECT_TRUE(world.heard().starts_with("421 4.3.2 mx.example.com "));
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Fault::resource), 1u);
  EXPECT_EQ(world.log.count({"event=connection", "check=resource"}), 1u);
}

TEST(Pressure, TrustedClientsAreLetIn) {
  World world;
  world.settings.trusted.networks = {*IpNetwork::parse("192.0.2.0/24")};
  world.pressure.inside = Level::high;
  world.connect();
  EXPECT_TRUE(world.heard().starts_with("220 "));
}

TEST(Pressure, MailsGoOnUntilItIsFull) {
  World world;
  world.greet();
  world.pressure.inside = world.pressure.all = Level::high;
  EXPECT_TRUE(world.say("MAIL FROM:<ann@example.org>\r\n").starts_with("250 "));
  world.say("RSET\r\n");
  world.pressure.inside = world.pressure.all = Level::full;
  EXPECT_TRUE(world.say("MAIL FROM:<ann@example.org>\r\n").starts_with("452 4.3.1 "));
  EXPECT_EQ(world.counters.get(Fault::resource), 1u);
  EXPECT_EQ(world.log.count({"event=transaction", "verdict=tempfail", "check=resource"}), 1u);
  world.pressure.inside = world.pressure.all = Level::none;
  EXPECT_TRUE(world.say("MAIL FROM:<ann@example.org>\r\n").starts_with("250 "));
}

// What a mail holds is counted while it is there, and less of it is in memory.
TEST(Pressure, MessagesTakeLessMemory) {
  World world;
  world.settings.limits.memory_per_message = 256u << 10;
  world.settings.limits.memory_under_pressure = 32u << 10;
  begin_data(world);
  world.say("Subject: x\r\n\r\n");
  std::string text;
  while (text.size() < (100u << 10)) text += "0123456789012345678901234567890123456789\r\n";
  world.say(text);
  const std::int64_t before = world.counters.get(Gauge::held_bytes);
  EXPECT_GT(before, 100 << 10);
  EXPECT_LE(before, 256 << 10);
  EXPECT_EQ(world.spool.files.size(), 0u);
  world.pressure.all = Level::high;
  world.say(text);
  world.say(text);
  EXPECT_EQ(world.spool.files.size(), 1u);
  EXPECT_LE(world.counters.get(Gauge::held_bytes), before + (64 << 10));
  EXPECT_EQ(world.say(".\r\n"), "250 2.0.0 Stored\r\n");
  ASSERT_EQ(world.upstream.stored.size(), 1u);
  EXPECT_TRUE(world.upstream.stored[0].content.ends_with(text + text + text));
  EXPECT_EQ(world.counters.get(Gauge::held_bytes), 0);
}

}  // namespace
}  // namespace sallyport::session
