// Octets that no MTA sends, and MTAs that stand still, in every phase (threats.md F9).
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/milter_service/mta_world.h"

namespace sallyport::milter_service {
namespace {

using record::Outcome;
using Answers = MtaWorld::Answers;

// Brings a world into a phase, from nothing on.
constexpr int phases = 9;
void bring_to(MtaWorld& w, int phase) {
  w.connect();
  if (phase >= 1) w.offer();
  if (phase >= 2) w.name_client();
  if (phase >= 3) w.say(milter::Helo{"client.example"});
  if (phase >= 4) w.mail();
  if (phase >= 5) w.rcpt();
  if (phase >= 6) w.say(milter::Data{});
  if (phase >= 7) w.say(milter::Header{"Subject", " x"});
  if (phase >= 8) w.say(milter::Body{"x\r\n"});
}
bool is_in_mail(int phase) { return phase >= 4; }

TEST(HostileMta, GarbageEndsTheConnectionInEachPhase) {
  const std::string garbage[] = {
      std::string("\0\0\0\0", 4),           // length 0
      std::string("\x00\x10\x00\x01", 4),   // more than 1 MiB
      std::string("\xff\xff\xff\xff", 4),   //
      std::string("\0\0\0\1?", 5),          // no command
      std::string("\0\0\0\2Cx", 6),         // cut short
      std::string("\0\0\0\3Tab", 7),        // data where none may be
      "GET / HTTP/1.0\r\n\r\n",             // 1.2 GB of something
      std::string("\0\0\0\5O\0\0\0\6", 9),  // half an offer
  };
  for (int phase = 0; phase < phases; ++phase) {
    for (const std::string& octets : garbage) {
      MtaWorld w;
      bring_to(w, phase);
      EXPECT_TRUE(w.say_octets(octets).empty()) << phase;
      EXPECT_TRUE(w.is_over()) << phase;
      EXPECT_TRUE(w.has_ended());
      EXPECT_EQ(w.world.counters.get(Violation::milter_protocol), 1u);
      EXPECT_EQ(w.mails(), is_in_mail(phase) ? 1u : 0u);
      if (is_in_mail(phase)) EXPECT_EQ(w.last().outcome, Outcome::tempfail);
    }
  }
}

// What was found of a recipient that was refused before is not what the mail's end was about.
TEST(HostileMta, GarbageBehindARefusedRecipientIsWhatIsRecorded) {
  MtaWorld w;
  w.judge = [](policies::Stage stage, const policies::Transaction&, policies::Verdicts& out) {
    if (stage == policies::Stage::rcpt) out.add(policies::Verdict::reject("5.1.1", "No"));
  };
  w.open();
  w.mail();
  w.rcpt();
  w.say_octets(std::string("\0\0\0\1?", 5));
  EXPECT_TRUE(w.is_over());
  EXPECT_EQ(w.last().check, "milter_protocol");
  EXPECT_EQ(w.last().verdicts.size(), 0u);
}

TEST(HostileMta, WhatComesOutOfOrderEndsTheConnection) {
  const auto is_ended_by = [](int phase, const milter::Command& command) {
    MtaWorld w;
    bring_to(w, phase);
    w.say(command);
    return w.is_over();
  };
  for (int phase = 1; phase < phases; ++phase) EXPECT_TRUE(is_ended_by(phase, milter::Terms{6, 0, 0})) << phase;
  for (int phase = 2; phase < phases; ++phase) EXPECT_TRUE(is_ended_by(phase, milter::Connect{"x", {}, {}})) << phase;
  const milter::Command early[] = {milter::Helo{"x"}, milter::Mail{"<>", {}},   milter::Rcpt{"<x@y>", {}},
                                   milter::Data{},    milter::Header{"a", "b"}, milter::EndOfHeader{},
                                   milter::Body{"x"}, milter::EndOfMessage{}};
  for (const milter::Command& command : early) {
    EXPECT_TRUE(is_ended_by(0, command));
    EXPECT_TRUE(is_ended_by(1, command));
  }
  EXPECT_TRUE(is_ended_by(7, milter::Rcpt{"<bob@example.com>", {}}));
  EXPECT_TRUE(is_ended_by(8, milter::Data{}));
  EXPECT_TRUE(is_ended_by(8, milter::Header{"a", "b"}));
  EXPECT_TRUE(is_ended_by(8, milter::EndOfHeader{}));
  EXPECT_TRUE(is_ended_by(7, milter::Header{"a", "b\nc: d"}));
}

TEST(HostileMta, AStallEndsInEachPhase) {
  for (int phase = 0; phase < phases; ++phase) {
    for (const bool is_in_packet : {false, true}) {
      MtaWorld w;
      bring_to(w, phase);
      if (is_in_packet) w.say_octets(std::string("\0\0\1\0B", 5));
      w.world.advance(std::chrono::seconds(29));
      EXPECT_FALSE(w.is_over());
      w.world.advance(phase == 0     ? std::chrono::seconds(2)
                      : is_in_packet ? std::chrono::seconds(152)
                                     : std::chrono::seconds(3900));
      EXPECT_TRUE(w.is_over()) << phase << is_in_packet;
      EXPECT_EQ(w.world.counters.get(Violation::slow_client), 1u);
      EXPECT_EQ(w.mails(), is_in_mail(phase) ? 1u : 0u);
    }
  }
}

TEST(HostileMta, AnEndInEachPhaseIsRecorded) {
  for (int phase = 0; phase < phases; ++phase) {
    for (const bool is_reset : {false, true}) {
      MtaWorld w;
      bring_to(w, phase);
      is_reset ? w.mta->reset() : w.mta->end();
      w.run();
      EXPECT_TRUE(w.is_over());
      EXPECT_EQ(w.mails(), is_in_mail(phase) ? 1u : 0u);
      EXPECT_EQ(w.world.counters.get(Fault::client_lost), is_in_mail(phase) ? 1u : 0u);
    }
  }
}

TEST(HostileMta, AStrangerIsNotServed) {
  MtaWorld w;
  w.connect(*SocketAddress::parse("192.0.2.9:1"));
  EXPECT_TRUE(w.is_over());
  EXPECT_EQ(w.world.counters.get(Violation::milter_protocol), 1u);
  w.listener.settings.milter_from = {*IpNetwork::parse("192.0.2.9/32")};
  w.connect(*SocketAddress::parse("192.0.2.9:1"));
  EXPECT_FALSE(w.offer().empty());
}

TEST(HostileMta, HasNoMoreSessionsThanThereArePlaces) {
  MtaWorld w;
  w.world.slots.places = 0;
  w.connect();
  EXPECT_TRUE(w.is_over());
}

// However a dialogue is cut into pieces, it says the same.
TEST(HostileMta, OctetByOctetIsTheSame) {
  std::string dialogue;
  for (const milter::Command& command : std::initializer_list<milter::Command>{
           milter::Terms{6, milter::action::all, milter::option::all}, milter::Connect{"c.example", some_client, {}},
           milter::Helo{"c.example"}, milter::Mail{"<ann@example.org>", {}}, milter::Rcpt{"<bob@example.com>", {}},
           milter::Data{}, milter::Header{"Subject", " x"}, milter::EndOfHeader{}, milter::Body{"text\r\n"},
           milter::EndOfMessage{}})
    milter::encode(dialogue, command);
  const auto letters = [](const Answers& answers) {
    std::string found;
    for (const std::string& answer : answers) found += answer.front();
    return found;
  };
  MtaWorld whole;
  whole.connect();
  EXPECT_EQ(letters(whole.say_octets(dialogue)), "Occcciia");
  MtaWorld pieces;
  pieces.connect();
  Answers all;
  for (const char octet : dialogue) {
    for (std::string& answer : pieces.say_octets({&octet, 1})) all.push_back(std::move(answer));
  }
  EXPECT_EQ(letters(all), "Occcciia");
  EXPECT_EQ(whole.last().size, pieces.last().size);
}

// Random commands in random order: each mail has one record, nothing throws, nothing is left.
TEST(HostileMta, AnyOrderOfCommandsIsSurvived) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    MtaWorld w;
    w.connect();
    w.offer(2 + random() % 5, random() % 512, milter::option::all);
    w.name_client();
    std::uint64_t begun = 0;
    for (int i = 0; i < 30 && !w.is_over(); ++i) {
      const auto before = w.world.counters.get(Total::transactions);
      switch (random() % 14) {
        case 0:
          w.say(milter::Helo{"x.example"});
          break;
        case 1:
        case 2:
          w.mail();
          break;
        case 3:
        case 4:
          w.rcpt(random() % 2 ? "<bob@example.com>" : "<bob@elsewhere.example>");
          break;
        case 5:
          w.say(milter::Data{});
          break;
        case 6:
          w.say(milter::Header{"Subject", " x"});
          break;
        case 7:
          w.say(milter::EndOfHeader{});
          break;
        case 8:
          w.say(milter::Body{"x\r\n"});
          break;
        case 9:
          w.say(milter::EndOfMessage{"x"});
          break;
        case 10:
          w.say(milter::Abort{});
          break;
        case 11:
          w.say(milter::Unknown{"x"});
          break;
        case 12:
          if (random() % 4 == 0) {
            w.say(milter::QuitAndReuse{});
            w.name_client();
          }
          break;
        default:
          w.macros(milter::Verb::mail, {{"i", "Q"}});
          break;
      }
      begun += w.world.counters.get(Total::transactions) - before;
    }
    if (!w.is_over()) w.say(milter::Quit{});
    EXPECT_TRUE(w.is_over());
    EXPECT_EQ(w.mails(), begun);
  }
}

}  // namespace
}  // namespace sallyport::milter_service
