// The first mailbox of an address field (RFC 5322, 3.4).
#include <gtest/gtest.h>

#include <string>

#include "gateway/mail/header.h"

namespace sallyport::mail {
namespace {

struct AddressCase {
  std::string value;
  std::string address;
};

class FirstAddress : public testing::TestWithParam<AddressCase> {};

TEST_P(FirstAddress, Is) { EXPECT_EQ(first_address(GetParam().value), GetParam().address); }

INSTANTIATE_TEST_SUITE_P(
    OfAField, FirstAddress,
    testing::Values(
        AddressCase{" ann@example.org", "ann@example.org"},
        AddressCase{"Ann <ann@example.org>, bob@example.com", "ann@example.org"},
        AddressCase{"ann@example.org, Bob <bob@example.com>", "ann@example.org"},
        AddressCase{"\"bob@bank.example\" <eve@evil.example>", "eve@evil.example"},
        AddressCase{"bob@bank.example <eve@evil.example>", "eve@evil.example"},
        AddressCase{"\"<bob@bank.example>\" <eve@evil.example>", "eve@evil.example"},
        AddressCase{"(bob@bank.example <x@y>) eve@evil.example", "eve@evil.example"},
        AddressCase{"Ann (her (nested) \\) comment) <ann(x)@example.org (y)>", "ann@example.org"},
        AddressCase{"\"ann smith\"@example.org", "ann smith@example.org"},
        AddressCase{"<\"a\\\"b\"@example.org>", "a\"b@example.org"},
        AddressCase{"<@relay.example,@b.example:ann@example.org>", "ann@example.org"},
        AddressCase{"Friends: ann@example.org, bob@example.com;", "ann@example.org"},
        AddressCase{"Ann <ann@[192.0.2.1]>", "ann@[192.0.2.1]"},
        AddressCase{"ann@[IPv6:2001:db8::1], x@y", "ann@[IPv6:2001:db8::1]"},
        AddressCase{"Ann\r\n\t<ann@example.org>", "ann@example.org"},
        AddressCase{", ,<>, Ann <ann@example.org>", "ann@example.org"}, AddressCase{"Undisclosed recipients:;", ""},  //
        AddressCase{"nobody", ""},                                                                                    //
        AddressCase{"", ""}, AddressCase{"\"never ends@example.org", ""},  // an @ inside quotes makes no address
        AddressCase{"(never ends", ""},                                    //
        AddressCase{"(x\\", ""},                                           //
        AddressCase{"Ann <ann@example.org", "ann@example.org"}, AddressCase{"ann@[192.0.2.1", "ann@[192.0.2.1"}));

TEST(FirstAddress, OfADeeplyNestedCommentNeedsNoStack) {
  std::string value = std::string(200'000, '(') + std::string(200'000, ')') + " ann@example.org";
  EXPECT_EQ(first_address(value), "ann@example.org");
}

}  // namespace
}  // namespace sallyport::mail
