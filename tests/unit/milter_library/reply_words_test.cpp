// A refusal's words, as smfi_setreply() and smfi_setmlreply() take them, and when they are used.
#include "gateway/milter_library/reply_words.h"

#include <gtest/gtest.h>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

const char* const no_text = nullptr;

TEST(ReplyWords, OfOneLine) {
  EXPECT_EQ(reply_words("550", "5.7.1", "no %% here"), "550 5.7.1 no %% here");
  EXPECT_EQ(reply_words("451", nullptr, "later"), "451 later");
  EXPECT_EQ(reply_words("550", "5.7.1", no_text), "550 5.7.1");
  EXPECT_EQ(reply_words("450", "5.123.999", "x"), "450 5.123.999 x");
}

TEST(ReplyWords, AreRefused) {
  for (const char* code : {"", "250", "55", "5500", "5x0", "650"})
    EXPECT_FALSE(reply_words(code, nullptr, "x")) << code;
  EXPECT_FALSE(reply_words(nullptr, nullptr, "x"));
  for (const char* code : {"", "5", "5.1", "5.1.", "5..1", "5.1000.1", "5.1.1x", "6.1.1", "5.1.1.1"})
    EXPECT_FALSE(reply_words("550", code, "x")) << code;
  EXPECT_FALSE(reply_words("550", nullptr, "a\rb"));
  EXPECT_FALSE(reply_words("550", nullptr, "a\nb"));
  EXPECT_TRUE(reply_words("550", nullptr, std::string(980, 'x').c_str()));
  EXPECT_FALSE(reply_words("550", nullptr, std::string(981, 'x').c_str()));
}

TEST(ReplyWords, OfSeveralLines) {
  const std::vector<const char*> two = {"a", "b"};
  EXPECT_EQ(reply_words("450", nullptr, std::span(two)), "450-4.0.0 a\r\n450 4.0.0 b");
  EXPECT_EQ(reply_words("550", "5.7.1", std::span(two).first(1)), "550 5.7.1 a");
  EXPECT_FALSE(reply_words("550", "5.7.1", std::span(two).first(0)));
  const std::vector<const char*> many(33, "x");
  EXPECT_TRUE(reply_words("550", nullptr, std::span(many).first(32)));
  EXPECT_FALSE(reply_words("550", nullptr, std::span(many)));
}

TEST(ReplyWords, StayUntilAVerdictOfTheirClass) {
  Callbacks filter;
  Exchange mta(filter);
  const auto answer_with = [&](sfsistat verdict, const char* code = nullptr) {
    filter.does["envrcpt"] = [verdict, code](SMFICTX* context) {
      if (code != nullptr) smfi_setmlreply(context, code, nullptr, "words", static_cast<char*>(nullptr));
      return verdict;
    };
    return mta.say('R', "<r>\0"s);
  };
  mta.open();
  EXPECT_EQ(answer_with(SMFIS_TEMPFAIL, "550"), "t");
  EXPECT_EQ(answer_with(SMFIS_CONTINUE), "c");
  EXPECT_EQ(answer_with(SMFIS_REJECT, "250"), "y550 5.0.0 words\0"s);  // 250 is refused, so the old ones stay
  EXPECT_EQ(answer_with(SMFIS_REJECT), "r");
  EXPECT_EQ(answer_with(SMFIS_REJECT, "450"), "r");
  EXPECT_EQ(answer_with(SMFIS_TEMPFAIL), "y450 4.0.0 words\0"s);
}

}  // namespace
}  // namespace sallyport::milter_library
