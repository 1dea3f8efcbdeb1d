// What goes wrong behind us (threats.md, section 4): what the client hears, what is recorded, what is never done twice.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "gateway/io/shortage.h"
#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;

constexpr std::string_view group = "MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n";
const std::string hash_of_message_id = "c0723f335f0367840f98117daed935d3ab3044771eb278398681993a5aed8f44";
constexpr std::string_view content = "Message-ID: <1@example.org>\r\n\r\nhello\r\n.\r\n";

// With a second server that is always well.
class UpstreamFaults : public testing::Test {
 protected:
  void add_backup() {
    world.settings.upstreams["default"].servers.push_back(second_server);
    world.dialer.serve(second_server, [this](auto stream) { return backup.serve(std::move(stream)); });
  }
  // From MAIL to the answer to RCPT.
  std::string envelope() {
    std::string replies = world.say(group);
    EXPECT_TRUE(replies.starts_with("250 2.1.0 Ok\r\n")) << replies;
    return replies.substr(replies.find('\n') + 1);
  }
  std::string send_content() {
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
    return world.say(content);
  }
  std::uint64_t count(Fault kind) const { return world.counters.get(kind); }
  std::uint64_t count(Violation kind) const { return world.counters.get(kind); }

  World world;
  FakeUpstream backup;
};

TEST_F(UpstreamFaults, AnotherServerIsAskedWhileNobodyHasBeenAccepted) {
  for (std::string verb : {"", "EHLO", "MAIL", "RCPT"}) {
    for (std::string end : {"close", "reset", "silence"}) {
      if (verb == "RCPT" && end == "silence") continue;  // the deadline of U8 is past by then
      if (verb == "MAIL" && end == "silence") continue;
      SCOPED_TRACE(verb + " " + end);
      World world;
      FakeUpstream backup;
      world.settings.upstreams["default"].servers.push_back(second_server);
      world.dialer.serve(second_server, [&](auto stream) { return backup.serve(std::move(stream)); });
      world.greet();
      world.advance(std::chrono::seconds(70));  // whatever the probes have met is over
      world.upstream.replies[verb] = end;
      std::string heard = world.say(group);
      world.advance(std::chrono::seconds(61));
      heard += world.heard();
      EXPECT_EQ(heard, "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
      world.say("DATA\r\n");
      EXPECT_EQ(world.say(content), "250 2.0.0 Stored\r\n");
      EXPECT_EQ(backup.stored.size(), 1u);
      EXPECT_EQ(world.upstream.stored.size(), 0u);
    }
  }
}

TEST_F(UpstreamFaults, WithoutAnotherServerTheClientIsToldToComeAgain) {
  for (std::string verb : {"", "EHLO", "MAIL", "RCPT"}) {
    SCOPED_TRACE(verb);
    World world;
    world.greet();
    world.advance(std::chrono::seconds(70));
    world.upstream.replies[verb] = "close";
    EXPECT_EQ(world.say(group).substr(14, 10), "451 4.4.1 ");
    world.say("QUIT\r\n");
    EXPECT_EQ(world.counters.get(Fault::upstream_down), 1u);
    EXPECT_NE(world.log.find("check=upstream_down"), "");
    EXPECT_EQ(world.log.find("event=fault"), "") << "it decided the mail and stands in its line";
  }
}

TEST_F(UpstreamFaults, NoOtherServerIsAskedOnceARecipientHasBeenAccepted) {
  add_backup();
  world.greet();
  int probes = backup.connections;
  envelope();
  world.upstream.replies["RCPT"] = "close";
  EXPECT_EQ(world.say("RCPT TO:<bob2@example.com>\r\n").substr(0, 10), "451 4.4.1 ");
  EXPECT_EQ(world.say("RCPT TO:<bob3@example.com>\r\n").substr(0, 10), "451 4.4.1 ");
  EXPECT_EQ(send_content().substr(0, 10), "451 4.4.1 ");
  EXPECT_EQ(backup.connections, probes);
  EXPECT_EQ(count(Fault::upstream_down), 1u) << "one failure, however often it is met";
}

TEST_F(UpstreamFaults, LostBeforeTheGoAheadNothingIsUnknown) {
  world.upstream.replies["DATA"] = "close";
  world.greet();
  envelope();
  EXPECT_EQ(send_content().substr(0, 10), "451 4.4.1 ");
  EXPECT_EQ(count(Fault::upstream_down), 1u);
  EXPECT_EQ(count(Fault::outcome_unknown), 0u);
}

TEST_F(UpstreamFaults, LostAfterTheEndOfDataTheOutcomeIsUnknown) {
  for (std::string end : {"close", "reset"}) {
    World world;
    world.upstream.replies["."] = end;
    world.greet();
    world.say(group);
    world.say("DATA\r\n");
    EXPECT_EQ(world.say(content).substr(0, 10), "451 4.4.2 ");
    EXPECT_EQ(world.counters.get(Fault::outcome_unknown), 1u);
    EXPECT_EQ(world.counters.get(Fault::upstream_down), 1u);
    std::string line = world.log.find("kind=outcome_unknown");
    EXPECT_NE(line.find("upstream=10.0.0.5:25 size=38 message_id_sha256=" + hash_of_message_id), std::string::npos)
        << line;
    EXPECT_NE(world.log.find("verdict=tempfail"), "");
    EXPECT_EQ(world.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }
}

// -- what we lack on an open connection

constexpr std::string_view no_memory = "Out of memory for sockets here";

class OwnShortage : public UpstreamFaults {
 protected:
  enum class While { reading, writing };
  // Connections to the first server that are made from now on break after so many octets of its replies, or of our
  // commands, as when the kernel has no memory for us.
  void break_after(std::size_t octets, While what) {
    io::note_shortage(io::Shortage::memory);
    world.dialer.serve(first_server, [this, octets, what](std::unique_ptr<support::MemoryStream> stream) {
      support::Faults faults;
      (what == While::reading ? faults.read_fails : faults.write_fails) = {octets, io::Error::exhausted};
      if (what == While::reading) stream->set_write_faults(faults);
      if (what == While::writing) stream->set_read_faults(faults);
      return world.upstream.serve(std::move(stream));
    });
  }
  void mend() {
    world.dialer.serve(first_server, [this](auto stream) { return world.upstream.serve(std::move(stream)); });
  }
  // Octets up to the middle of the reply to this command, which is one of this order.
  std::size_t up_to(const std::string& verb) {
    std::size_t octets = 0;
    for (const std::string one : {"", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
      if (one == verb) return octets + 7;
      octets += world.upstream.replies[one].size();
    }
    return octets;
  }
  void begin() {
    world.greet();
    world.advance(std::chrono::seconds(70));
  }
  void expect_no_blame() {
    EXPECT_EQ(count(Fault::resource), 1u);
    EXPECT_EQ(count(Fault::upstream_down), 0u);
    EXPECT_EQ(count(Violation::upstream_protocol), 0u);
    EXPECT_EQ(world.counters.get(Total::upstreams_down), 0u);
  }
};

TEST_F(OwnShortage, IsNamedAndNoFaultOfTheServer) {
  begin();
  std::uint64_t faults = 0;
  const auto fail_once = [&](std::size_t octets, While what) {
    SCOPED_TRACE(octets);
    break_after(octets, what);
    world.say("RSET\r\n");
    EXPECT_EQ(envelope().substr(0, 10 + no_memory.size()), "451 4.3.1 " + std::string(no_memory));
    EXPECT_EQ(count(Fault::resource), ++faults);
    mend();  // and nobody need wait for a breaker
    EXPECT_EQ(world.say("RSET\r\n").substr(0, 4), "250 ");
    EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
    world.say("RSET\r\n");
    world.advance(std::chrono::seconds(61));  // none is kept
  };
  for (const std::string verb : {"", "EHLO", "MAIL", "RCPT"}) fail_once(up_to(verb), While::reading);
  for (const std::size_t octets : {0, 5, 30, 60}) fail_once(octets, While::writing);
  EXPECT_EQ(count(Fault::upstream_down), 0u);
  EXPECT_EQ(count(Violation::upstream_protocol), 0u);
  EXPECT_EQ(world.counters.get(Total::upstreams_down), 0u);
  EXPECT_EQ(world.log.find("state=down"), "");
}

TEST_F(OwnShortage, AnotherServerIsAsked) {
  add_backup();
  begin();
  for (const std::string verb : {"", "EHLO", "MAIL", "RCPT"}) {
    break_after(up_to(verb), While::reading);
    EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n") << verb;
    EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
    world.advance(std::chrono::seconds(61));
  }
  EXPECT_EQ(backup.stored.size(), 4u);
  EXPECT_EQ(world.counters.get(Total::upstreams_down), 0u);
}

TEST_F(OwnShortage, BeforeTheEndOfDataNothingIsUnknown) {
  begin();
  break_after(up_to("DATA"), While::reading);
  envelope();
  EXPECT_EQ(send_content().substr(0, 10 + no_memory.size()), "451 4.3.1 " + std::string(no_memory));
  expect_no_blame();
  EXPECT_EQ(count(Fault::outcome_unknown), 0u);
}

TEST_F(OwnShortage, AfterTheEndOfDataTheOutcomeIsUnknown) {
  begin();
  break_after(up_to("."), While::reading);
  envelope();
  EXPECT_EQ(send_content().substr(0, 10 + no_memory.size()), "451 4.4.2 " + std::string(no_memory));
  expect_no_blame();
  EXPECT_EQ(count(Fault::outcome_unknown), 1u);
}

TEST_F(UpstreamFaults, TheReplyNamesTheOneThingThatIsShort) {
  using io::Shortage;
  world.greet();
  world.advance(std::chrono::seconds(70));
  world.dialer.fail(first_server, io::Error::exhausted);
  const std::vector<std::pair<Shortage, std::string>> words{
      {Shortage::open_files, "Out of open files here"},
      {Shortage::memory, "Out of memory for sockets here"},
      {Shortage::ports, "Out of local ports here"},
      {Shortage::packet_filter, "A packet filter here forbids the connection to the mail server"},
      {Shortage::unknown, "Out of resources here (open files, ports or memory)"},
  };
  for (const auto& [what, text] : words) {
    io::note_shortage(what);
    EXPECT_EQ(envelope().substr(0, 11 + text.size()), "451 4.3.1 " + text + ",");
    world.say("RSET\r\n");
  }
}

TEST_F(UpstreamFaults, TheFinalReplyHasOneBudget) {
  world.upstream.replies["."] = "silence";
  world.greet();
  envelope();
  EXPECT_EQ(send_content(), "");
  world.advance(std::chrono::seconds(239));
  EXPECT_EQ(world.heard(), "");
  world.advance(std::chrono::seconds(2));
  EXPECT_EQ(world.heard().substr(0, 10), "451 4.4.2 ");
  EXPECT_EQ(count(Fault::upstream_timeout), 1u);
  EXPECT_EQ(count(Fault::outcome_unknown), 1u);
}

TEST_F(UpstreamFaults, SilenceAtACommandIsATimeout) {
  world.greet();
  world.upstream.replies["RCPT"] = "silence";
  world.say(group);
  world.advance(std::chrono::seconds(61));
  EXPECT_EQ(world.heard().substr(14, 10), "451 4.4.1 ");
  EXPECT_EQ(count(Fault::upstream_timeout), 1u);
}

TEST_F(UpstreamFaults, RepliesWithoutSenseEndTheConnection) {
  struct Case {
    std::string verb;
    std::string reply;
  };
  for (const Case& c : {Case{"MAIL", "what?\r\n"}, Case{"MAIL", "354 go\r\n"}, Case{"MAIL", "250-a\r\n251 b\r\n"},
                        Case{"RCPT", "250 a\rb\r\n"}, Case{"RCPT", "354 go\r\n"}, Case{"RCPT", "199 x\r\n"}}) {
    SCOPED_TRACE(c.verb + " " + c.reply);
    World world;
    world.upstream.replies[c.verb] = c.reply;
    world.greet();
    EXPECT_EQ(world.say(group).substr(14, 10), "451 4.3.0 ");
    EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 1u);
    EXPECT_EQ(world.say("NOOP\r\n"), "250 2.0.0 Ok\r\n");
  }
  for (const Case& c :
       {Case{"DATA", "250 ok\r\n"}, Case{"DATA", "x\r\n"}, Case{".", "x\r\n"}, Case{".", "354 more\r\n"}}) {
    SCOPED_TRACE(c.verb + " " + c.reply);
    World world;
    world.upstream.replies[c.verb] = c.reply;
    world.greet();
    world.say(group);
    world.say("DATA\r\n");
    EXPECT_EQ(world.say(content).substr(0, 10), "451 4.3.0 ");
    EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 1u);
    EXPECT_EQ(world.counters.get(Fault::outcome_unknown), c.verb == "." ? 1u : 0u);
  }
}

TEST_F(UpstreamFaults, AReplyThatComesEarlyIsNotTheAnswer) {
  world.upstream.replies["DATA"] = "354 go\r\n250 2.0.0 Stored already\r\n";
  world.greet();
  envelope();
  EXPECT_EQ(send_content().substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(count(Violation::upstream_early), 1u);
  EXPECT_EQ(world.upstream.stored.size(), 0u);
}

TEST_F(UpstreamFaults, OneReplyTooManyIsNoticedAtTheNextCommand) {
  world.upstream.queued["RCPT"] = {"250 2.1.5 Ok\r\n250 2.1.5 And one more\r\n"};
  world.greet();
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.say("RCPT TO:<bob2@example.com>\r\n").substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(count(Violation::upstream_protocol), 1u);
}

TEST_F(UpstreamFaults, A421IsNoAnswerToACommandOfOurs) {
  world.greet();
  world.upstream.queued["RCPT"] = {"421 4.3.2 bye\r\n", "421 4.3.2 bye\r\n"};
  EXPECT_EQ(envelope().substr(0, 10), "451 4.3.0 ");
  EXPECT_EQ(world.say("RCPT TO:<bob@example.com>\r\n"), "250 2.1.5 Ok\r\n") << "the session lives on";
}

// Before anybody has been accepted, a 421 or a refusal for want of room is another server's chance.
TEST_F(UpstreamFaults, AnotherServerIsAskedWhenTheFirstTakesNoRecipientForNow) {
  for (const std::string said : {"421 4.3.2 bye\r\n", "452 4.3.1 Insufficient system storage\r\n"}) {
    SCOPED_TRACE(said);
    World world;
    FakeUpstream backup;
    world.settings.upstreams["default"].servers.push_back(second_server);
    world.dialer.serve(second_server, [&](auto stream) { return backup.serve(std::move(stream)); });
    world.greet();
    world.upstream.replies["RCPT"] = said;
    EXPECT_EQ(world.say(group), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 4), "354 ");
    EXPECT_EQ(world.say(content), "250 2.0.0 Stored\r\n");
    EXPECT_EQ(backup.stored.size(), 1u);
  }
}

TEST_F(UpstreamFaults, WhatARecipientIsRefusedForNowIsNoReasonToAskAnotherServer) {
  add_backup();
  world.upstream.replies["RCPT"] = "452 4.2.2 Mailbox full\r\n";
  world.greet();
  EXPECT_EQ(envelope(), "452 4.2.2 Mailbox full\r\n");
}

TEST_F(UpstreamFaults, A421InsteadOfAGreetingIsAServerThatIsDown) {
  add_backup();
  world.upstream.replies[""] = "421 4.3.2 bye\r\n";
  world.greet();
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
}

TEST_F(UpstreamFaults, AKeptConnectionThatHasDiedIsReplacedWithoutAWord) {
  world.greet();
  envelope();
  EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
  int before = world.upstream.connections;
  world.upstream.queued["MAIL"] = {"close"};
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
  EXPECT_EQ(count(Fault::upstream_down), 0u);
}

TEST_F(UpstreamFaults, AKeptConnectionThatHasAnsweredIsNotReplaced) {
  world.greet();
  envelope();
  send_content();
  world.upstream.queued["RCPT"] = {"close"};
  EXPECT_EQ(envelope().substr(0, 10), "451 4.4.1 ");
}

// Some servers take so many mails on a connection, and refuse every further one on it.
TEST_F(UpstreamFaults, AKeptConnectionThatTakesNoMoreMailIsReplacedWithoutAWord) {
  world.greet();
  envelope();
  EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
  int before = world.upstream.connections;
  world.upstream.queued["MAIL"] = {"452 4.5.3 Too many messages sent\r\n"};
  world.upstream.queued["RCPT"] = {"503 5.5.1 MAIL first\r\n"};
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
}

// Others let MAIL pass and end the connection at the first recipient.
TEST_F(UpstreamFaults, AKeptConnectionThatSays421ToTheFirstRecipientIsReplacedWithoutAWord) {
  world.greet();
  envelope();
  EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
  int before = world.upstream.connections;
  world.upstream.queued["RCPT"] = {"421 4.7.0 Enough on this connection\r\n"};
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
  EXPECT_EQ(world.upstream.connections, before + 1);
  EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(count(Violation::upstream_protocol), 0u);
}

TEST_F(UpstreamFaults, AServerThatTakesNoMailNowIsAskedOnceMoreAndNotAgain) {
  world.upstream.replies["MAIL"] = "452 4.3.1 Later\r\n";
  world.upstream.replies["RCPT"] = "503 5.5.1 MAIL first\r\n";
  world.greet();
  int before = world.upstream.connections;
  EXPECT_EQ(envelope(), "452 4.3.1 Later\r\n");
  EXPECT_LE(world.upstream.connections, before + 1);
}

TEST_F(UpstreamFaults, AKeptConnectionThatHasSpokenUnaskedIsNotUsed) {
  world.upstream.replies["."] = "250 2.0.0 Stored\r\n";
  world.greet();
  envelope();
  world.upstream.queued["."] = {"250 2.0.0 Stored\r\n421 4.4.2 Idle\r\n"};
  EXPECT_EQ(send_content(), "250 2.0.0 Stored\r\n");
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
}

TEST_F(UpstreamFaults, WhatTheClientDoesNotHearIsRecorded) {
  for (bool is_reset : {false, true}) {
    World world;
    world.upstream.before_final_reply = [&] { is_reset ? world.client->reset() : world.client->end(); };
    world.greet();
    world.say(group);
    world.say("DATA\r\n");
    world.say(content);
    EXPECT_EQ(world.upstream.stored.size(), 1u);
    EXPECT_EQ(world.counters.get(Fault::reply_lost), 1u);
    std::string line = world.log.find("event=transaction");
    EXPECT_NE(line.find("verdict=relay"), std::string::npos) << line;
    EXPECT_NE(line.find("check=reply_lost"), std::string::npos) << line;
    EXPECT_TRUE(world.is_over());
  }
}

// RFC 2920 allows QUIT behind the end of the content; Exim then shuts down its sending side and waits for the replies.
TEST_F(UpstreamFaults, AClientThatHasSaidQuitIsNotGone) {
  for (bool chunks : {false, true}) {
    SCOPED_TRACE(chunks);
    World world;
    world.greet();
    world.say(group);
    if (!chunks) world.say("DATA\r\n");
    world.client->send(chunks ? "BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\nquit\r\n"
                              : "Subject: x\r\n\r\ny\r\n.\r\nQUIT\r\n");
    world.client->end();
    world.loop.run();
    std::string heard = world.heard();
    EXPECT_TRUE(heard.starts_with("250 2.0.0 Stored\r\n221 ")) << heard;
    EXPECT_EQ(world.upstream.stored.size(), 1u);
    EXPECT_EQ(world.counters.get(Fault::client_lost), 0u);
    EXPECT_EQ(world.counters.get(Fault::reply_lost), 0u);
  }
}

// What only looks like it: a line of an unfinished message.
TEST_F(UpstreamFaults, AQuitInTheContentIsNone) {
  world.greet();
  envelope();
  world.say("DATA\r\n");
  world.client->send("Subject: x\r\n\r\nQUIT\r\n");
  world.client->end();
  world.loop.run();
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(count(Fault::client_lost), 1u);
}

TEST_F(UpstreamFaults, AClientThatHasSaidAllHasItsMailDelivered) {
  for (bool chunks : {false, true}) {
    SCOPED_TRACE(chunks);
    World world;
    world.greet();
    world.say(group);
    if (!chunks) world.say("DATA\r\n");
    world.client->send(chunks ? "BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r\n" : "Subject: x\r\n\r\ny\r\n.\r\n");
    world.client->end();
    world.loop.run();
    EXPECT_EQ(world.heard(), "250 2.0.0 Stored\r\n");
    EXPECT_EQ(world.upstream.stored.size(), 1u);
    EXPECT_EQ(world.counters.get(Fault::client_lost), 0u);
    EXPECT_EQ(world.counters.get(Fault::reply_lost), 1u);  // nobody knows whether it has heard it
  }
}

TEST_F(UpstreamFaults, AnUnfinishedContentIsNotDelivered) {
  for (bool chunks : {false, true}) {
    SCOPED_TRACE(chunks);
    World world;
    world.greet();
    world.say(group);
    if (!chunks) world.say("DATA\r\n");
    world.client->send(chunks ? "BDAT 17 LAST\r\nSubject: x\r\n\r\ny\r" : "Subject: x\r\n\r\ny\r\n.\r");
    world.client->end();
    world.loop.run();
    EXPECT_EQ(world.upstream.stored.size(), 0u);
    EXPECT_EQ(world.counters.get(Fault::client_lost), 1u);
    EXPECT_EQ(world.counters.get(Fault::reply_lost), 0u);
  }
}

TEST_F(UpstreamFaults, NothingIsFinishedForAClientThatIsGone) {
  world.greet();
  envelope();
  world.say("DATA\r\n");
  world.client->send(content);
  world.client->reset();
  world.loop.run();
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(count(Fault::client_lost), 1u);
  EXPECT_NE(world.log.find("verdict=drop stage=message"), "");
}

TEST_F(UpstreamFaults, AMessageThatCannotBeKeptIsNotTaken) {
  world.settings.limits.memory_per_message = 1024;
  world.spool.open_fails = true;
  world.greet();
  envelope();
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("Subject: x\r\n\r\n" + std::string(50000, 'a') + "\r\n.\r\n").substr(0, 10), "452 4.3.1 ");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(count(Fault::spool), 1u);
}

TEST_F(UpstreamFaults, AMessageThatCannotBeReadAgainIsNotTaken) {
  world.settings.limits.memory_per_message = 1024;
  world.spool.read_fails = true;
  world.greet();
  envelope();
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("Subject: x\r\n\r\n" + std::string(50000, 'a') + "\r\n" + std::string(50000, 'b') + "\r\n.\r\n")
                .substr(0, 10),
            "452 4.3.1 ");
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  EXPECT_EQ(count(Fault::spool), 1u);
}

TEST_F(UpstreamFaults, TwoSilentServersShareOneConnectDeadline) {
  add_backup();
  world.greet();
  world.advance(std::chrono::seconds(70));
  world.dialer.fail(first_server, io::Error::timed_out);
  world.dialer.fail(second_server, io::Error::timed_out);
  world.say(group);
  world.advance(std::chrono::seconds(31));
  EXPECT_EQ(world.heard().substr(14, 10), "451 4.4.1 ");
}

// U19: one mail at which it hangs up, and the next one goes at once.
TEST_F(UpstreamFaults, AServerIsNotDownForOneTransaction) {
  for (std::string verb : {"MAIL", "RCPT", "DATA", "."}) {
    for (std::string fault : {"close", "reset", "rubbish\r\n"}) {
      SCOPED_TRACE(verb + " " + fault);
      World world;
      world.greet();
      for (int i = 0; i < 3; ++i) {
        world.upstream.queued[verb] =
            verb == "MAIL" ? std::deque<std::string>{fault, fault} : std::deque<std::string>{fault};
        world.say(group);
        world.say("DATA\r\n");
        world.say(content);
        world.upstream.queued[verb].clear();
        world.say("RSET\r\n");
        EXPECT_EQ(world.say(group), "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n");
        world.say("DATA\r\n");
        EXPECT_EQ(world.say(content), "250 2.0.0 Stored\r\n");
      }
      EXPECT_EQ(world.counters.get(Total::upstreams_down), 0u);
    }
  }
}

TEST_F(UpstreamFaults, ServiceIsBackSoonAfterTheServerIs) {
  world.greet();
  world.advance(std::chrono::seconds(70));
  world.dialer.fail(first_server, io::Error::refused);
  EXPECT_EQ(envelope().substr(0, 10), "451 4.4.1 ");
  world.say("RSET\r\n");
  world.dialer.serve(first_server, [this](auto stream) { return world.upstream.serve(std::move(stream)); });
  world.advance(std::chrono::seconds(5));
  EXPECT_EQ(envelope(), "250 2.1.5 Ok\r\n");
}

}  // namespace
}  // namespace sallyport::upstream
