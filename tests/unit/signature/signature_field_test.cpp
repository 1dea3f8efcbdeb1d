// DKIM-Signature (RFC 6376, 3.5): what is read, and what makes it unusable.
#include "gateway/signature/signature_field.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "gateway/base/base64.h"

namespace sallyport::signature {
namespace {

using Tags = std::map<std::string, std::string>;

const Tags& usual() {
  static const Tags tags{{"v", "1"},
                         {"a", "rsa-sha256"},
                         {"d", "example.org"},
                         {"s", "sel"},
                         {"h", "from:to:subject"},
                         {"bh", to_base64(std::string(32, 'h'))},
                         {"b", to_base64(std::string(256, 'b'))}};
  return tags;
}

std::string field(const Tags& changed) {
  Tags tags = changed;
  tags.insert(usual().begin(), usual().end());
  std::string value;
  for (const auto& [name, of_name] : tags) {
    if (of_name == "-") continue;  // without this one
    value += (value.empty() ? " " : "; ") + name + "=" + of_name;
  }
  return value;
}

Signature parse(const Tags& changed) {
  static std::string value;  // the signature's views point into it
  value = field(changed);
  return parse_dkim_signature(value);
}

std::string problem(const Tags& changed) { return std::string(parse(changed).problem); }

TEST(DkimSignature, IsReadWhole) {
  const Signature signature = parse({{"c", "relaxed"},
                                     {"d", "Example.ORG"},
                                     {"s", "A.b"},
                                     {"i", "Ann@Mail.example.org"},
                                     {"l", "42"},
                                     {"t", "100"},
                                     {"x", "200"},
                                     {"q", "foo:dns/txt"},
                                     {"z", "From:x"},
                                     {"unknown", "tag"},
                                     {"h", "From :\r\n To:to"}});
  EXPECT_EQ(signature.problem, "");
  EXPECT_EQ(signature.algorithm, Algorithm::rsa_sha256);
  EXPECT_EQ(signature.value, std::string(256, 'b'));
  EXPECT_EQ(signature.body_hash, std::string(32, 'h'));
  EXPECT_EQ(signature.header, Canonicalization::relaxed);
  EXPECT_EQ(signature.body, (BodyForm{Canonicalization::simple, 42}));
  EXPECT_EQ(signature.domain, "example.org");
  EXPECT_EQ(signature.selector, "a.b");
  EXPECT_EQ(signature.identity, "Ann@mail.example.org");
  EXPECT_EQ(signature.identity_domain, "mail.example.org");
  EXPECT_EQ(signature.signed_names, (std::vector<std::string_view>{"From", "To", "to"}));
  EXPECT_EQ(signature.signed_at, 100u);
  EXPECT_EQ(signature.expires_at, 200u);
}

TEST(DkimSignature, HasDefaults) {
  const Signature signature = parse({});
  EXPECT_TRUE(signature.is_well_formed());
  EXPECT_EQ(signature.header, Canonicalization::simple);
  EXPECT_EQ(signature.body, BodyForm());
  EXPECT_EQ(signature.identity, "@example.org");
  EXPECT_FALSE(signature.signed_at || signature.expires_at);
}

TEST(DkimSignature, NeedsItsTags) {
  for (const char* name : {"v", "a", "b", "bh", "d", "h", "s"})
    EXPECT_EQ(problem({{name, "-"}}), "no " + std::string(name) + "= tag");
}

TEST(DkimSignature, IsOfVersionOne) {
  for (const char* version : {"", "0", "2", "01", "1.0"}) EXPECT_EQ(problem({{"v", version}}), "unknown version");
}

TEST(DkimSignature, RefusesAlgorithmsThatAreNone) {
  for (const char* name : {"", "rsa-sha512", "RSA-SHA256", "rsa", "rsa-sha256 x"})
    EXPECT_EQ(problem({{"a", name}}), "unknown algorithm") << name;
  // Known by name: it is refused as what it is (threats.md D15).
  EXPECT_EQ(parse({{"a", "rsa-sha1"}, {"bh", to_base64(std::string(20, 'h'))}}).problem, "");
}

// D15: RFC 6376, 2.10.
TEST(DkimSignature, NeedsNoPadding) {
  for (const std::size_t octets : {128u, 129u, 256u, 257u}) {
    const std::string value = to_base64(std::string(octets, 'v'));
    EXPECT_EQ(parse({{"b", value.substr(0, value.find('='))}}).value, std::string(octets, 'v')) << octets;
  }
  const std::string hash = to_base64(std::string(32, 'h'));
  EXPECT_EQ(problem({{"bh", hash.substr(0, hash.size() - 1)}}), "");
  EXPECT_EQ(problem({{"bh", hash.substr(0, 20) + "\r\n " + hash.substr(20, hash.size() - 21)}}), "");
}

TEST(DkimSignature, RefusesValuesThatAreNoBase64OrOfAnotherLength) {
  for (const char* value : {"", "x", "AAAAA", "AA=", "A-==", "AA==AA=="}) {
    EXPECT_EQ(problem({{"b", value}}), "b= is no signature") << value;
    EXPECT_EQ(problem({{"bh", value}}), "bh= is no body hash of the algorithm") << value;
  }
  EXPECT_EQ(problem({{"bh", to_base64(std::string(31, 'h'))}}), "bh= is no body hash of the algorithm");
  EXPECT_EQ(problem({{"bh", to_base64(std::string(33, 'h'))}}), "bh= is no body hash of the algorithm");
  EXPECT_EQ(problem({{"b", to_base64(std::string(1025, 'h'))}}), "b= is no signature") << "no RSA key is that long";
  EXPECT_EQ(problem({{"a", "ed25519-sha256"}}), "b= does not fit the algorithm");
  EXPECT_EQ(problem({{"a", "ed25519-sha256"}, {"b", to_base64(std::string(64, 'b'))}}), "");
  EXPECT_EQ(problem({{"b", "\r\n " + to_base64(std::string(128, 'b')).insert(20, "\r\n\t ")}}), "");
}

TEST(DkimSignature, RefusesNamesThatAreNone) {
  for (const char* name : {"", "example..org", ".org", "example.org.", "a b", "-x", "x\tx", "a/b"}) {
    EXPECT_EQ(problem({{"d", name}}), "d= is no domain name") << name;
    EXPECT_EQ(problem({{"s", name}}), "s= is no selector") << name;
  }
  EXPECT_EQ(problem({{"d", std::string(250, 'a') + ".org"}}), "d= is no domain name");
}

TEST(DkimSignature, ConvertsInternationalizedNames) {
  const Signature signature = parse({{"d",
                                      "b\xc3\xbc"
                                      "cher.example"},
                                     {"i",
                                      "@www.b\xc3\xbc"
                                      "cher.example"}});
  EXPECT_EQ(signature.problem, "");
  EXPECT_EQ(signature.domain, "xn--bcher-kva.example");
  EXPECT_EQ(signature.identity, "@www.xn--bcher-kva.example");
}

TEST(DkimSignature, KeepsTheIdentityWithinTheDomain) {
  EXPECT_EQ(problem({{"i", "ann@example.org"}}), "");
  EXPECT_EQ(problem({{"i", "\"a@b\"@sub.EXAMPLE.org"}}), "");
  for (const char* identity : {"@example.com", "@evilexample.org", "@org", "ann@example.org.evil.com"})
    EXPECT_EQ(problem({{"i", identity}}), "i= lies outside d=") << identity;
  for (const char* identity : {"", "ann", "example.org", "ann@", "@example.org."})
    EXPECT_EQ(problem({{"i", identity}}), "i= is no identity") << identity;
}

TEST(DkimSignature, RefusesTimesThatAreNone) {
  for (const char* time : {"", "-1", "1.5", "never", "0x1", "1 2", "1234567890123"}) {
    EXPECT_EQ(problem({{"t", time}}), "t= is no time") << time;
    EXPECT_EQ(problem({{"x", time}}), "x= is no time") << time;
  }
  EXPECT_EQ(problem({{"t", "123456789012"}}), "");
  EXPECT_EQ(problem({{"t", "100"}, {"x", "100"}}), "x= is not after t=");
  EXPECT_EQ(problem({{"t", "100"}, {"x", "99"}}), "x= is not after t=");
  EXPECT_EQ(problem({{"t", "100"}, {"x", "101"}}), "");
}

TEST(DkimSignature, RefusesLengthsThatAreNone) {
  for (const std::string& length : {std::string(), std::string("-1"), std::string("all"), std::string(77, '1')})
    EXPECT_EQ(problem({{"l", length}}), "l= is no length") << length;
  EXPECT_EQ(parse({{"l", std::string(76, '9')}}).body.length, UINT64_MAX);
  EXPECT_EQ(parse({{"l", "0"}}).body.length, 0u);
}

TEST(DkimSignature, RefusesUnknownCanonicalizations) {
  for (const char* how :
       {"", "bogus", "relaxed/", "/relaxed", "relaxed/bogus", "relaxed/simple/simple", "Relaxed", "relaxed / simple"})
    EXPECT_EQ(problem({{"c", how}}), "unknown canonicalization") << how;
}

TEST(DkimSignature, PassesOverUnknownQueryMethods) {
  EXPECT_EQ(problem({{"q", "dns/txt"}}), "");
  EXPECT_EQ(problem({{"q", "x : dns/txt"}}), "");
  for (const char* methods : {"", "dns", "dns/foo", "foo:bar"})
    EXPECT_EQ(problem({{"q", methods}}), "no known query method") << methods;
}

TEST(DkimSignature, CoversFromWithAtMostTwoHundredNames) {
  EXPECT_EQ(problem({{"h", "to:subject"}}), "h= lacks From");
  EXPECT_EQ(problem({{"h", "to:FROM"}}), "");
  for (const char* names : {"from:a b", "from:a\tb"})
    EXPECT_EQ(problem({{"h", names}}), "h= is no list of field names") << names;
  EXPECT_EQ(problem({{"h", ""}}), "h= lacks From");
  EXPECT_EQ(problem({{"h", "::"}}), "h= lacks From");
  // D15: colons without a name between them.
  for (const char* names : {"from:", ":from", "from: : to", "From:To::subject::"})
    EXPECT_EQ(problem({{"h", names}}), "") << names;
  const std::string colons = field({{"h", "From::to:"}});
  EXPECT_EQ(parse_dkim_signature(colons).signed_names, (std::vector<std::string_view>{"From", "to"}));
  std::string many = "from";
  for (std::size_t i = 1; i < max_signed_names; ++i) many += ":x";
  EXPECT_EQ(problem({{"h", many}}), "");
  EXPECT_EQ(problem({{"h", many + ":x"}}), "h= has more than 200 names");
}

TEST(DkimSignature, RefusesSyntaxErrorsAndTagsTwice) {
  EXPECT_EQ(parse_dkim_signature("").problem, "syntax error");
  EXPECT_EQ(parse_dkim_signature(field({}) + "; d=example.com").problem, "syntax error");
  EXPECT_EQ(parse_dkim_signature(field({}) + ";;").problem, "syntax error");
  EXPECT_EQ(parse_dkim_signature(field({}) + ";").problem, "");
}

TEST(DkimSignature, TellsWhatItCouldReadOfABrokenOne) {
  const Signature signature = parse({{"v", "2"}, {"bh", "x"}});
  EXPECT_EQ(signature.problem, "unknown version");
  EXPECT_EQ(signature.domain, "example.org");
  EXPECT_EQ(signature.selector, "sel");
  EXPECT_EQ(signature.algorithm, Algorithm::rsa_sha256);
}

TEST(ArcMessageSignature, NeedsNeitherVersionNorFrom) {
  const std::string value = field({{"v", "-"}, {"i", "1"}, {"h", ""}});
  EXPECT_EQ(parse_arc_message_signature(*TagList::parse(value)).problem, "");
  EXPECT_EQ(parse_dkim_signature(value).is_well_formed(), false);
}

}  // namespace
}  // namespace sallyport::signature
