// Encoded words (RFC 2047).
#include <gtest/gtest.h>

#include <string>

#include "gateway/base/text.h"
#include "gateway/mail/encoded_words.h"

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
                         testing::Values(WordsCase{"=?x-none?q?=E1?= y", "=?x-none?q?=E1?= y"},  //
                                         WordsCase{"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},        //
                                         WordsCase{"=?utf-8?q?abc", "=?utf-8?q?abc"},            //
                                         WordsCase{"=?utf-8", "=?utf-8"}, WordsCase{"=?", "=?"}, WordsCase{"=", "="},
                                         WordsCase{"a = b", "a = b"}, WordsCase{"", ""}));

INSTANTIATE_TEST_SUITE_P(Broken, DecodeWords,
                         testing::Values(WordsCase{"=?utf-8?q?a=ZZb=4?=", "a=ZZb=4"},      //
                                         WordsCase{"=?utf-8?b?Y2*Fm-w6k?=", "café"},       //
                                         WordsCase{"=?utf-8?q?=FF?=", "\xef\xbf\xbd"},     //
                                         WordsCase{"raw \xe9 octet", "raw é octet"},       //
                                         WordsCase{"=?us-ascii?q?=E9?=", "\xef\xbf\xbd"},  //
                                         WordsCase{"=?utf-8?q?a=0D=0ABcc:_x=00?=", "a  Bcc: x "}));

INSTANTIATE_TEST_SUITE_P(
    Charsets, DecodeWords,
    testing::Values(WordsCase{"=?koi8-r?q?=E1?=", "А"},                                                 //
                    WordsCase{"=?windows-1251?B?0fDu9+3g/yDu7+vg8uA=?=", "Срочная оплата"},             //
                    WordsCase{"=?iso-2022-jp?B?GyRCQEE1YT1xGyhC?=", "請求書"},                          //
                    WordsCase{"=?iso-8859-1?q?5_=80_=96_heute?=", "5 € – heute"},                       //
                    WordsCase{"=?utf-16be?B?AEgAaQ==?= =?utf-16be?q?=00=0AA=00?=", "Hi \xe4\x84\x80"},  //
                    WordsCase{"=?utf-7?q?+ADw-script+AD4-?=", "<script>"},                              //
                    WordsCase{"=?GB2312?B?t6LGsQ==?= =?big5?B?tW+yvA==?=", "发票發票"},                 //
                    WordsCase{"=?utf-8?q?cafe=CC=81?= cafe\xcc\x81", "café café"},                      //
                    WordsCase{"=?iso-8859-1?q?a=85b=1Bc?=", "a…b c"}, WordsCase{"=?utf-8?q?a=C2=85b?=", "a b"}));

INSTANTIATE_TEST_SUITE_P(
    Joined, DecodeWords,
    testing::Values(WordsCase{"=?shift_jis?q?=82?= =?Shift_JIS?q?=a8=8e?=\r\n =?shift_jis?b?eA==?=", "お支"},  //
                    WordsCase{"=?gb2312*zh?b?t6I=?= =?GB2312?b?xrE=?=", "发票"},                               //
                    // One text in base64, cut within its groups.
                    WordsCase{"=?utf-8?b?w?= =?utf-8?b?6nDqc?= =?utf-8?b?Op?=", "ééé"},  //
                    WordsCase{"=?utf-8?b?w6n?= =?utf-8?b?Dqc?= =?utf-8?b?Op?=", "ééé"},  //
                    // Each with its own padding.
                    WordsCase{"=?utf-8?b?YQ==?= =?utf-8?b?Yg==?=", "ab"},  //
                    // A state does not go on in a word of another charset, nor behind other text.
                    WordsCase{"=?iso-2022-jp?q?=1B$B@A?= =?us-ascii?q?@A?= =?iso-2022-jp?q?@A?=", "請@A@A"}));

TEST(DecodeText, SaysWhatItCouldNotDecode) {
  EXPECT_EQ(decode_text("plain").problem, "");
  EXPECT_EQ(decode_text("=?utf-8?q?caf=C3=A9?= café").problem, "");
  const DecodedText unknown = decode_text("=?x-none?q?=E1?= =?utf-8?q?=C3=A9?=");
  EXPECT_EQ(unknown.text, "=?x-none?q?=E1?= é");
  EXPECT_EQ(unknown.problem, "the charset x-none is not known");
  EXPECT_EQ(decode_text("=?caf\xc3\xa9?q?x?=").problem, "the charset caf?? is not known");
  EXPECT_EQ(decode_text("=?utf-8?q?=FF?=").problem, "octets that are nothing in utf-8");
  EXPECT_EQ(decode_text("raw \xe9").problem, "octets outside ASCII that are neither encoded nor UTF-8");
}

TEST(DecodeText, TakesRawOctetsForTheMessagesCharset) {
  EXPECT_EQ(decode_text("\xd1\xf7\xb8\xf2", "windows-1251").text, "Счёт");
  EXPECT_EQ(decode_text("\xd1\xf7 =?utf-8?q?=C3=A9?= \xb8\xf2", "windows-1251").text, "Сч é ёт");
  EXPECT_EQ(decode_text("caf\xe9", "x-none").text, "café");
  EXPECT_EQ(decode_text("caf\xe9", "utf-16").text, "café") << "no field can be written in it";
  EXPECT_EQ(decode_text("café", "windows-1251").text, "café") << "UTF-8 is what it looks like";
}

TEST(DeclaredCharset, IsThatOfTheContentType) {
  const auto of = [](const std::string& type) {
    const std::string header = "Subject: x\r\nContent-Type:" + type + "\r\n\r\n";
    return std::string(declared_charset(HeaderSection(header)));
  };
  EXPECT_EQ(of(" text/plain; charset=koi8-r"), "koi8-r");
  EXPECT_EQ(of(" text/plain;\r\n\tformat=flowed ;\r\n\tCharset = \"KOI8-R\" ; x"), "KOI8-R");
  EXPECT_EQ(of(" text/plain; xcharset=a"), "");
  EXPECT_EQ(of(" charset"), "");
  EXPECT_EQ(declared_charset(HeaderSection()), "");
}

TEST(DecodeText, IsBounded) {
  std::string many;
  for (int i = 0; i < 20'000; ++i) many += "=?utf-8?b?Y?= ";
  EXPECT_EQ(decode_text(many).text.size(), 25'000u) << "of four words: a letter, what is no UTF-8, a control";
  std::string words = "=?windows-1251?q?" + std::string(1'000'000, '\xd1') + "?=";
  const DecodedText cut = decode_text(words);
  EXPECT_LE(cut.text.size(), 4 * max_field_octets);
  EXPECT_NE(cut.problem, "");
}

TEST(DecodeWords, CostsALinearTimeForARowOfFalseStarts) {
  std::string starts;
  for (int i = 0; i < 200'000; ++i) starts += "=?a?q?";
  EXPECT_EQ(decode_words(starts), starts);
  std::string spaces = std::string(200'000, ' ') + "x";
  EXPECT_EQ(decode_words("a" + spaces).size(), spaces.size() + 1);
}

}  // namespace
}  // namespace sallyport::mail
