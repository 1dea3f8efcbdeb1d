// Address lists with the names that readers see.
#include "gateway/mail/address_list.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "gateway/mail/header.h"

namespace sallyport::mail {
namespace {

std::string shown(std::string_view value) {
  std::string text;
  for (const Mailbox& one : mailboxes(value, 100)) {
    text += (text.empty() ? "" : " | ") + one.name + " <" + one.address + ">";
  }
  return text;
}

struct ListCase {
  std::string value;
  std::string expected;
};

class AddressList : public testing::TestWithParam<ListCase> {};

TEST_P(AddressList, IsRead) { EXPECT_EQ(shown(GetParam().value), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Of, AddressList,
    testing::Values(ListCase{"ann@example.org", " <ann@example.org>"},
                    ListCase{"Ann <ann@example.org>, bob@example.com", "Ann <ann@example.org> |  <bob@example.com>"},
                    ListCase{"\"Smith, Ann\" <ann@example.org>", "Smith, Ann <ann@example.org>"},
                    ListCase{"Smith, Ann <ann@example.org>", "Smith, Ann <ann@example.org>"},
                    ListCase{"=?utf-8?q?Smith,_Ann?= <ann@example.org>", "Smith, Ann <ann@example.org>"},
                    ListCase{"=?utf-8?b?U21pdGgsIEFubg==?=\r\n <ann@example.org>", "Smith, Ann <ann@example.org>"},
                    ListCase{"\"=?utf-8?q?J=C3=BCrgen?=\" <j@example.org>", "J\u00fcrgen <j@example.org>"},
                    ListCase{"J\u00fcrgen <j@example.org>", "J\u00fcrgen <j@example.org>"},
                    ListCase{"boss@bank.example <eve@evil.example>", "boss@bank.example <eve@evil.example>"},
                    ListCase{"\"boss@bank.example\" <eve@evil.example>", "boss@bank.example <eve@evil.example>"},
                    ListCase{"ann@example.org (Ann Smith)", "Ann Smith <ann@example.org>"},
                    ListCase{"Ann (at work) <ann@example.org>", "Ann <ann@example.org>"},
                    ListCase{"\"a \\\"b\\\" c\" <x@y.example>", "a \"b\" c <x@y.example>"},
                    ListCase{"Friends: ann@example.org, Bob <bob@example.com>; eve@example.net",
                             " <ann@example.org> | Bob <bob@example.com> |  <eve@example.net>"},
                    ListCase{"undisclosed-recipients:;", ""}, ListCase{"", ""}, ListCase{"nobody", ""},
                    ListCase{"<>, , ann@example.org", " <ann@example.org>"},
                    ListCase{"<@relay.example:ann@example.org>", " <ann@example.org>"},
                    ListCase{"Ann <ann@example.org> <bob@example.com>", "Ann <bob@example.com> <ann@example.org>"},
                    ListCase{"\"open <ann@example.org>", ""}, ListCase{"Ann <ann@example.org", "Ann <ann@example.org>"},
                    ListCase{"ann@example.org Ann Smith", "Ann Smith <ann@example.org>"}));

TEST(AddressListBounds, AreKept) {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "a" + std::to_string(i) + "@example.org, ";
  EXPECT_EQ(mailboxes(many, 1000).size(), 1000u);
  EXPECT_EQ(mailboxes(many, 10000).size(), 5000u);
  EXPECT_TRUE(mailboxes(std::string(300'000, '('), 10).empty());
  EXPECT_TRUE(mailboxes(std::string(300'000, '<'), 10).size() <= 1);
}

// Whatever the text: no name has line ends, every address is there, and the first one is that of first_address().
TEST(AddressListProperties, HoldForAnyText) {
  std::mt19937 random(5);
  constexpr std::string_view octets = "ab@@<>\"\"(),;:\\ \t\r\n.[]=?q_\xc3\xbc\0";
  for (int i = 0; i < 20'000; ++i) {
    std::string value;
    for (std::size_t n = random() % 24; n > 0; --n) value += octets[random() % octets.size()];
    const auto found = mailboxes(value, 100);
    EXPECT_EQ(found.empty() ? "" : found.front().address, first_address(value));
    for (const Mailbox& one : found) {
      EXPECT_FALSE(one.address.empty());
      EXPECT_EQ(one.name.find_first_of("\r\n"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace sallyport::mail
