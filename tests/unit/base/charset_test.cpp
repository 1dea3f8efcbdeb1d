// Charsets by ICU, and the normal form (threats.md M9).
#include "gateway/base/charset.h"

#include <gtest/gtest.h>

#include "gateway/base/text.h"

namespace sallyport {
namespace {

constexpr std::size_t plenty = 4096;

std::string utf8(std::string_view octets, std::string_view charset) {
  const auto converted = to_utf8(octets, charset, plenty);
  return !converted ? "unknown" : converted->is_whole ? converted->utf8 : "broken: " + converted->utf8;
}

TEST(Charset, GivesUtf8ForWhatMailUses) {
  struct Case {
    const char* charset;
    const char* hex;
    const char* text;
  };
  for (const Case& one :
       std::initializer_list<Case>{{"windows-1251", "d1f0eef7ede0ff20eeefebe0f2e0", "Срочная оплата"},
                                   {"KOI8-R", "f0cfc4c1d2cfcb20c4ccd120d7c1d3", "Подарок для вас"},
                                   {"koi8-u", "f2c1c8d5cecfcb20a7", "Рахунок ї"},
                                   {"ibm866", "91e7f1e2", "Счёт"},
                                   {"ISO-2022-JP", "1b2442404135613d71244e2434417749551b2842", "請求書のご送付"},
                                   {"Shift_JIS", "82a88e7895a582a282cc8a6d9446", "お支払いの確認"},
                                   {"euc-jp", "c0c1b5e1bdf1", "請求書"},
                                   {"gb2312", "b7a2c6b1cda8d6aa", "发票通知"},
                                   {"latin1", "80", "€"},
                                   {"gb2312", "e946", "镕"},  // of GBK, which is sent under that name
                                   {"gb18030", "95328236", "𠀀"},
                                   {"HZ-GB-2312", "7e7b372246317e7d", "发票"},
                                   {"big5", "b2cea440b56fb2bc", "統一發票"},
                                   {"euc-kr", "bcbcb1ddb0e8bbeabcad", "세금계산서"},
                                   {"ks_c_5601-1987", "8c63b9e6b0a2c7cf", "똠방각하"},  // of windows-949
                                   {"iso-8859-1", "4968722080", "Ihr €"},               // of windows-1252
                                   {"ISO-8859-2", "50f869686ce1b9656eed", "Přihlášení"},
                                   {"windows-1250", "5a61bff3b3e6", "Zażółć"},
                                   {"iso-8859-7", "b8edf4e1ebece1", "Ένταλμα"},
                                   {"windows-1256", "cdd3c7c8", "حساب"},
                                   {"windows-1255", "e7f9e1e5ef", "חשבון"},
                                   {"tis-620", "e3bae1a8e9a7cbb9d5e9", "ใบแจ้งหนี้"},
                                   {"windows-1254", "66617475726120f664656d6520dd", "fatura ödeme İ"},
                                   {"macintosh", "6361668e", "café"},
                                   {"utf-7", "47722b4150774133772d65", "Grüße"},
                                   {"utf-16be", "0048006900202603", "Hi ☃"},
                                   {"utf-16", "fffe48006900", "Hi"},
                                   {"utf-8", "e29883", "☃"},
                                   {"us-ascii", "4869", "Hi"}}) {
    EXPECT_EQ(utf8(*text::from_hex(one.hex), one.charset), one.text) << one.charset;
  }
}

TEST(Charset, SaysWhatIsNothingInIt) {
  EXPECT_EQ(utf8("caf\xc3", "utf-8"), "broken: caf\xef\xbf\xbd");
  EXPECT_EQ(utf8("\xe9", "us-ascii"), "broken: \xef\xbf\xbd");
  EXPECT_EQ(utf8("a\x1b$B", "iso-2022-jp"), "a") << "an escape to nothing";
  EXPECT_FALSE(to_utf8("\x81", "shift_jis", plenty)->is_whole);
  EXPECT_FALSE(to_utf8("abc", "utf-16le", plenty)->is_whole);
  EXPECT_EQ(utf8("", "koi8-r"), "");
}

TEST(Charset, KnowsNamesAndNothingElse) {
  for (const char* name : {"windows-1251", "CP1251", "Latin2", "csISO2022JP", "utf8", "x-sjis"})
    EXPECT_TRUE(is_known_charset(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("x-unknown"), std::string("unknown-8bit"), std::string("../../etc/passwd"),
        std::string("/usr/share/icu/x"), std::string("ISO_2022,locale=ja,version=1"), std::string("utf-8\0x", 7),
        std::string("utf-8 "), std::string(65, 'a'), std::string("caf\xc3\xa9")}) {
    EXPECT_FALSE(is_known_charset(name)) << name;
    EXPECT_FALSE(to_utf8("x", name, plenty)) << name;
  }
}

TEST(Charset, IsBounded) {
  const auto cut = to_utf8(std::string(1000, '\xd1'), "windows-1251", 101);
  EXPECT_EQ(cut->utf8.size(), 100u) << "between two characters";
  EXPECT_FALSE(cut->is_whole);
  EXPECT_TRUE(text::is_utf8(cut->utf8));
  EXPECT_EQ(to_utf8("abc", "us-ascii", 3)->utf8, "abc");
  EXPECT_TRUE(to_utf8("abc", "us-ascii", 3)->is_whole);
  EXPECT_EQ(to_utf8("abc", "us-ascii", 0)->utf8, "");
  // Every octet for itself, in every charset that has a name here: always UTF-8, and no more than was allowed.
  std::string all;
  for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
  for (const char* name :
       {"utf-7", "utf-16", "utf-16le", "utf-32", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "hz-gb-2312", "gb18030",
        "big5", "big5-hkscs", "euc-tw", "ibm037", "ibm1390", "scsu", "bocu-1", "cesu-8"}) {
    const auto converted = to_utf8(all, name, 300);
    if (!converted) continue;  // not every build of ICU has all of them
    EXPECT_TRUE(text::is_utf8(converted->utf8)) << name;
    EXPECT_LE(converted->utf8.size(), 300u) << name;
  }
}

TEST(NormalForm, MakesEqualLettersEqualOctets) {
  EXPECT_EQ(to_normal_form("cafe\xcc\x81"), "caf\xc3\xa9");
  EXPECT_EQ(to_normal_form("\xe2\x84\xab"), "\xc3\x85") << "the Ångström sign";
  EXPECT_EQ(to_normal_form("caf\xc3\xa9"), "caf\xc3\xa9");
  EXPECT_EQ(to_normal_form("plain"), "plain");
  EXPECT_EQ(to_normal_form(""), "");
  EXPECT_EQ(to_normal_form("\xff"), "\xff") << "not UTF-8";
  EXPECT_EQ(to_normal_form("\xef\xac\x81"), "\xef\xac\x81") << "a ligature is another letter in this form";
}

}  // namespace
}  // namespace sallyport
