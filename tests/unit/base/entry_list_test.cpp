// Long lists: what is in them, and how much room they take.
#include "gateway/base/entry_list.h"

#include <gtest/gtest.h>

#include <string>

namespace sallyport {
namespace {

std::shared_ptr<const EntryList> list(std::string_view text, EntryKind kind) {
  auto parsed = EntryList::parse(text, kind);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : EntryList::parse("", kind).value();
}
std::string problem(std::string_view text, EntryKind kind) {
  auto parsed = EntryList::parse(text, kind);
  return parsed ? "none" : parsed.error().message;
}

TEST(EntryLists, OfDomainsHaveWhatIsBelow) {
  const auto domains = list(
      "# ours\nExample.ORG\r\n\n  .b.example ; and below\n*.c.example # too\nb\xc3\xbc"
      "cher.example\n",
      EntryKind::domain);
  EXPECT_EQ(domains->size(), 4u);
  for (const char* in : {"example.org", "EXAMPLE.org", "mail.example.org", "a.b.c.example", "b.example", "example.org.",
                         "xn--bcher-kva.example",
                         "www.b\xc3\xbc"
                         "cher.example"}) {
    EXPECT_TRUE(domains->contains(in)) << in;
  }
  for (const char* out : {"", ".", "org", "notexample.org", "example.org.evil.example", "example", "a b",
                          "example.org\n", "exa..mple.org"}) {
    EXPECT_FALSE(domains->contains(out)) << out;
  }
}

TEST(EntryLists, OfAddressesNetworksAndWords) {
  const auto addresses = list("Ann@Example.org\n", EntryKind::address);
  EXPECT_TRUE(addresses->contains("ann@EXAMPLE.ORG"));
  EXPECT_FALSE(addresses->contains("bob@example.org"));
  EXPECT_FALSE(addresses->contains("ann@sub.example.org"));
  const auto networks = list("192.0.2.0/24\n2001:db8::/32\n10.0.0.1\n", EntryKind::network);
  EXPECT_EQ(networks->size(), 3u);
  EXPECT_TRUE(networks->contains("192.0.2.200"));
  EXPECT_TRUE(networks->contains("2001:db8::1"));
  EXPECT_FALSE(networks->contains("10.0.0.2"));
  EXPECT_FALSE(networks->contains("x"));
  const auto words = list(
      "Win A Prize\nStra\xc3\x9f"
      "e\nc#\n",
      EntryKind::word);
  EXPECT_TRUE(words->contains("win a prize"));
  EXPECT_TRUE(words->contains("STRASSE"));
  EXPECT_TRUE(words->contains("C#"));
  EXPECT_FALSE(words->contains("win"));
}

TEST(EntryLists, TellTheFirstLineThatIsNone) {
  EXPECT_EQ(problem("example.org\nno domain here\nnor.. here\n", EntryKind::domain), "line 2: not a domain name");
  EXPECT_EQ(problem("ann@example.org\n\nbob\n", EntryKind::address), "line 3: not an address");
  EXPECT_EQ(problem("192.0.2.1/24\n", EntryKind::network), "line 1: not a network");
  EXPECT_EQ(problem("a\x01"
                    "b\n",
                    EntryKind::word),
            "line 1: not a word");
  EXPECT_EQ(problem("", EntryKind::word), "none");
  EXPECT_EQ(problem("\xef\xbb\xbf"
                    "example.org\r\n",
                    EntryKind::domain),
            "none")
      << "a byte order mark";
}

TEST(EntryLists, OfAMillionTakeLessThanAHundredMegabytes) {
  std::string text;
  for (int i = 0; i < 1'000'000; ++i) text += "host-" + std::to_string(i * 7919LL % 1'000'003) + ".mail.example\n";
  const auto million = list(text, EntryKind::domain);
  EXPECT_EQ(million->size(), 1'000'000u);
  EXPECT_LT(million->octets(), std::size_t{100} << 20);
  EXPECT_TRUE(million->contains("x.host-7919.mail.example"));
  EXPECT_FALSE(million->contains("mail.example"));
}

}  // namespace
}  // namespace sallyport
