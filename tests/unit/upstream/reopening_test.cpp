// A transaction that ends while its client is silent is opened again, and nobody notices (threats.md U7, U17, U18).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view mail = "MAIL FROM:<ann@example.org>\r\n";
constexpr std::string_view stored = "250 2.0.0 Stored\r\n";
constexpr std::string_view content = "Subject: x\r\n\r\nhello\r\n";

enum class End { closes, resets, says_421, says_450 };

class Reopening : public testing::Test {
 protected:
  explicit Reopening(bool chunking = false) {
    if (chunking) world.upstream.replies["EHLO"] = "250-upstream.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
    world.upstream.replies["NOOP"] = "250 2.0.0 Ok\r\n";
    world.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      latest = stream.get();
      return world.upstream.serve(std::move(stream));
    });
  }

  std::string rcpt(const std::string& name) { return world.say("RCPT TO:<" + name + "@example.com>\r\n"); }
  std::string data() {
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
    return world.say(std::string(content) + ".\r\n");
  }
  void end_transaction(End end) {
    if (end == End::says_421 || end == End::says_450) {
      async::Nursery saying(world.loop.scheduler());
      saying.spawn(world.upstream.blurt(end == End::says_421 ? "421 4.4.2 Timeout\r\n" : "451 4.4.2 Timeout\r\n"));
      world.loop.run();
    }
    end == End::resets ? latest->abort() : latest->close();
    world.loop.run();
  }
  long count(std::string_view verb) const {
    const auto& all = world.upstream.commands;
    return std::count_if(all.begin(), all.end(), [&](const std::string& line) { return line.starts_with(verb); });
  }
  const UpstreamGroup& group() const { return *world.host->snapshot->shared->upstreams.at("default"); }
  // Somebody else's mail: takes a place, and gives it back when it is told.
  Task<void> hold_place(async::Signal& until) {
    std::vector<FailedServer> failed;
    auto lease = co_await world.pool->acquire(group(), failed, {.deadline = world.loop.now() + seconds(30)});
    has_place = lease.ok();
    if (!lease) co_return;
    co_await until.wait();
    world.pool->give_back(std::move(*lease), false);
  }

  World world;
  support::MemoryStream* latest = nullptr;
  bool has_place = false;
};

class ReopeningWhen : public Reopening, public testing::WithParamInterface<std::tuple<bool, End>> {
 protected:
  ReopeningWhen() : Reopening(std::get<0>(GetParam())) {}
};

TEST_P(ReopeningWhen, TheServerEndsItBeforeTheContent) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.upstream.queued["RCPT"] = {"550 5.1.1 no\r\n"};
  EXPECT_EQ(rcpt("nobody"), "550 5.1.1 no\r\n");
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  world.advance(seconds(9));
  end_transaction(std::get<1>(GetParam()));
  EXPECT_EQ(data(), stored);

  ASSERT_EQ(world.upstream.stored.size(), 1u);
  const std::vector<std::string> accepted{"RCPT TO:<bob@example.com>", "RCPT TO:<carol@example.com>"};
  EXPECT_EQ(world.upstream.stored[0].rcpts, accepted) << "and not the one of which the client was told no";
  EXPECT_EQ(world.counters.get(Total::upstream_reopened), 1u);
  EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 0u) << "a farewell is no fault of the protocol";
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 0u);
}

TEST_P(ReopeningWhen, TheServerEndsItBeforeAnotherRecipient) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  for (const std::string name : {"carol", "dave"}) {
    world.advance(milliseconds(300));
    end_transaction(std::get<1>(GetParam()));
    EXPECT_EQ(rcpt(name), "250 2.1.5 Ok\r\n");
  }
  EXPECT_EQ(data(), stored);
  ASSERT_EQ(world.upstream.stored.size(), 1u);
  EXPECT_EQ(world.upstream.stored[0].rcpts.size(), 3u);
}

TEST_P(ReopeningWhen, NobodyHasBeenAccepted) {
  world.greet();
  world.say(mail);
  world.upstream.queued["RCPT"] = {"550 5.1.1 no\r\n"};
  EXPECT_EQ(rcpt("nobody"), "550 5.1.1 no\r\n");
  end_transaction(std::get<1>(GetParam()));
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
}

TEST_P(ReopeningWhen, TheServerHasGoneForGood) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.dialer.fail(first_server, io::Error::refused);
  end_transaction(std::get<1>(GetParam()));
  EXPECT_EQ(data().substr(0, 10), "451 4.4.1 ");
  EXPECT_EQ(world.counters.get(Fault::upstream_down), 1u);
  EXPECT_EQ(world.upstream.stored.size(), 0u);
}

TEST_P(ReopeningWhen, ARecipientIsNotTakenAnyMore) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  world.upstream.queued["RCPT"] = {"250 2.1.5 Ok\r\n", "550 5.1.1 gone\r\n"};
  end_transaction(std::get<1>(GetParam()));
  EXPECT_EQ(data().substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(world.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
}

TEST_P(ReopeningWhen, TheSenderIsNotTakenAnyMore) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.upstream.replies["MAIL"] = "550 5.7.1 not you\r\n";
  end_transaction(std::get<1>(GetParam()));
  EXPECT_EQ(data().substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
}

std::string name_of(const testing::TestParamInfo<std::tuple<bool, End>>& info) {
  static constexpr std::array ends{"Closes", "Resets", "Says421", "Says450"};
  const std::string way = std::get<0>(info.param) ? "Bdat" : "Data";
  return way + ends.at(static_cast<std::size_t>(std::get<1>(info.param)));
}
INSTANTIATE_TEST_SUITE_P(Every, ReopeningWhen,
                         testing::Combine(testing::Bool(),
                                          testing::Values(End::closes, End::resets, End::says_421, End::says_450)),
                         name_of);

TEST_F(Reopening, WhenTheServerSays421ToACommand) {
  world.greet();
  for (std::string verb : {"RCPT", "DATA"}) {
    SCOPED_TRACE(verb);
    world.say(mail);
    EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
    world.upstream.queued[verb] = {"421 4.3.2 Going down\r\n"};
    if (verb == "RCPT") {
      EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
    }
    EXPECT_EQ(data(), stored);
  }
}

TEST_F(Reopening, WhenTheServerSays421EachTimeItIsDoneOnce) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.upstream.replies["DATA"] = "421 4.3.2 Going down\r\n";
  const long before = count("MAIL");
  EXPECT_EQ(data().substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(count("MAIL"), before + 1);
}

TEST_F(Reopening, NeverOnceContentHasBeenSent) {
  for (std::string end : {"close", "421 4.3.2 Going down\r\n"}) {
    World other;
    other.upstream.replies["."] = end;
    other.greet();
    other.say(mail);
    other.say("RCPT TO:<bob@example.com>\r\n");
    other.advance(seconds(20));
    other.say("DATA\r\n");
    EXPECT_EQ(other.say(std::string(content) + ".\r\n").substr(0, 4), "451 ");
    EXPECT_EQ(other.counters.get(Total::upstream_reopened), 0u);
  }
}

// The network is gone, and nobody says so: DATA finds out.
TEST_F(Reopening, WhenAnOldTransactionDoesNotAnswer) {
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.advance(seconds(100));
  world.upstream.queued["DATA"] = {"silence"};
  EXPECT_EQ(data(), "");
  world.advance(seconds(6));
  EXPECT_EQ(world.heard(), stored);
}

// What goes in one write could not be sent a second time: with BDAT an old transaction is asked first.
TEST_F(Reopening, ChunksGoOnlyWhereSomebodyAnswers) {
  world.upstream.replies["EHLO"] = "250-upstream.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  world.advance(seconds(30));
  world.upstream.queued["NOOP"] = {"close"};
  EXPECT_EQ(data(), stored);
  EXPECT_EQ(world.upstream.stored.size(), 1u);
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  const long before = count("NOOP");
  EXPECT_EQ(data(), stored);
  EXPECT_EQ(count("NOOP"), before) << "a client in no hurry costs it, others do not";
}

// U18, and then U17.
TEST_F(Reopening, WhenAnotherMailNeededThePlace) {
  world.settings.upstreams["default"].max_connections = 1;
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  async::Signal enough(world.loop.scheduler());
  async::Nursery others(world.loop.scheduler());
  others.spawn(hold_place(enough));
  world.advance(milliseconds(200));
  EXPECT_FALSE(has_place) << "the client is at work";
  world.advance(milliseconds(500));
  EXPECT_TRUE(has_place);
  EXPECT_EQ(data(), "") << "now it waits in its turn";
  enough.notify();
  world.loop.run();
  EXPECT_EQ(world.heard(), stored);
  EXPECT_EQ(world.upstream.stored.size(), 1u);
}

TEST_F(Reopening, IsNotWaitedForWithoutEnd) {
  world.settings.upstreams["default"].max_connections = 1;
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  async::Signal never(world.loop.scheduler());
  async::Nursery others(world.loop.scheduler());
  others.spawn(hold_place(never));
  world.advance(seconds(1));
  ASSERT_TRUE(has_place);
  EXPECT_EQ(data(), "");
  world.advance(seconds(31));
  EXPECT_EQ(world.heard().substr(0, 10), "451 4.4.1 ");
}

// A client that has gone waits for no place, and nothing is asked for it, whatever it has said behind the recipient
// that completes no mail.
class ReopeningForOneWhoSaid : public Reopening, public testing::WithParamInterface<std::string> {};

TEST_P(ReopeningForOneWhoSaid, AndHasGone) {
  world.settings.upstreams["default"].max_connections = 1;
  world.greet();
  async::Signal enough(world.loop.scheduler());
  async::Nursery others(world.loop.scheduler());
  others.spawn(hold_place(enough));
  world.loop.run();
  ASSERT_TRUE(has_place);
  world.client->send(std::string(mail) + "RCPT TO:<bob@example.com>\r\n" + GetParam());
  world.loop.run();
  world.client->end();
  world.loop.run();
  enough.notify();
  world.advance(seconds(1));
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(count("MAIL"), 0);
  EXPECT_EQ(world.counters.get(Fault::client_lost), 1u);
}

INSTANTIATE_TEST_SUITE_P(Every, ReopeningForOneWhoSaid,
                         testing::Values("", "QUIT\r\n", "RSET\r\nQUIT\r\n", "BDAT 17 LAST\r\nSubject: x\r\n",
                                         "BDAT 17\r\nSubject: x\r\n\r\ny\r\n", "BDAT 12\r\nBDAT 0 LAST\r\n",
                                         "NOOP BDAT 0 LAST\r\n", "BDAT x\r\n"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

// It has said all it will say, and waits for the replies.
TEST_F(Reopening, AClientWithAWholeMessageInChunksHasNotGone) {
  world.settings.upstreams["default"].max_connections = 1;
  world.greet();
  async::Signal enough(world.loop.scheduler());
  async::Nursery others(world.loop.scheduler());
  others.spawn(hold_place(enough));
  world.loop.run();
  world.client->send(std::string(mail) +
                     "RCPT TO:<bob@example.com>\r\nBDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\nQUIT\r\n");
  world.loop.run();
  world.client->end();
  world.loop.run();
  enough.notify();
  world.advance(seconds(1));
  EXPECT_EQ(world.upstream.stored.size(), 1u);
}

// What it has said is complete: it waits in its turn as well, and only a broken connection takes it out of it (U13).
class ReopeningForOneWho : public Reopening, public testing::WithParamInterface<bool> {};

TEST_P(ReopeningForOneWho, LeavesAfterTheContent) {
  const bool breaks = GetParam();
  world.settings.upstreams["default"].max_connections = 1;
  world.greet();
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  async::Signal enough(world.loop.scheduler());
  async::Nursery others(world.loop.scheduler());
  others.spawn(hold_place(enough));
  world.advance(seconds(1));
  ASSERT_TRUE(has_place);
  EXPECT_EQ(data(), "");
  breaks ? world.client->reset() : world.client->end();
  world.advance(seconds(1));
  EXPECT_EQ(world.is_over(), breaks);
  enough.notify();
  world.advance(seconds(1));
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.upstream.stored.size(), breaks ? 0u : 1u);
  EXPECT_EQ(world.counters.get(Fault::client_lost), breaks ? 1u : 0u);
  EXPECT_EQ(world.counters.get(Fault::reply_lost), breaks ? 0u : 1u);
}
INSTANTIATE_TEST_SUITE_P(Breaks, ReopeningForOneWho, testing::Bool());

// -- mailboxes that are made while connections are kept

class NewMailbox : public Reopening {
 protected:
  // The next two sessions of the server: what each says of carol.
  void kept_session_of(Duration age) {
    world.greet();
    world.say(mail);
    EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
    EXPECT_EQ(data(), stored);
    for (Duration passed{}; passed < age; passed += seconds(5)) {  // mail flows
      world.advance(seconds(5));
      world.say(mail);
      rcpt("bob");
      EXPECT_EQ(data(), stored);
    }
    before = world.upstream.connections;
  }
  int before = 0;
};

TEST_F(NewMailbox, IsKnownToANewSession) {
  kept_session_of(seconds(25));
  world.upstream.queued["RCPT"] = {"250 2.1.5 Ok\r\n", "550 5.1.1 unknown\r\n"};  // of the old session
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
  EXPECT_EQ(data(), stored);
  const std::vector<std::string> both{"RCPT TO:<bob@example.com>", "RCPT TO:<carol@example.com>"};
  EXPECT_EQ(world.upstream.stored.back().rcpts, both);
}

TEST_F(NewMailbox, AsFirstRecipient) {
  kept_session_of(seconds(25));
  world.upstream.queued["RCPT"] = {"550 5.1.1 unknown\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
}

// Careful servers refuse unknown mailboxes for now only (Postfix: unknown_local_recipient_reject_code = 450).
class NewMailboxRefusedForNow : public NewMailbox, public testing::WithParamInterface<std::string> {};

TEST_P(NewMailboxRefusedForNow, IsKnownToANewSession) {
  kept_session_of(seconds(25));
  world.upstream.queued["RCPT"] = {"250 2.1.5 Ok\r\n", GetParam()};
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
}

INSTANTIATE_TEST_SUITE_P(Every, NewMailboxRefusedForNow, testing::Values("450 4.1.1 unknown\r\n", "450 unknown\r\n"),
                         [](const auto& info) { return "Case" + std::to_string(info.index); });

TEST_F(NewMailbox, OtherRefusalsForNowAreBelieved) {
  kept_session_of(seconds(25));
  world.upstream.queued["RCPT"] = {"450 4.7.1 greylisted\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "450 4.7.1 greylisted\r\n");
  EXPECT_EQ(world.upstream.connections, before);
}

// An entry of the server's that refused this sender has been taken out.
TEST_F(NewMailbox, ASenderLetInSinceThenIsKnownToANewSession) {
  kept_session_of(seconds(25));
  world.upstream.queued["MAIL"] = {"554 5.7.1 blocked\r\n"};
  world.upstream.queued["RCPT"] = {"503 5.5.1 MAIL first\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
  EXPECT_EQ(rcpt("carol"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
  EXPECT_EQ(world.upstream.stored.back().rcpts.size(), 2u);
}

TEST_F(NewMailbox, ASenderWhomBothRefuseIsRefused) {
  kept_session_of(seconds(25));
  world.upstream.queued["MAIL"] = {"554 5.7.1 blocked\r\n", "554 5.7.1 blocked, I say\r\n"};
  world.upstream.queued["RCPT"] = {"503 5.5.1 MAIL first\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "554 5.7.1 blocked\r\n");
  world.say("RSET\r\n");
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
}

TEST_F(NewMailbox, AYoungSessionIsBelieved) {
  kept_session_of(seconds(5));
  world.upstream.queued["RCPT"] = {"550 5.1.1 unknown\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("carol"), "550 5.1.1 unknown\r\n");
  EXPECT_EQ(world.upstream.connections, before);
}

TEST_F(NewMailbox, WhoIsUnknownToBothIsRefusedAndTheNewSessionGoesOn) {
  kept_session_of(seconds(25));
  world.upstream.queued["RCPT"] = {"550 5.1.1 unknown\r\n", "550 5.1.1 unknown\r\n", "550 5.1.1 unknown\r\n"};
  world.say(mail);
  for (const std::string name : {"x", "y"}) EXPECT_EQ(rcpt(name), "550 5.1.1 unknown\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1) << "the new one is believed";
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(data(), stored);
}

TEST_F(NewMailbox, TheRefusalStandsWhereNoNewSessionIsToBeHad) {
  kept_session_of(seconds(25));
  world.dialer.fail(first_server, io::Error::refused);
  world.upstream.queued["RCPT"] = {"250 2.1.5 Ok\r\n", "550 5.1.1 unknown\r\n"};
  world.say(mail);
  EXPECT_EQ(rcpt("bob"), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(rcpt("carol"), "550 5.1.1 unknown\r\n");
  EXPECT_EQ(data(), stored) << "on the connection that there is";
}

}  // namespace
}  // namespace sallyport::upstream
