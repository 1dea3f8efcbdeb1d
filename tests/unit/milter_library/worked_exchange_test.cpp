// An exchange that was captured from libmilter, octet by octet.
#include <gtest/gtest.h>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;
using testing::Test;

std::string packet(char letter, const std::string& data) {
  return u32(static_cast<std::uint32_t>(data.size() + 1)) + letter + data;
}

char* writable(const char* text) { return const_cast<char*>(text); }

sfsistat refuse_recipient(SMFICTX* context, int number) {
  if (number == 0) smfi_setreply(context, writable("550"), writable("5.1.1"), writable("no such %% user"));
  if (number == 1) smfi_setmlreply(context, "450", nullptr, "a", "b", static_cast<char*>(nullptr));
  return number == 0 ? SMFIS_REJECT : number == 1 ? SMFIS_TEMPFAIL : SMFIS_CONTINUE;
}

sfsistat change_everything(SMFICTX* context) {
  EXPECT_EQ(smfi_addheader(context, writable("X-A"), writable("v")), MI_SUCCESS);
  EXPECT_EQ(smfi_insheader(context, 0, writable("X-B"), writable("w")), MI_SUCCESS);
  EXPECT_EQ(smfi_chgheader(context, writable("Subject"), 1, nullptr), MI_SUCCESS);
  EXPECT_EQ(smfi_chgfrom(context, writable("<z@x>"), writable("A=B")), MI_SUCCESS);
  EXPECT_EQ(smfi_addrcpt(context, writable("<q@x>")), MI_SUCCESS);
  EXPECT_EQ(smfi_addrcpt_par(context, writable("<r@x>"), writable("N=1")), MI_SUCCESS);
  EXPECT_EQ(smfi_quarantine(context, writable("why")), MI_SUCCESS);
  EXPECT_EQ(smfi_progress(context), MI_SUCCESS);
  EXPECT_EQ(smfi_replacebody(context, nullptr, 0), MI_SUCCESS);
  return SMFIS_CONTINUE;
}

TEST(WorkedExchange, IsThatOfLibmilter) {
  Callbacks filter;
  filter.description.xxfi_negotiate = [](SMFICTX* context, unsigned long actions, unsigned long options, unsigned long,
                                         unsigned long, unsigned long*, unsigned long* wanted, unsigned long*,
                                         unsigned long*) {
    EXPECT_EQ(actions, 0x1ffU);
    EXPECT_EQ(options, 0x1fffffU);
    *wanted = SMFIP_NR_HDR;
    EXPECT_EQ(smfi_setsymlist(context, SMFIM_ENVRCPT, writable("{rcpt_addr} i")), MI_SUCCESS);
    return SMFIS_CONTINUE;
  };
  int recipients = 0;
  filter.does["envrcpt"] = [&recipients](SMFICTX* context) { return refuse_recipient(context, recipients++); };
  filter.does["eom"] = change_everything;
  Exchange mta(filter);

  const std::string go_on = packet('c', "");
  EXPECT_EQ(mta.say_raw('O', u32(6) + u32(0x1ff) + u32(0x1fffff)),
            packet('O', u32(6) + u32(0x1ff) + u32(0x80) + u32(3) + "{rcpt_addr} i\0"s));
  EXPECT_EQ(mta.say_raw('D', "Cj\0mx.test\0_\0foo [1.2.3.4]\0"s), "");
  EXPECT_EQ(mta.say_raw('C', "host.test\0004\x30\x39"s + "1.2.3.4\0"s), go_on);
  EXPECT_EQ(mta.say_raw('H', "helo.test\0"s), go_on);
  EXPECT_EQ(mta.say_raw('D', "Mi\0QID1\0"s), "");
  EXPECT_EQ(mta.say_raw('M', "<a@b>\0SIZE=10\0BODY=8BITMIME\0"s), go_on);
  EXPECT_EQ(mta.say_raw('R', "<bad@b>\0"s), packet('y', "550 5.1.1 no such %% user\0"s));
  EXPECT_EQ(mta.say_raw('R', "<ml@b>\0"s), packet('y', "450-4.0.0 a\r\n450 4.0.0 b\0"s));
  EXPECT_EQ(mta.say_raw('R', "<ok@b>\0"s), go_on);
  EXPECT_EQ(mta.say_raw('T', ""), go_on);
  EXPECT_EQ(mta.say_raw('L', "Subject\0hello\n\tworld\0"s), "");
  EXPECT_EQ(mta.say_raw('N', ""), go_on);
  EXPECT_EQ(mta.say_raw('B', "xxxxxxxxxx"), go_on);
  EXPECT_EQ(mta.say_raw('E', ""), packet('h', "X-A\0v\0"s) + packet('i', u32(0) + "X-B\0w\0"s) +
                                      packet('m', u32(1) + "Subject\0\0"s) + packet('e', "<z@x>\0A=B\0"s) +
                                      packet('+', "<q@x>\0"s) + packet('2', "<r@x>\0N=1\0"s) + packet('q', "why\0"s) +
                                      packet('p', "") + packet('b', "") + go_on);
  filter.does["envfrom"] = [](SMFICTX* context) {
    EXPECT_STREQ(smfi_getsymval(context, writable("{i}")), "QID1");  // of the message before, as nothing new came
    return SMFIS_CONTINUE;
  };
  EXPECT_EQ(mta.say_raw('M', "<c@d>\0"s), go_on);
  EXPECT_EQ(mta.say_raw('A', ""), "");
  EXPECT_EQ(mta.say_raw('K', ""), "");
  EXPECT_EQ(mta.say_raw('C', "h2\0U"s), go_on);
  EXPECT_EQ(mta.say_raw('Q', ""), "(end)");
  mta.end();
  EXPECT_EQ(filter.take_calls(),
            (std::vector<std::string>{"connect host.test inet", "helo helo.test", "envfrom <a@b> SIZE=10 BODY=8BITMIME",
                                      "envrcpt <bad@b>", "envrcpt <ml@b>", "envrcpt <ok@b>", "data",
                                      "header Subject:hello\n\tworld", "eoh", "body xxxxxxxxxx", "eom", "envfrom <c@d>",
                                      "abort", "close", "connect h2 unknown", "close"}));
}

}  // namespace
}  // namespace sallyport::milter_library
