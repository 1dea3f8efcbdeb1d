// Macros: their lives and their names.
#include "gateway/milter_library/macro_store.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;
using milter::Verb;

struct MacroStoreTest : testing::Test {
  MacroStore macros;
  void set(Verb verb, std::string_view pairs) { macros.set(MacroStore::stage_of(verb), pairs); }
  void run(Verb verb) { macros.clear_from(MacroStore::stage_of(verb) + 1); }
};

TEST_F(MacroStoreTest, AreFoundByEitherFormOfAShortName) {
  set(Verb::connect, "j\0mx\0{_}\0peer\0{long}\0text\0empty\0\0"s);
  EXPECT_STREQ(macros.find("j"), "mx");
  EXPECT_STREQ(macros.find("{j}"), "mx");
  EXPECT_STREQ(macros.find("_"), "peer");
  EXPECT_STREQ(macros.find("{long}"), "text");
  EXPECT_EQ(macros.find("long"), nullptr);
  EXPECT_EQ(macros.find("{empty}"), nullptr);
  EXPECT_STREQ(macros.find("empty"), "");
  EXPECT_EQ(macros.find(""), nullptr);
}

TEST_F(MacroStoreTest, OfALaterStageComeFirst) {
  set(Verb::connect, "i\0connect\0"s);
  set(Verb::end_of_message, "i\0end\0"s);
  set(Verb::mail, "i\0mail\0"s);
  EXPECT_STREQ(macros.find("i"), "end");
  run(Verb::rcpt);
  EXPECT_STREQ(macros.find("i"), "mail");
  run(Verb::connect);
  EXPECT_STREQ(macros.find("i"), "connect");
}

TEST_F(MacroStoreTest, StayUntilTheirStageIsToldAgain) {
  set(Verb::connect, "j\0mx\0"s);
  set(Verb::mail, "i\0one\0"s);
  char* kept = macros.find("j");
  run(Verb::mail);
  run(Verb::rcpt);
  run(Verb::end_of_message);
  run(Verb::mail);
  EXPECT_STREQ(macros.find("i"), "one");
  set(Verb::mail, "{other}\0two\0"s);
  EXPECT_EQ(macros.find("i"), nullptr);
  EXPECT_EQ(macros.find("j"), kept);  // where it was
}

TEST_F(MacroStoreTest, LeaveOutWhatIsCutOff) {
  for (const std::string& pairs : {"i\0one\0j"s, "i\0one\0j\0"s, "i\0one\0j\0no end"s, "i\0one\0\0x\0y\0z\0"s}) {
    set(Verb::mail, pairs);
    EXPECT_STREQ(macros.find("i"), "one");
    EXPECT_EQ(macros.find("j"), nullptr);
    EXPECT_EQ(macros.find("y"), nullptr);
  }
  set(Verb::mail, "");
  EXPECT_EQ(macros.find("i"), nullptr);
}

TEST_F(MacroStoreTest, AreOfStagesOnly) {
  EXPECT_EQ(MacroStore::stage_of(Verb::header), -1);
  EXPECT_EQ(MacroStore::stage_of(Verb::unknown), -1);
  EXPECT_EQ(MacroStore::stage_of(static_cast<Verb>('z')), -1);
}

}  // namespace
}  // namespace sallyport::milter_library
