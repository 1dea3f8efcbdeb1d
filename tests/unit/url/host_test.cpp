// Forms of one host: all that a browser would take for it.
#include "gateway/url/host.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/url/punycode.h"

namespace sallyport::url {
namespace {

std::string name_of(std::string_view written) {
  Tricks tricks;
  const auto host = read_host(written, tricks);
  return host ? host->name : std::string();
}

bool is_tricky(std::string_view written, Trick trick) {
  Tricks tricks;
  read_host(written, tricks);
  return has(tricks, trick);
}

TEST(Host, IsTheSameInAllItsForms) {
  for (const char* written :
       {"www.example.com", "WWW.Example.COM", "www.example.com.", "www%2Eexample%2ecom", "%77ww.example.com",
        "www\u3002example\u3002com", "www\uff0eexample\uff61com", "ｗｗｗ.ｅｘａｍｐｌｅ.ｃｏｍ",
        "w\u00adww.exam\u200bple.com", "www.example\u2060.c\ufeffom", "%E2%80%8Bwww.example.com", "www.ⓔⓧⓐⓜⓟⓛⓔ.com",
        "𝐰𝐰𝐰.𝐞𝐱𝐚𝐦𝐩𝐥𝐞.com", "www\x01.example.com"}) {
    EXPECT_EQ(name_of(written), "www.example.com") << written;
  }
}

TEST(Host, HasALabelsInBothForms) {
  EXPECT_EQ(name_of("münchen.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(name_of("MÜNCHEN.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(name_of("xn--mnchen-3ya.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(name_of("m%C3%BCnchen.example"), "xn--mnchen-3ya.example");
  EXPECT_EQ(name_of("пример.рф"), "xn--e1afmkfd.xn--p1ai");
  EXPECT_EQ(name_of("i❤.ws"), "xn--i-7iq.ws") << "not allowed by IDNA2008, and asked for by browsers";
  EXPECT_TRUE(is_tricky("münchen.example", Trick::idn));
  EXPECT_TRUE(is_tricky("xn--mnchen-3ya.example", Trick::idn));
  EXPECT_TRUE(is_tricky("i❤.ws", Trick::idn));
  EXPECT_FALSE(is_tricky("example.com", Trick::idn));
}

TEST(Host, ReadsNumbersAsAddresses) {
  for (const char* written : {"192.0.2.235", "3221226219", "0xC00002EB", "0300.0.02.0353", "0xC0.0x00.0x2.0xeb",
                              "192.0.747", "192.747", "192.0x2EB", "192.0.2.0353", "192.0.2.235.", "1%392.0.2.235",
                              "１９２.0.2.235", "192\u30020\u30022\u3002235", "00000000300.0.2.235"}) {
    Tricks tricks;
    const auto host = read_host(written, tricks);
    ASSERT_TRUE(host) << written;
    EXPECT_EQ(host->name, "192.0.2.235") << written;
    EXPECT_TRUE(host->is_ip);
  }
  EXPECT_FALSE(is_tricky("192.0.2.235", Trick::ip));
  EXPECT_TRUE(is_tricky("3221226219", Trick::ip));
  for (const char* wrong : {"192.0.2.256", "1.2.3.4.5", "4294967296", "0x100000000", "192.0.2.08", "1.2.3.",
                            "256.1.1.1", "99999999999999999999999999", "1..2", "example.09", "a.0x"}) {
    EXPECT_EQ(name_of(wrong) == "192.0.2.235" ? wrong : "", std::string()) << wrong;
  }
  for (const char* wrong : {"192.0.2.256", "1.2.3.4.5", "4294967296", "0x100000000", "256.1.1.1", "example.1"}) {
    EXPECT_EQ(name_of(wrong), "") << wrong;
  }
}

TEST(Host, ReadsIpv6) {
  EXPECT_EQ(name_of("[2001:DB8:0:0::1]"), "2001:db8::1");
  EXPECT_EQ(name_of("[2001:db8::1%25eth0]"), "2001:db8::1");
  EXPECT_EQ(name_of("[::ffff:192.0.2.1]"), "192.0.2.1");
  EXPECT_EQ(name_of("[::1"), "");
  EXPECT_EQ(name_of("[]"), "");
  EXPECT_EQ(name_of("[example.com]"), "");
}

TEST(Host, IsNothingThatTheDnsCannotAskFor) {
  for (const std::string& wrong :
       {std::string(), std::string("."), std::string("a..b"), std::string("a b.example"), std::string("a%20b.example"),
        std::string("a%2fb.example"), std::string("\xff\xfe.example"), std::string(64, 'a') + ".example",
        std::string("%00.example%3a"), std::string(3000, 'a')}) {
    EXPECT_EQ(name_of(wrong), "") << wrong;
  }
  EXPECT_EQ(name_of("a!b.example.com"), "a!b.example.com");
  EXPECT_TRUE(is_tricky("a!b.example.com", Trick::odd_host));
  EXPECT_EQ(name_of("-a-.example.com"), "-a-.example.com");
  EXPECT_EQ(name_of("a_b.example.com"), "a_b.example.com");
  EXPECT_FALSE(is_tricky("a_b.example.com", Trick::odd_host));
}

// RFC 3492, 7.1, and what browsers ask for.
TEST(Punycode, IsThatOfTheRfc) {
  for (const auto& [label, coded] : std::vector<std::pair<const char*, const char*>>{
           {"bücher", "xn--bcher-kva"},
           {"ليهمابتكلموشعربي؟", "xn--egbpdaj6bu4bxfgehfvwxn"},
           {"他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"},
           {"почемужеонинеговорятпорусски", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l"},
           {"3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"},
           {"-> $1.00 <-", "-> $1.00 <-"},
           {"☃", "xn--n3h"},
           {"💩", "xn--ls8h"}}) {
    EXPECT_EQ(to_punycode(label).value_or("none"), coded);
  }
  EXPECT_FALSE(to_punycode("\xff"));
  std::string many;
  for (int i = 0; i < 60; ++i) many += "☃";
  EXPECT_FALSE(to_punycode(many)) << "longer than a label";
}

}  // namespace
}  // namespace sallyport::url
