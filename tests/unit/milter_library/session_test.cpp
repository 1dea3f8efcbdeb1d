// The order of commands, verdicts, and how a session ends.
#include <gtest/gtest.h>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;
using Calls = std::vector<std::string>;

const std::string mail = "<a@b>\0"s;
const std::string rcpt = "<r@b>\0"s;
const std::string helo = "client\0"s;
const std::string host = "host\0U"s;

Deed returns(sfsistat verdict) {
  return [verdict](SMFICTX*) { return verdict; };
}

struct SessionTest : testing::Test {
  Callbacks filter;
  Exchange mta{filter};

  void open() {
    mta.open();
    filter.take_calls();
  }
};

TEST_F(SessionTest, ClosesAConnectionOnWhichNothingCame) {
  mta.end();
  mta.end();
  EXPECT_EQ(filter.calls, Calls{"close"});
}

TEST_F(SessionTest, AbortsTheMessageUnderWayAtItsEnd) {
  open();
  EXPECT_EQ(mta.say('Q'), "(end)");
  mta.end();
  EXPECT_EQ(filter.calls, (Calls{"abort", "close"}));
}

TEST_F(SessionTest, AbortsNothingAfterAVerdict) {
  open();
  mta.say('R', rcpt);
  mta.say('E');
  mta.end();
  EXPECT_EQ(filter.calls, (Calls{"envrcpt <r@b>", "eom", "close"}));
}

TEST_F(SessionTest, TakesACommandOutOfOrderAsAfterHelo) {
  open();
  EXPECT_EQ(mta.say('H', helo), "c");
  EXPECT_EQ(filter.take_calls(), (Calls{"abort", "helo client"}));
}

TEST_F(SessionTest, LeavesOutWhatMayComeNowhere) {
  open();
  EXPECT_EQ(mta.say('T'), "");  // no recipient
  EXPECT_EQ(mta.say('R', rcpt), "");
  EXPECT_EQ(mta.say('E'), "");
  EXPECT_EQ(mta.say('C', host), "");
  EXPECT_EQ(mta.say('A'), "");
  EXPECT_EQ(mta.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff)), "");
  EXPECT_EQ(filter.take_calls(), Calls{"abort"});
  EXPECT_EQ(mta.say('M', mail), "c");
}

TEST_F(SessionTest, KnowsTheOrderOfAMessage) {
  // What may follow each beginning of a message; everything else ends it.
  const std::vector<std::pair<std::string, std::string>> orders = {{"", "RAU"},    {"R", "RTLNBEAU"}, {"RT", "LNA"},
                                                                   {"RTL", "LNA"}, {"RTLN", "BEA"},   {"RTLNB", "BEA"},
                                                                   {"RN", "BEA"},  {"RLN", "BEA"},    {"RB", "BEA"}};
  const std::map<char, std::string> data = {{'R', rcpt}, {'L', "a\0b\0"s}, {'U', "X\0"s}, {'B', "x"}};
  const auto data_of = [&data](char letter) { return data.contains(letter) ? data.at(letter) : ""s; };
  for (const auto& [beginning, allowed] : orders) {
    for (const char next : "RTLNBEAU"s) {
      SCOPED_TRACE(beginning + " then " + next);
      mta.say('M', mail);  // from wherever the last left off
      open();
      for (const char letter : beginning) EXPECT_EQ(mta.say(letter, data_of(letter)), "c");
      filter.take_calls();
      const bool is_allowed = allowed.find(next) != std::string::npos;
      const bool is_abort = next == 'A' || !is_allowed;
      mta.say(next, data_of(next));
      EXPECT_EQ(!filter.calls.empty() && filter.calls.front() == "abort", is_abort);
      mta.say('A');
    }
  }
}

TEST(Sessions, StepOverWhatTheFilterHasDeclined) {
  Callbacks filter;
  filter.description.xxfi_negotiate = [](SMFICTX*, unsigned long, unsigned long, unsigned long, unsigned long,
                                         unsigned long*, unsigned long* options, unsigned long*, unsigned long*) {
    *options = SMFIP_NORCPT | SMFIP_NODATA | SMFIP_NOHDRS | SMFIP_NOEOH;
    return SMFIS_CONTINUE;
  };
  Exchange mta(filter);
  mta.open();
  EXPECT_EQ(mta.say('B', "text"), "c");
  EXPECT_EQ(mta.say('E'), "c");
  EXPECT_EQ(filter.calls.back(), "eom");
}

TEST(Sessions, StepOverWhatTheFilterHasNoCallbackFor) {
  Callbacks filter;
  filter.description.xxfi_envrcpt = nullptr;
  filter.description.xxfi_data = nullptr;
  filter.description.xxfi_negotiate = [](SMFICTX*, unsigned long, unsigned long, unsigned long, unsigned long,
                                         unsigned long*, unsigned long* options, unsigned long*, unsigned long*) {
    *options = 0;  // it wants everything all the same
    return SMFIS_CONTINUE;
  };
  Exchange mta(filter);
  mta.open();
  EXPECT_EQ(mta.say('L', "a\0b\0"s), "c");
}

TEST_F(SessionTest, SaysEachVerdict) {
  const std::vector<std::pair<sfsistat, std::string>> verdicts = {
      {SMFIS_CONTINUE, "c"}, {SMFIS_ACCEPT, "a"}, {SMFIS_DISCARD, "d"}, {SMFIS_REJECT, "r"},
      {SMFIS_TEMPFAIL, "t"}, {SMFIS_SKIP, "s"},   {SMFIS_NOREPLY, ""},  {99, ""}};
  open();
  for (const auto& [verdict, letter] : verdicts) {
    filter.does["envfrom"] = returns(verdict);
    EXPECT_EQ(mta.say('M', mail), letter);
  }
}

TEST_F(SessionTest, HearsNoMoreOfAMessageWithAVerdict) {
  for (const sfsistat verdict : {SMFIS_ACCEPT, SMFIS_DISCARD, SMFIS_REJECT, SMFIS_TEMPFAIL}) {
    open();
    filter.does["header"] = returns(verdict);
    mta.say('R', rcpt);
    mta.say('L', "Subject\0x\0"s);
    filter.take_calls();
    EXPECT_EQ(mta.say('N'), "");
    EXPECT_EQ(mta.say('E'), "");
    EXPECT_EQ(mta.say('A'), "");
    EXPECT_EQ(filter.calls, Calls{});
    EXPECT_EQ(mta.say('M', mail), "c");
    mta.say('A');
  }
}

TEST_F(SessionTest, GoesOnAfterARefusedRecipientOrUnknownCommand) {
  open();
  for (const sfsistat verdict : {SMFIS_REJECT, SMFIS_TEMPFAIL, SMFIS_DISCARD}) {
    filter.does["envrcpt"] = filter.does["unknown"] = returns(verdict);
    EXPECT_NE(mta.say('R', rcpt), "");
    EXPECT_NE(mta.say('U', "FOO"), "");
  }
  EXPECT_EQ(mta.say('T'), "c");
}

TEST_F(SessionTest, GivesALastPieceOfTheBodyBeforeTheEnd) {
  open();
  mta.say('R', rcpt);
  filter.take_calls();
  EXPECT_EQ(mta.say('E', "12345"), "c");
  EXPECT_EQ(filter.take_calls(), (Calls{"body 12345", "eom"}));
  open();
  mta.say('R', rcpt);
  filter.take_calls();
  filter.does["body"] = returns(SMFIS_REJECT);
  EXPECT_EQ(mta.say('E', "12345"), "r");
  EXPECT_EQ(filter.calls, Calls{"body 12345"});
}

TEST_F(SessionTest, IsNewAfterQuitAndReuse) {
  mta.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff));
  mta.say('D', "Cj\0mx\0"s);
  mta.say('C', host);
  smfi_setpriv(reinterpret_cast<SMFICTX*>(&mta.session()), this);
  mta.say('M', mail);
  filter.take_calls();
  EXPECT_EQ(mta.say('K'), "");
  EXPECT_EQ(filter.take_calls(), (Calls{"abort", "close"}));
  EXPECT_EQ(mta.reports.size(), 1U);  // private data left behind
  EXPECT_EQ(mta.session().filter_data(), nullptr);
  EXPECT_EQ(mta.session().macro("j"), nullptr);
  mta.end();
  EXPECT_EQ(filter.take_calls(), Calls{});  // there was no further SMTP connection
}

TEST_F(SessionTest, ClosesEachSmtpConnectionOfOne) {
  mta.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff));
  mta.say('C', host);
  mta.say('K');
  EXPECT_EQ(mta.say('C', host), "c");
  mta.end();
  EXPECT_EQ(filter.take_calls(), (Calls{"connect host unknown", "close", "connect host unknown", "close"}));
}

// Its callbacks may call what they like.
TEST_F(SessionTest, SaysNothingAtItsEnd) {
  open();
  for (const char* callback : {"abort", "close"}) {
    filter.does[callback] = [](SMFICTX* context) {
      EXPECT_EQ(smfi_progress(context), MI_FAILURE);
      return SMFIS_REJECT;
    };
  }
  mta.sent.clear();
  mta.end();
  EXPECT_EQ(mta.sent + mta.answers, "");
  EXPECT_EQ(filter.take_calls(), (Calls{"abort", "close"}));
}

TEST_F(SessionTest, EndsAtWhatNoMtaSends) {
  const std::vector<std::pair<char, std::string>> broken = {{'Z', ""},
                                                            {'\0', ""},
                                                            {'c', ""},
                                                            {'H', ""},
                                                            {'H', "no end"},
                                                            {'M', ""},
                                                            {'M', "<a>"},
                                                            {'C', "host\0"s},
                                                            {'C', "host"},
                                                            {'C', "h\0X\0\0a\0"s},
                                                            {'C', "h\0004\0\0a\0"s},
                                                            {'D', ""},
                                                            {'O', "\0\0\0\6"s},
                                                            {'C', "h\0004\0"s}};
  for (const auto& [letter, data] : broken) {
    SCOPED_TRACE(letter + data);
    Exchange fresh(filter);
    if (letter != 'O') fresh.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff));
    filter.take_calls();
    EXPECT_EQ(fresh.say(letter, data), "(end)");
    fresh.end();
    EXPECT_EQ(filter.take_calls(), Calls{"close"});
  }
  open();
  mta.say('R', rcpt);
  EXPECT_EQ(mta.say('L', "name only\0"s), "(end)");
  mta.end();
  EXPECT_EQ(filter.calls.back(), "close");
}

TEST_F(SessionTest, SurvivesAnyOctets) {
  // Every letter with data that are cut off anywhere, in one long session each.
  const std::string whole = "<a@b>\0x\0004\0\0001.2.3.4\0"s;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    Exchange fresh(filter);
    fresh.open();
    bool is_over = false;
    for (int letter = 0; letter < 256 && !is_over; ++letter)
      is_over = fresh.say(static_cast<char>(letter), whole.substr(0, size)).ends_with("(end)");
    EXPECT_TRUE(is_over);  // an unknown letter comes first
    filter.take_calls();
    fresh.end();
    EXPECT_EQ(filter.take_calls(), (Calls{"abort", "close"}));
  }
}

TEST_F(SessionTest, TakesPathsAsTheyCome) {
  open();
  mta.say('A');
  filter.take_calls();
  mta.say('M', "\0"s);
  mta.say('R', "<a>\0NOTIFY=NEVER\0\0cut off"s);
  EXPECT_EQ(filter.calls, (Calls{"envfrom ", "envrcpt <a> NOTIFY=NEVER "}));
}

TEST_F(SessionTest, LeavesItsEndToFinishWhenACallbackThrows) {
  open();
  filter.does["envrcpt"] = [](SMFICTX*) -> sfsistat { throw std::bad_alloc(); };
  EXPECT_THROW(mta.say('R', rcpt), std::bad_alloc);
  filter.take_calls();
  filter.does["abort"] = filter.does["envrcpt"];
  mta.end();
  EXPECT_EQ(filter.calls, (Calls{"abort", "close"}));
}

TEST(Filters, WithoutACallbackGoOn) {
  Callbacks filter;
  smfiDesc empty{};
  empty.xxfi_version = SMFI_VERSION;
  filter.description = empty;
  Exchange mta(filter);
  EXPECT_EQ(mta.say('O', u32(6) + u32(0x1ff) + u32(0x1fffff)), "O" + u32(6) + u32(0) + u32(0x37f));
  mta.open();
  for (const auto& [letter, data] : std::vector<std::pair<char, std::string>>{
           {'R', rcpt}, {'T', ""}, {'L', "a\0b\0"s}, {'N', ""}, {'B', "x"}, {'E', "x"}})
    EXPECT_EQ(mta.say(letter, data), "c");
  EXPECT_FALSE(mta.session().is_in_message());
  EXPECT_EQ(mta.say('U', "x"), "c");
}

TEST(Filters, OfAnotherInterfaceAreRefused) {
  smfiDesc description{};
  for (const int version : {2, 3, 4, SMFI_VERSION, SMFI_VERSION + 1}) {
    description.xxfi_version = version;
    EXPECT_TRUE(make_filter(description)) << version;
  }
  for (const int version : {0, 1, 5, 0x01000101, 0x02000001}) {
    description.xxfi_version = version;
    EXPECT_FALSE(make_filter(description)) << version;
  }
}

TEST(Filters, HaveAName) {
  smfiDesc description{};
  description.xxfi_version = SMFI_VERSION;
  EXPECT_EQ(make_filter(description)->name, "Unknown");
}

TEST(Filters, OfOldVersionsHaveOnlyTheirCallbacks) {
  Callbacks callbacks;
  callbacks.description.xxfi_version = 2;
  EXPECT_EQ(make_filter(callbacks.description)->declined, std::uint32_t{SMFIP_NOUNKNOWN | SMFIP_NODATA});
}

static_assert(sizeof(smfiDesc) == 128, "binaries pass it by value");
static_assert(sizeof(Session) <= 72, "thousands of idle connections hold one each");
static_assert(offsetof(smfiDesc, xxfi_version) == 8 && offsetof(smfiDesc, xxfi_flags) == 16);
static_assert(offsetof(smfiDesc, xxfi_connect) == 24 && offsetof(smfiDesc, xxfi_negotiate) == 120);

}  // namespace
}  // namespace sallyport::milter_library
