#include "gateway/base/text.h"

#include <gtest/gtest.h>

#include <array>

namespace sallyport::text {
namespace {

std::string all_octets() {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  return all;
}

TEST(Text, ChangesCaseOfAsciiOnly) {
  EXPECT_EQ(to_lower("MiXeD-9_\xc3\x84"), "mixed-9_\xc3\x84");
  EXPECT_EQ(to_upper("MiXeD-9_\xc3\xa4"), "MIXED-9_\xc3\xa4");
  EXPECT_EQ(to_lower("[@`{"), "[@`{");
  EXPECT_EQ(to_upper("[@`{"), "[@`{");
}

TEST(Text, ComparesIgnoringCase) {
  EXPECT_TRUE(equals_ignoring_case("StartTLS", "STARTTLS"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "aa"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));  // 0x20 apart, but no letters
  EXPECT_TRUE(starts_with_ignoring_case("MAIL FROM:<a>", "mail from:"));
  EXPECT_FALSE(starts_with_ignoring_case("MAIL", "MAIL "));
  EXPECT_TRUE(ends_with_ignoring_case("mx.Example.ORG", ".example.org"));
  EXPECT_FALSE(ends_with_ignoring_case("org", "example.org"));
  EXPECT_TRUE(ends_with_ignoring_case("x", ""));
}

TEST(Text, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
  EXPECT_EQ(trim(""), "");
}

TEST(Text, SplitsAndJoins) {
  using Parts = std::vector<std::string_view>;
  EXPECT_EQ(split("a,b,,c", ','), (Parts{"a", "b", "", "c"}));
  EXPECT_EQ(split("", ','), (Parts{""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
  EXPECT_EQ(split("abc", ','), (Parts{"abc"}));
  EXPECT_EQ(join({"a", "", "c"}, ", "), "a, , c");
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"one"}, ", "), "one");
}

TEST(Text, TellsAscii) {
  EXPECT_TRUE(is_ascii(""));
  EXPECT_TRUE(is_ascii(std::string_view("\0\x7f", 2)));
  EXPECT_FALSE(is_ascii("a\x80"));
  EXPECT_FALSE(is_ascii("\xff"));
}

TEST(Utf8, TakesTheFirstAndTheLastOfEachLength) {
  struct Case {
    std::string_view octets;
    char32_t value;
  };
  for (const Case& c : std::array<Case, 9>{{{std::string_view("\0", 1), 0},
                                            {"\x7f", 0x7f},
                                            {"\xc2\x80", 0x80},
                                            {"\xdf\xbf", 0x7ff},
                                            {"\xe0\xa0\x80", 0x800},
                                            {"\xed\x9f\xbf", 0xd7ff},
                                            {"\xef\xbf\xbf", 0xffff},
                                            {"\xf0\x90\x80\x80", 0x10000},
                                            {"\xf4\x8f\xbf\xbf", 0x10ffff}}}) {
    auto decoded = decode_utf8(c.octets);
    ASSERT_TRUE(decoded) << to_hex(c.octets);
    EXPECT_EQ(decoded->value, c.value);
    EXPECT_EQ(decoded->octets, c.octets.size());
    EXPECT_TRUE(is_utf8(c.octets));
    // Every part of it is too short.
    for (std::size_t n = 1; n < c.octets.size(); ++n) EXPECT_FALSE(is_utf8(c.octets.substr(0, n)));
  }
}

TEST(Utf8, RefusesWhatIsNotWellFormed) {
  for (std::string_view bad : {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2\x7f", "\xe0\x9f\xbf", "\xed\xa0\x80",
                               "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xfe",
                               "\xff", "\xe2\x82\x41", "\xf0\x9f\x98\x41", "a\xc3", "\xc3\xa9\xa9"}) {
    EXPECT_FALSE(is_utf8(bad)) << to_hex(bad);
  }
  EXPECT_FALSE(decode_utf8(""));
  // Wherever it stands.
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string ascii(before, 'a');
    for (const char* good : {"\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
      EXPECT_TRUE(is_utf8(ascii + good + ascii + good)) << before;
      EXPECT_FALSE(is_utf8(ascii + good + ascii + "\x80" + ascii)) << before;
      EXPECT_FALSE(is_utf8(ascii + std::string(good).substr(0, 1) + ascii)) << before;
    }
  }
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("Gr\xc3\xbc\xc3\x9f\xe2\x82\xac\xf0\x9f\x98\x80"));
}

// All two-octet texts: exactly two ASCII characters, or one of U+0080 to U+07FF, are well-formed.
TEST(Utf8, CountsOfTwoOctetTexts) {
  int well_formed = 0;
  for (int i = 0; i < 65536; ++i) {
    char octets[2] = {static_cast<char>(i >> 8), static_cast<char>(i)};
    well_formed += is_utf8({octets, 2});
  }
  EXPECT_EQ(well_formed, 128 * 128 + (0x800 - 0x80));
}

TEST(Numbers, AreDigitsWithinTheLimit) {
  EXPECT_EQ(to_number("0"), 0u);
  EXPECT_EQ(to_number("007"), 7u);
  EXPECT_EQ(to_number("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(to_number("18446744073709551616"), std::nullopt);
  EXPECT_EQ(to_number("99999999999999999999999"), std::nullopt);
  EXPECT_EQ(to_number("25", 25), 25u);
  EXPECT_EQ(to_number("26", 25), std::nullopt);
  for (std::string_view bad : {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "1e3"})
    EXPECT_EQ(to_number(bad), std::nullopt) << bad;
}

TEST(Hex, GoesBothWays) {
  EXPECT_EQ(to_hex(std::string_view("\0\x1f\xff", 3)), "001fff");
  EXPECT_EQ(from_hex("001fFF"), std::string("\0\x1f\xff", 3));
  EXPECT_EQ(from_hex(""), "");
  EXPECT_EQ(from_hex(to_hex(all_octets())), all_octets());
  for (std::string_view bad : {"0", "0g", "g0", " 00", "0x"}) EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

TEST(PeerText, FitsAHeaderField) {
  EXPECT_EQ(for_header("mx-1.Example_org:[::1]"), "mx-1.Example_org:[::1]");
  EXPECT_EQ(for_header("a b\r\nX: (c)<d>\"e;"), "a?b??X:??c??d??e?");
  EXPECT_EQ(for_header(std::string(300, 'a')), std::string(255, 'a'));
  EXPECT_EQ(for_header("abc", 2), "ab");
  for (char c : for_header(all_octets(), 256)) {
    EXPECT_TRUE(is_alnum(c) || std::string_view("._:-[]?").find(c) != std::string_view::npos);
  }
}

TEST(PeerText, IsPrintable) {
  EXPECT_EQ(printable("User unknown <a@b>\r\n\xc3\xa9"), "User unknown <a@b>????");
  EXPECT_EQ(printable(std::string(500, ' ')).size(), 400u);
  EXPECT_EQ(printable("abc", 0), "");
  for (char c : printable(all_octets())) EXPECT_TRUE(is_printable(c));
}

TEST(EditDistance, CountsEdits) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("flaw", "lawn"), 2u);
  EXPECT_EQ(edit_distance("servers", "server"), 1u);
  EXPECT_EQ(edit_distance("ab", "ba"), 2u);
}

TEST(DidYouMean, FindsTheNearest) {
  const std::vector<std::string> keys{"hostname", "upstream", "upstreams", "timeouts", "tls", "limits"};
  EXPECT_EQ(did_you_mean("hostnmae", keys), "hostname");
  EXPECT_EQ(did_you_mean("upsteams", keys), "upstreams");
  EXPECT_EQ(did_you_mean("upstream", keys), "upstream");
  EXPECT_EQ(did_you_mean("tsl", keys), "tls");
  EXPECT_EQ(did_you_mean("listener", keys), "");
  EXPECT_EQ(did_you_mean("", keys), "");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(DidYouMean, WantsSomethingInCommon) {
  EXPECT_EQ(did_you_mean("ab", {"cd", "xy"}), "");
  EXPECT_EQ(did_you_mean("ab", {"cd", "ay"}), "ay");
}

TEST(DidYouMean, AllowsMoreEditsInLongerWords) {
  EXPECT_EQ(did_you_mean("memory_for_a_message", {"memory_per_message"}), "memory_per_message");
  EXPECT_EQ(did_you_mean("abcdef", {"abcxyz"}), "");
  EXPECT_EQ(did_you_mean("abcdefghi", {"abcdefxyz"}), "abcdefxyz");
}

TEST(DidYouMean, TakesLettersOfAnotherCaseForTheSame) {
  EXPECT_EQ(did_you_mean("external_tag", {"EXECUTIVE_NAME", "EXTERNAL_TAG"}), "EXTERNAL_TAG");
  EXPECT_EQ(did_you_mean("External_Tags", {"EXTERNAL_TAG"}), "EXTERNAL_TAG");
  EXPECT_EQ(did_you_mean("HOSTNMAE", {"upstream", "hostname"}), "hostname");
  EXPECT_EQ(did_you_mean("AB", {"cd"}), "");
}

TEST(DidYouMean, TakesTheFirstOfEquals) { EXPECT_EQ(did_you_mean("cat", {"bat", "hat", "mat"}), "bat"); }

}  // namespace
}  // namespace sallyport::text
