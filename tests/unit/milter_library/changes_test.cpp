// What a filter may do to a message, when, and with what arguments.
#include <gtest/gtest.h>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

char* writable(const char* text) { return const_cast<char*>(text); }

// Each change once, as it would succeed at the end of a message.
std::vector<std::function<int(SMFICTX*)>> all_changes() {
  return {
      [](SMFICTX* c) { return smfi_addheader(c, writable("a"), writable("")); },
      [](SMFICTX* c) { return smfi_chgheader(c, writable("a"), 0, nullptr); },
      [](SMFICTX* c) { return smfi_insheader(c, 7, writable("a"), writable("b")); },
      [](SMFICTX* c) { return smfi_chgfrom(c, writable("<a>"), nullptr); },
      [](SMFICTX* c) { return smfi_addrcpt(c, writable("<a>")); },
      [](SMFICTX* c) { return smfi_addrcpt_par(c, writable("<a>"), nullptr); },
      [](SMFICTX* c) { return smfi_delrcpt(c, writable("<a>")); },
      [](SMFICTX* c) { return smfi_replacebody(c, nullptr, 0); },
      [](SMFICTX* c) { return smfi_quarantine(c, writable("a")); },
  };
}

// How many of them succeed.
int try_all(SMFICTX* context) {
  int successes = 0;
  for (const auto& change : all_changes()) successes += change(context) == MI_SUCCESS ? 1 : 0;
  return successes;
}

struct ChangesTest : testing::Test {
  Callbacks filter;
  Exchange mta{filter};

  std::string at_end_of_message(Deed deed, std::uint32_t actions = 0x1ff) {
    filter.description.xxfi_flags = actions;
    Exchange other(filter);
    other.open();
    other.say('R', "<r>\0"s);
    filter.does["eom"] = std::move(deed);
    return other.say('E');
  }
};

TEST_F(ChangesTest, AreMadeAtTheEndOfAMessageOnly) {
  int successes = 0;
  const Deed deed = [&successes](SMFICTX* context) {
    successes += try_all(context);
    return SMFIS_CONTINUE;
  };
  for (const char* name : {"connect", "helo", "envfrom", "envrcpt", "data", "header", "eoh", "body", "abort", "close"})
    filter.does[name] = deed;
  mta.open();
  mta.say('R', "<r>\0"s);
  mta.say('T');
  mta.say('L', "a\0b\0"s);
  mta.say('N');
  mta.say('B', "x");
  mta.say('E', "x");
  EXPECT_EQ(try_all(reinterpret_cast<SMFICTX*>(&mta.session())), 0);
  mta.say('M', "<a>\0"s);
  mta.say('A');
  mta.end();
  EXPECT_EQ(successes, 0);
  at_end_of_message(deed);
  EXPECT_EQ(successes, 9);
}

TEST_F(ChangesTest, NeedTheirAction) {
  const std::vector<std::pair<std::uint32_t, int>> actions = {{0, 0},
                                                              {SMFIF_ADDHDRS, 2},
                                                              {SMFIF_CHGBODY, 1},
                                                              {SMFIF_ADDRCPT, 1},
                                                              {SMFIF_DELRCPT, 1},
                                                              {SMFIF_CHGHDRS, 1},
                                                              {SMFIF_QUARANTINE, 1},
                                                              {SMFIF_CHGFROM, 1},
                                                              {SMFIF_ADDRCPT_PAR, 1},
                                                              {SMFIF_SETSYMLIST, 0}};
  for (const auto& [action, count] : actions) {
    int successes = 0;
    at_end_of_message(
        [&successes](SMFICTX* context) {
          successes = try_all(context);
          return SMFIS_CONTINUE;
        },
        action);
    EXPECT_EQ(successes, count) << action;
  }
}

TEST_F(ChangesTest, RefuseEmptyArguments) {
  EXPECT_EQ(at_end_of_message([](SMFICTX* c) {
              char* none = nullptr;
              char* empty = writable("");
              for (char* name : {none, empty}) {
                EXPECT_EQ(smfi_addheader(c, name, empty), MI_FAILURE);
                EXPECT_EQ(smfi_insheader(c, 0, name, empty), MI_FAILURE);
                EXPECT_EQ(smfi_chgheader(c, name, 1, empty), MI_FAILURE);
                EXPECT_EQ(smfi_chgfrom(c, name, none), MI_FAILURE);
                EXPECT_EQ(smfi_addrcpt(c, name), MI_FAILURE);
                EXPECT_EQ(smfi_addrcpt_par(c, name, none), MI_FAILURE);
                EXPECT_EQ(smfi_delrcpt(c, name), MI_FAILURE);
                EXPECT_EQ(smfi_quarantine(c, name), MI_FAILURE);
              }
              EXPECT_EQ(smfi_addheader(c, writable("a"), none), MI_FAILURE);
              EXPECT_EQ(smfi_insheader(c, 0, writable("a"), none), MI_FAILURE);
              EXPECT_EQ(smfi_insheader(c, -1, writable("a"), empty), MI_FAILURE);
              EXPECT_EQ(smfi_chgheader(c, writable("a"), -1, empty), MI_FAILURE);
              EXPECT_EQ(smfi_replacebody(c, nullptr, 1), MI_FAILURE);
              EXPECT_EQ(smfi_replacebody(c, nullptr, -1), MI_FAILURE);
              return SMFIS_CONTINUE;
            }),
            "c");
}

TEST_F(ChangesTest, AnswerFailureWithoutAContext) {
  EXPECT_EQ(try_all(nullptr), 0);
  EXPECT_EQ(smfi_progress(nullptr), MI_FAILURE);
  EXPECT_EQ(smfi_setreply(nullptr, writable("550"), nullptr, nullptr), MI_FAILURE);
  EXPECT_EQ(smfi_setmlreply(nullptr, "550", nullptr, "a", nullptr), MI_FAILURE);
  EXPECT_EQ(smfi_setpriv(nullptr, nullptr), MI_FAILURE);
  EXPECT_EQ(smfi_getpriv(nullptr), nullptr);
  EXPECT_EQ(smfi_getsymval(nullptr, writable("i")), nullptr);
  EXPECT_EQ(smfi_setsymlist(nullptr, 0, writable("i")), MI_FAILURE);
}

TEST_F(ChangesTest, OfTheBodyGoInPiecesThatFit) {
  const std::string body(65535 + 10, 'x');
  EXPECT_EQ(at_end_of_message([&body](SMFICTX* c) {
              auto* octets = reinterpret_cast<unsigned char*>(writable(body.data()));
              EXPECT_EQ(smfi_replacebody(c, octets, static_cast<int>(body.size())), MI_SUCCESS);
              EXPECT_EQ(smfi_replacebody(c, octets, 65535), MI_SUCCESS);
              return SMFIS_CONTINUE;
            }),
            "b" + body.substr(10) + "|bxxxxxxxxxx|b" + body.substr(10) + "|c");
}

TEST_F(ChangesTest, FailOnceTheMtaIsGone) {
  mta.open();
  mta.say('R', "<r>\0"s);
  filter.does["eom"] = [this](SMFICTX* c) {
    mta.is_lost = true;
    EXPECT_EQ(smfi_progress(c), MI_FAILURE);
    EXPECT_EQ(try_all(c), 0);
    return SMFIS_CONTINUE;
  };
  EXPECT_EQ(mta.say('E'), "(end)");
}

TEST_F(ChangesTest, ProgressIsSentAtOnceInAnyCallback) {
  filter.does["envfrom"] = [this](SMFICTX* c) {
    EXPECT_EQ(smfi_progress(c), MI_SUCCESS);
    EXPECT_EQ(mta.sent, "\0\0\0\1p"s);
    return SMFIS_CONTINUE;
  };
  mta.open();
}

}  // namespace
}  // namespace sallyport::milter_library
