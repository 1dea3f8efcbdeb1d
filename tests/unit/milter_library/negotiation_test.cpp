// What a session and an MTA agree on.
#include <gtest/gtest.h>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

// What the test wants xxfi_negotiate to do, and what it was given.
struct Wish {
  sfsistat verdict = SMFIS_CONTINUE;
  std::optional<unsigned long> actions;
  std::optional<unsigned long> options;
  unsigned long offered_actions = 0;
  unsigned long offered_options = 0;
  unsigned long preset_options = 0;
};
Wish wish;

sfsistat negotiate(SMFICTX*, unsigned long actions, unsigned long options, unsigned long, unsigned long,
                   unsigned long* wanted_actions, unsigned long* wanted_options, unsigned long*, unsigned long*) {
  EXPECT_EQ(*wanted_actions, actions);
  wish.offered_actions = actions;
  wish.offered_options = options;
  wish.preset_options = *wanted_options;
  if (wish.actions) *wanted_actions = *wish.actions;
  if (wish.options) *wanted_options = *wish.options;
  return wish.verdict;
}

struct NegotiationTest : testing::Test {
  NegotiationTest() { wish = {}; }
  Callbacks filter;

  std::string offer(std::uint32_t version, std::uint32_t actions, std::uint32_t options) {
    Exchange mta(filter);
    return mta.say('O', u32(version) + u32(actions) + u32(options));
  }
  static std::string terms(std::uint32_t version, std::uint32_t actions, std::uint32_t options) {
    return "O" + u32(version) + u32(actions) + u32(options);
  }
};

TEST_F(NegotiationTest, WithoutACallbackTheFilterWantsItsFlags) {
  filter.description.xxfi_flags = SMFIF_ADDHDRS;
  filter.description.xxfi_eoh = nullptr;
  EXPECT_EQ(offer(6, 0x1ff, 0x1fffff), terms(6, 1, SMFIP_NOEOH));
  EXPECT_EQ(offer(2, 0x3f, 0x7f), terms(2, 1, SMFIP_NOEOH));
  EXPECT_EQ(offer(9, 0x1ff, 0x1fffff), terms(6, 1, SMFIP_NOEOH));
  EXPECT_EQ(offer(1, 0x1ff, 0x1fffff), "(end)");
  EXPECT_EQ(offer(6, 0x2, 0x1fffff), "(end)");
}

TEST_F(NegotiationTest, AnOfferOfNothingIsThatOfVersionOne) {
  filter.description.xxfi_flags = 0xf;
  EXPECT_EQ(offer(2, 0, 0), terms(2, 0xf, 0));
}

TEST_F(NegotiationTest, TheCallbackSeesWhatThereIs) {
  filter.description.xxfi_negotiate = negotiate;
  filter.description.xxfi_eoh = nullptr;
  filter.description.xxfi_unknown = nullptr;
  filter.description.xxfi_data = nullptr;
  EXPECT_EQ(offer(6, 0x1ff, 0x701fffff), terms(6, 0x1ff, 0x740));
  EXPECT_EQ(wish.offered_actions, 0x1ffU);
  EXPECT_EQ(wish.offered_options, 0x1fffffU);
  EXPECT_EQ(wish.preset_options, 0x740U);
  EXPECT_EQ(offer(6, 0x1ff, 0x7f), terms(6, 0x1ff, 0x40));
  EXPECT_EQ(wish.offered_options, 0xff0ffU);  // silence can be pretended
}

TEST_F(NegotiationTest, AllThereIsCanBeWanted) {
  filter.description.xxfi_negotiate = negotiate;
  filter.description.xxfi_eoh = nullptr;
  wish.verdict = SMFIS_ALL_OPTS;
  wish.actions = 0;
  EXPECT_EQ(offer(6, 0x1f, 0x1fffff), terms(6, 0x1f, 0x440));
}

TEST_F(NegotiationTest, AnyOtherVerdictEndsTheConnection) {
  filter.description.xxfi_negotiate = negotiate;
  for (const sfsistat verdict : {SMFIS_REJECT, SMFIS_ACCEPT, SMFIS_TEMPFAIL, 99}) {
    wish.verdict = verdict;
    EXPECT_EQ(offer(6, 0x1ff, 0x1fffff), "(end)");
  }
}

TEST_F(NegotiationTest, WhatTheMtaLacksEndsTheConnection) {
  filter.description.xxfi_negotiate = negotiate;
  wish.options = SMFIP_HDR_LEADSPC;
  EXPECT_EQ(offer(6, 0x1ff, 0x7f), "(end)");
  wish.options = 0;
  wish.actions = SMFIF_CHGFROM;
  EXPECT_EQ(offer(6, 0x3f, 0x1fffff), "(end)");
}

TEST_F(NegotiationTest, SilenceIsPretendedForAnMtaThatWaits) {
  filter.description.xxfi_negotiate = negotiate;
  filter.does["envfrom"] = [](SMFICTX*) { return SMFIS_NOREPLY; };
  filter.does["envrcpt"] = [](SMFICTX*) { return SMFIS_REJECT; };
  wish.options = SMFIP_NR_MAIL | SMFIP_NR_RCPT;
  Exchange old(filter);
  EXPECT_EQ(old.say('O', u32(6) + u32(0x1ff) + u32(0x7f)), terms(6, 0x1ff, 0));
  EXPECT_EQ(old.say('M', "<a>\0"s), "c");
  EXPECT_EQ(old.say('R', "<a>\0"s), "c");
  EXPECT_EQ(old.reports.size(), 1U);  // the verdict that nobody hears
  Exchange today(filter);
  EXPECT_EQ(today.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff)), terms(6, 0x1ff, 0xc000));
  EXPECT_EQ(today.say('M', "<a>\0"s), "");
  EXPECT_EQ(today.say('R', "<a>\0"s), "");
  EXPECT_EQ(today.say('T'), "c");
}

TEST_F(NegotiationTest, AMacroListIsSetOnce) {
  Exchange mta(filter);
  auto* context = reinterpret_cast<SMFICTX*>(&mta.session());
  std::string names = "i {x}";
  std::string empty;
  EXPECT_EQ(smfi_setsymlist(context, SMFIM_EOH, names.data()), MI_SUCCESS);
  EXPECT_EQ(smfi_setsymlist(context, SMFIM_EOH, names.data()), MI_FAILURE);
  EXPECT_EQ(smfi_setsymlist(context, SMFIM_CONNECT, names.data()), MI_SUCCESS);
  EXPECT_EQ(smfi_setsymlist(context, 7, names.data()), MI_FAILURE);
  EXPECT_EQ(smfi_setsymlist(context, -1, names.data()), MI_FAILURE);
  EXPECT_EQ(smfi_setsymlist(context, 1, nullptr), MI_FAILURE);
  EXPECT_EQ(smfi_setsymlist(context, 1, empty.data()), MI_FAILURE);
  EXPECT_EQ(mta.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff)),
            terms(6, 0x1ff, 0) + u32(0) + "i {x}\0"s + u32(6) + "i {x}\0"s);
}

}  // namespace
}  // namespace sallyport::milter_library
