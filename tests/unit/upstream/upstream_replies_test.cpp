// What an upstream says, and how it says it (threats.md U1, U2, U5, U11, U12, U14): cut anywhere, of any length, of any
// octets, in every mix of yes and no.
#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/base/text.h"
#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;

constexpr std::string_view mail = "MAIL FROM:<ann@example.org>\r\n";
constexpr std::string_view rcpt = "RCPT TO:<bob@example.com>\r\n";
constexpr std::string_view mail_ok = "250 2.1.0 Ok\r\n";
constexpr std::string_view in_trouble = "451 4.3.0 ";
constexpr std::size_t most_octets = std::size_t{16} * 1024;

// The reply's octets come in pieces of so many; 0: as they were sent.
std::string answer_to_recipient(const std::string& reply, std::size_t piece_octets = 0) {
  World world;
  world.dialer.serve(first_server, [&](std::unique_ptr<support::MemoryStream> stream) {
    support::Faults faults;
    faults.piece_octets = piece_octets;
    stream->set_write_faults(faults);
    return world.upstream.serve(std::move(stream));
  });
  world.greet();
  world.upstream.queued["RCPT"] = {reply};
  world.say(mail);
  std::string answer = world.say(rcpt);
  // Whatever it was, the session goes on.
  EXPECT_EQ(world.say("RSET\r\n"), "250 2.0.0 Ok\r\n");
  world.say(mail);
  EXPECT_EQ(world.say(rcpt), "250 2.1.5 Ok\r\n");
  world.say("DATA\r\n");
  EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
  return answer;
}

std::string lines_of(std::size_t count, std::size_t octets_each) {
  std::string reply;
  for (std::size_t i = 0; i < count; ++i) {
    std::string line = i + 1 == count ? "550 5.1.1 " : "550-5.1.1 ";
    line.append(octets_each - line.size() - 2, static_cast<char>('a' + i % 26));
    reply += line + "\r\n";
  }
  return reply;
}

TEST(UpstreamReplies, AreTheSameCutAnywhere) {
  const std::string reply = "550-5.1.1 no such user here\r\n550-5.1.1\r\n550 5.1.1 ask postmaster\r\n";
  for (std::size_t piece = 0; piece <= reply.size(); ++piece)
    EXPECT_EQ(answer_to_recipient(reply, piece), reply) << piece;
}

TEST(UpstreamReplies, AreReadUpTo128LinesAnd16KiB) {
  const std::string full = lines_of(128, most_octets / 128);
  ASSERT_EQ(full.size(), most_octets);
  for (std::size_t piece : {0, 1, 127, 4096}) EXPECT_EQ(answer_to_recipient(full, piece), full) << piece;
  std::string one_line = answer_to_recipient(lines_of(1, most_octets));
  EXPECT_EQ(one_line.substr(0, 10), "550-5.1.1 ");
  EXPECT_EQ(std::count(one_line.begin(), one_line.end(), 'a'), std::ptrdiff_t(most_octets - 12));
}

TEST(UpstreamReplies, BeyondThatAreNoReplies) {
  for (std::size_t piece : {0, 1, 1000}) {
    EXPECT_EQ(answer_to_recipient(lines_of(129, 20), piece).substr(0, 10), in_trouble);
    EXPECT_EQ(answer_to_recipient(lines_of(128, most_octets / 128 + 1), piece).substr(0, 10), in_trouble);
    EXPECT_EQ(answer_to_recipient(lines_of(1, most_octets + 1), piece).substr(0, 10), in_trouble);
  }
  EXPECT_EQ(answer_to_recipient(lines_of(1, std::size_t{100} * 1024)).substr(0, 10), in_trouble);
}

// RFC 5321, 4.3.2: a client looks at the first digit.
TEST(UpstreamReplies, AnyIntermediateOneToDataIsTheGoAhead) {
  for (const char* go_ahead : {"353 go\r\n", "300-well\r\n300 go\r\n", "399\r\n"}) {
    World world;
    world.greet();
    world.upstream.queued["DATA"] = {go_ahead};
    world.say(mail);
    world.say(rcpt);
    world.say("DATA\r\n");
    EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n") << go_ahead;
  }
}

TEST(UpstreamReplies, HostileTextIsFilteredAndItsClassCorrected) {
  struct Case {
    std::string said;
    std::string heard;
  };
  for (const Case& c :
       {Case{"550 5.1.1 \x1b[2J\x01\x7f\xff\xc3\xa9 no\r\n", "550 5.1.1 ?[2J????? no\r\n"},
        Case{"550 2.1.5 Recipient ok\r\n", "550 5.1.5 Recipient ok\r\n"},
        Case{"450 5.1.1 later\r\n", "450 4.1.1 later\r\n"},
        Case{"550-2.1.5 a\r\n550 4.1.5 b\r\n", "550-5.1.5 a\r\n550 5.1.5 b\r\n"}, Case{"550\r\n", "550\r\n"}}) {
    EXPECT_EQ(answer_to_recipient(c.said), c.heard);
    World world;
    world.upstream.replies["."] = c.said;
    world.greet();
    world.say(mail);
    world.say(rcpt);
    world.say("DATA\r\n");
    EXPECT_EQ(world.say("hello\r\n.\r\n"), c.heard) << "at the end of data too";
  }
}

TEST(UpstreamReplies, LongLinesAreFolded) {
  std::string heard = answer_to_recipient("550 5.1.1 " + std::string(2000, 'x') + "\r\n");
  EXPECT_EQ(std::count(heard.begin(), heard.end(), 'x'), 2000);
  for (std::string_view line : text::split(heard, '\n')) {
    EXPECT_LE(line.size() + 1, 512u);
    if (!line.empty()) EXPECT_TRUE(line.starts_with("550-5.1.1 ") || line.starts_with("550 5.1.1 ")) << line;
  }
}

TEST(UpstreamReplies, BelongToTheirRecipientsInEveryMixOfYesAndNo) {
  constexpr int recipients = 5;
  for (bool is_pipelined : {true, false}) {
    for (int mix = 0; mix < 1 << recipients; ++mix) {
      SCOPED_TRACE(std::to_string(mix) + (is_pipelined ? " pipelined" : ""));
      World world;
      if (!is_pipelined) world.upstream.replies["EHLO"] = "250 upstream.example\r\n";
      std::string said(mail), wanted(mail_ok);
      for (int i = 0; i < recipients; ++i) {
        std::string number = std::to_string(i);
        bool is_taken = (mix >> i & 1) != 0;
        std::string reply = (is_taken ? "250 2.1.5 yes " : i % 2 == 0 ? "550 5.1.1 no " : "450 4.2.1 later ") + number;
        world.upstream.queued["RCPT"].push_back(reply + "\r\n");
        said += "RCPT TO:<user" + number + "@example.com>\r\n";
        wanted += reply + "\r\n";
      }
      world.greet();
      EXPECT_EQ(world.say(said), wanted);
      std::string data = world.say("DATA\r\n");
      EXPECT_EQ(data.substr(0, 4), mix == 0 ? "554 " : "354 ");
      if (mix != 0) {
        EXPECT_EQ(world.say("hello\r\n.\r\n"), "250 2.0.0 Stored\r\n");
      }
    }
  }
}

TEST(UpstreamReplies, ARefusedMailIsTheAnswerToItsRecipients) {
  for (bool is_pipelined : {true, false}) {
    World world;
    if (!is_pipelined) world.upstream.replies["EHLO"] = "250 upstream.example\r\n";
    world.greet();
    world.upstream.replies["MAIL"] = "550 5.7.1 not you\r\n";
    world.upstream.replies["RCPT"] = "503 5.5.1 MAIL first\r\n";
    world.say(mail);
    EXPECT_EQ(world.say(rcpt), "550 5.7.1 not you\r\n");
    EXPECT_EQ(world.say(rcpt), "550 5.7.1 not you\r\n");
    EXPECT_EQ(world.say("DATA\r\n").substr(0, 10), "554 5.5.1 ");
  }
}

TEST(UpstreamReplies, ARecipientOfARefusedMailCannotBeAccepted) {
  World world;
  world.greet();
  world.upstream.replies["MAIL"] = "550 5.7.1 not you\r\n";
  world.say(mail);
  EXPECT_EQ(world.say(rcpt).substr(0, 10), in_trouble);
  EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 1u);
}

TEST(UpstreamReplies, AGoAheadForARecipientMakesNoSense) {
  for (bool is_pipelined : {true, false}) {
    World world;
    if (!is_pipelined) world.upstream.replies["EHLO"] = "250 upstream.example\r\n";
    world.upstream.replies["RCPT"] = "354 go on\r\n";
    world.greet();
    world.say(mail);
    EXPECT_EQ(world.say(rcpt).substr(0, 10), in_trouble);
    EXPECT_EQ(world.counters.get(Violation::upstream_protocol), 1u);
  }
}

TEST(UpstreamReplies, AFinalRefusalIsPassedOn) {
  for (std::string refusal :
       {"552 5.2.2 Mailbox full\r\n", "451 4.3.1 Disk full\r\n", "554-5.7.1 spam\r\n554 5.7.1 so there\r\n"}) {
    for (std::string verb : {"DATA", ".", "BDAT"}) {
      SCOPED_TRACE(verb + " " + refusal);
      World world;
      if (verb == "BDAT") world.upstream.replies["EHLO"] = "250-upstream.example\r\n250 CHUNKING\r\n";
      world.upstream.replies[verb] = refusal;
      world.greet();
      world.say(mail);
      world.say(rcpt);
      world.say("DATA\r\n");
      EXPECT_EQ(world.say("hello\r\n.\r\n"), refusal);
      EXPECT_TRUE(world.upstream.stored.empty());
    }
  }
}

// U12: of the extensions that are not our own, those that every server behind us has.
TEST(UpstreamReplies, EhloOffersWhatAllServersHave) {
  FakeUpstream other;
  World world;
  world.settings.upstreams["default"].servers.push_back(second_server);
  world.dialer.serve(second_server, [&](auto stream) { return other.serve(std::move(stream)); });
  other.replies["EHLO"] = "250-upstream.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-VRFY\r\n250 SIZE 5000\r\n";
  world.connect();
  world.heard();
  std::string offer = world.say("EHLO client.example\r\n");
  for (std::string_view own : {"PIPELINING", "ENHANCEDSTATUSCODES", "CHUNKING", "8BITMIME", "SIZE 5000"})
    EXPECT_NE(offer.find(own), std::string::npos) << own;
  for (std::string_view missing : {"SMTPUTF8", "DSN", "VRFY", "REQUIRETLS"})
    EXPECT_EQ(offer.find(missing), std::string::npos) << missing;
}

TEST(UpstreamReplies, EhloOffersNothingOfAServerThatIsUnknown) {
  World world;
  world.dialer.fail(first_server, io::Error::refused);
  world.connect();
  world.heard();
  std::string offer = world.say("EHLO client.example\r\n");
  EXPECT_NE(offer.find("CHUNKING"), std::string::npos);
  EXPECT_EQ(offer.find("8BITMIME"), std::string::npos) << offer;
}

}  // namespace
}  // namespace sallyport::upstream
