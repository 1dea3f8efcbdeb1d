#include "gateway/milter_service/mta_terms.h"

#include <gtest/gtest.h>

#include "gateway/milter/answer.h"
#include "gateway/milter/negotiation.h"
#include "tests/support/lines_log.h"

namespace sallyport::milter_service {
namespace {

namespace action = milter::action;
namespace option = milter::option;
using milter::Verb;

TEST(MtaTerms, WithPostfixAndSendmail) {
  const auto terms = agree({6, action::all, option::all});
  ASSERT_TRUE(terms);
  EXPECT_EQ(terms->version, 6u);
  EXPECT_EQ(terms->actions, action::add_headers | action::change_headers | action::quarantine | action::set_macro_list);
  for (const Verb verb : {Verb::connect, Verb::helo, Verb::mail, Verb::rcpt, Verb::end_of_message}) {
    EXPECT_TRUE(milter::is_wanted(*terms, verb));
    EXPECT_TRUE(milter::is_answered(*terms, verb));
  }
  for (const Verb verb : {Verb::data, Verb::header, Verb::end_of_header, Verb::body}) {
    EXPECT_TRUE(milter::is_wanted(*terms, verb));
    EXPECT_FALSE(milter::is_answered(*terms, verb));
  }
  EXPECT_FALSE(milter::is_wanted(*terms, Verb::unknown));
}

// What is answered is always a part of what was offered.
TEST(MtaTerms, AreAPartOfTheOffer) {
  for (std::uint32_t version = 2; version <= 7; ++version) {
    for (std::uint32_t actions = 0; actions <= action::all; ++actions) {
      for (const std::uint32_t options :
           {0u, 0x3fu, 0x7fu, 0xffu, 0x1ffu, 0x3ffu, option::leading_space, option::all}) {
        const auto terms = agree({version, actions, options});
        ASSERT_TRUE(terms) << version << ' ' << actions << ' ' << options;
        EXPECT_LE(terms->version, std::min(version, 6u));
        EXPECT_EQ(terms->actions & ~(actions == 0 ? action::of_version_1 : actions), 0u);
        EXPECT_EQ(terms->options & ~(options == 0 ? option::of_version_1 : options), 0u);
      }
    }
  }
  EXPECT_FALSE(agree({1, action::all, option::all}));
  EXPECT_FALSE(agree({0, 0, 0}));
}

TEST(MtaTerms, NameTheMacrosWhereTheMtaAsksForThem) {
  std::string out;
  encode_agreement(out, *agree({6, action::all, option::all}));
  EXPECT_NE(out.find("{client_addr}"), std::string::npos);
  milter::PacketReader reader;
  std::string_view rest = out;
  ASSERT_EQ(reader.read(rest), milter::PacketReader::Status::packet);
  EXPECT_TRUE(milter::decode_answer(reader.packet()));
  out.clear();
  encode_agreement(out, *agree({6, action::all & ~action::set_macro_list, option::all}));
  EXPECT_EQ(out.size(), 4u + 1 + 12);
}

TEST(MtaTerms, WhatIsMissingIsToldOnce) {
  support::LinesLog log;
  MissingActions missing;
  missing.tell(log, *agree({6, action::all, option::all}), "mx.example");
  EXPECT_TRUE(log.lines.empty());
  for (int i = 0; i < 3; ++i) missing.tell(log, *agree({2, action::add_headers, 0x3f}), "mx.example");
  EXPECT_EQ(log.lines.size(), 3u);
  EXPECT_EQ(log.count({"event=milter", "mta=mx.example", "version=2"}), 3u);
}

}  // namespace
}  // namespace sallyport::milter_service
