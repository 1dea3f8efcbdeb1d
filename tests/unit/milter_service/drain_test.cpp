// An MTA's connection when the gateway shuts down (threats.md R12).
#include <gtest/gtest.h>

#include "tests/unit/milter_service/mta_world.h"

namespace sallyport::milter_service {
namespace {

using record::Outcome;

TEST(MtaDrain, AnIdleConnectionEndsAtOnce) {
  MtaWorld w;
  w.open();
  w.session->request_stop();
  w.session->request_stop();  // harmless again
  w.run();
  EXPECT_TRUE(w.is_over());
  EXPECT_TRUE(w.mta->saw_end());
}

TEST(MtaDrain, AMailWithoutContentIsPutOff) {
  MtaWorld w;
  w.open();
  w.begin();
  w.session->request_stop();
  w.run();
  EXPECT_TRUE(w.is_over());
  EXPECT_EQ(w.last().outcome, Outcome::tempfail);
  EXPECT_EQ(w.last().check, "shutdown");
}

TEST(MtaDrain, ContentUnderWayIsJudgedToItsEnd) {
  for (const bool has_begun : {false, true}) {
    MtaWorld w;
    w.open();
    w.begin();
    w.say(milter::Data{});
    if (has_begun) w.say(milter::Header{"Subject", " x"});
    w.session->request_stop();
    w.run();
    EXPECT_FALSE(w.is_over());
    EXPECT_TRUE(w.session->has_mail_to_cut());
    EXPECT_FALSE(w.session->holds_up_for_nothing());
    EXPECT_EQ(w.say(milter::EndOfMessage{}).back(), "a");
    EXPECT_TRUE(w.is_over());
    EXPECT_EQ(w.last().outcome, Outcome::relay);
  }
}

TEST(MtaDrain, BrokenOffTheMailHasItsRecord) {
  MtaWorld w;
  w.open();
  w.begin();
  w.say(milter::Data{});
  w.session->request_stop();
  w.run();
  EXPECT_TRUE(w.session->has_mail_to_cut());
  w.world.loop.run_until_done(w.session->break_off());
  EXPECT_EQ(w.last().check, "shutdown");
  w.run();
  EXPECT_TRUE(w.is_over());
  EXPECT_EQ(w.mails(), 1u);
}

}  // namespace
}  // namespace sallyport::milter_service
