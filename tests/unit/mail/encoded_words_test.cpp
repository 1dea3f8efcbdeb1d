// Encoded words (RFC 2047).
#include <gtest/gtest.h>

#include <string>

#include "gateway/base/text.h"
#include "gateway/mail/header.h"

namespace sallyport::mail {
namespace {

struct WordsCase {
  std::string value;
  std::string decoded;
};

class DecodeWords : public testing::TestWithParam<WordsCase> {};

TEST_P(DecodeWords, Gives) {
  EXPECT_EQ(decode_words(GetParam().value), GetParam().decoded);
  EXPECT_TRUE(text::is_utf8(decode_words(GetParam().value)));
}

INSTANTIATE_TEST_SUITE_P(Known, DecodeWords,
                         testing::Values(WordsCase{" Hello", "Hello"},                                //
                                         WordsCase{"=?utf-8?Q?caf=C3=A9_au_lait?=", "café au lait"},  //
                                         WordsCase{"=?UTF-8?b?Y2Fmw6k=?= x", "café x"},               //
                                         WordsCase{"=?ISO-8859-1?q?Andr=E9?= Pirard", "André Pirard"},
                                         WordsCase{"=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore"},
                                         // White space between two words is not shown; beside other text it is.
                                         WordsCase{"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"},  //
                                         WordsCase{"=?utf-8?q?a?=\r\n =?utf-8?q?b?=", "ab"},
                                         WordsCase{"x =?utf-8?q?a?= y =?utf-8?q?b?=", "x a y b"},
                                         // A character cut between two words.
                                         WordsCase{"=?utf-8?b?w6k=?= =?utf-8?q?=C3?= =?utf-8?q?=A9?=", "éé"}));

INSTANTIATE_TEST_SUITE_P(LeftAlone, DecodeWords,
                         testing::Values(WordsCase{"=?koi8-r?q?=E1?=", "=?koi8-r?q?=E1?="},  //
                                         WordsCase{"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},    //
                                         WordsCase{"=?utf-8?q?abc", "=?utf-8?q?abc"},        //
                                         WordsCase{"=?utf-8", "=?utf-8"}, WordsCase{"=?", "=?"}, WordsCase{"=", "="},
                                         WordsCase{"a = b", "a = b"}, WordsCase{"", ""}));

INSTANTIATE_TEST_SUITE_P(Broken, DecodeWords,
                         testing::Values(WordsCase{"=?utf-8?q?a=ZZb=4?=", "a=ZZb=4"},            //
                                         WordsCase{"=?utf-8?b?Y2*Fm-w6k?=", "café"},             //
                                         WordsCase{"=?utf-8?q?=FF?=", "\xef\xbf\xbd"},           //
                                         WordsCase{"raw \xe9 octet", "raw \xef\xbf\xbd octet"},  //
                                         WordsCase{"=?us-ascii?q?=E9?=", "\xef\xbf\xbd"},        //
                                         WordsCase{"=?utf-8?q?a=0D=0ABcc:_x=00?=", "a  Bcc: x "}));

TEST(DecodeWords, CostsALinearTimeForARowOfFalseStarts) {
  std::string starts;
  for (int i = 0; i < 200'000; ++i) starts += "=?a?q?";
  EXPECT_EQ(decode_words(starts), starts);
  std::string spaces = std::string(200'000, ' ') + "x";
  EXPECT_EQ(decode_words("a" + spaces).size(), spaces.size() + 1);
}

}  // namespace
}  // namespace sallyport::mail
