// Authentication-Results (RFC 8601): what others' say, whose they are, and how ours are written.
#include "gateway/mail/auth_results.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "gateway/mail/header.h"
#include "tests/support/corpora.h"

namespace sallyport::mail {
namespace {

AuthMethod method(std::string name, std::string result, std::vector<AuthProperty> properties = {},
                  std::string reason = {}) {
  AuthMethod made;
  made.method = std::move(name);
  made.result = std::move(result);
  made.reason = std::move(reason);
  made.properties = std::move(properties);
  return made;
}

TEST(AuthResults, AreReadWithCommentsAndFolding) {
  // RFC 8601, appendix B.7.
  const auto results = parse_auth_results(
      " foo.example.net (foobar) 1 (baz);\r\n"
      "   dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
      "     policy (A dot can go here) . (like that) expired\r\n"
      "     (this surprised me) = (as I wasn't expecting it) 1362471462");
  ASSERT_TRUE(results);
  EXPECT_EQ(results->authserv_id, "foo.example.net");
  EXPECT_EQ(results->methods, (std::vector<AuthMethod>{method("dkim", "fail", {{"policy", "expired", "1362471462"}})}));
}

TEST(AuthResults, AreReadWithSeveralMethods) {
  const auto results = parse_auth_results(
      "mx.example; DKIM=Pass reason=\"good (really); yes\" header.i=@mail.example header.b=\"a/b=\";\r\n"
      "\tdkim=fail header.d=x.example; spf=pass smtp.mailfrom=\"a b\"@x.example (x (y) \\) z);");
  ASSERT_TRUE(results);
  EXPECT_EQ(results->methods,
            (std::vector<AuthMethod>{method("dkim", "pass", {{"header", "i", "@mail.example"}, {"header", "b", "a/b="}},
                                            "good (really); yes"),
                                     method("dkim", "fail", {{"header", "d", "x.example"}}),
                                     method("spf", "pass", {{"smtp", "mailfrom", "a b@x.example"}})}));
  EXPECT_EQ(results->methods[0].value("header", "b"), "a/b=");
  EXPECT_EQ(results->methods[0].value("smtp", "b"), std::nullopt);
}

TEST(AuthResults, AreReadAsTheyAreSeen) {
  const auto results = parse_auth_results(
      "mx.microsoft.com 1; spf=pass (sender ip is 2001:db8::1) smtp.rcpttodomain=a.example smtp.mailfrom=b.example;"
      " dmarc=pass (p=reject sp=none pct=100) action=none header.from=b.example;"
      " iprev=pass policy.iprev=2001:db8::1; dkim=pass header.b=Ab/+c=");
  ASSERT_TRUE(results);
  ASSERT_EQ(results->methods.size(), 4u);
  EXPECT_EQ(results->methods[1].value("", "action"), "none");
  EXPECT_EQ(results->methods[1].value("header", "from"), "b.example");
  EXPECT_EQ(results->methods[2].value("policy", "iprev"), "2001:db8::1");
  EXPECT_EQ(results->methods[3].value("header", "b"), "Ab/+c=");
}

TEST(AuthResults, MayBeNone) {
  for (const char* value :
       {"mx.example; none", "mx.example;none;", "mx.example (x) 1 (y) ; NONE (z)", "mx.example", "mx.example;"}) {
    const auto results = parse_auth_results(value);
    ASSERT_TRUE(results) << value;
    EXPECT_EQ(results->authserv_id, "mx.example");
    EXPECT_TRUE(results->methods.empty());
  }
}

TEST(AuthResults, AreRefusedWhenTheyCannotBeUnderstood) {
  for (const char* value :
       {"; spf=pass", "mx.example spf=pass", "spf=pass; dkim=pass", "mx.example; spf", "mx.example; =pass",
        "mx.example; spf=", "mx.example; spf=pass x", "mx.example; spf=pass smtp.=x", "mx.example; spf=pass smtp.x",
        "mx.example; spf/x=pass", "mx.example; spf=pass (", "mx.example; spf=pass reason=\"x", "\"mx.example; spf=pass",
        "(mx.example; spf=pass", "mx\"a\".example; spf=pass", "mx.example; none; x"})
    EXPECT_FALSE(parse_auth_results(value)) << value;
}

TEST(AuthResults, HaveAnEnd) {
  std::string many = "mx.example";
  for (std::size_t i = 0; i < max_auth_methods; ++i) many += "; x=y";
  EXPECT_TRUE(parse_auth_results(many));
  EXPECT_FALSE(parse_auth_results(many + "; x=y"));
  std::string long_one = "mx.example; x=y";
  for (std::size_t i = 0; i < max_auth_properties; ++i) long_one += " a.b=c";
  EXPECT_TRUE(parse_auth_results(long_one));
  const auto longer = parse_auth_results(long_one + " a.b=c; dmarc=pass");
  ASSERT_TRUE(longer);
  EXPECT_EQ(longer->methods[0].properties.size(), max_auth_properties);
  EXPECT_EQ(longer->methods[1].method, "dmarc");
  EXPECT_FALSE(parse_auth_results("mx.example; x=y " + std::string(60000, '(')));
}

TEST(AuthResults, CanBeReadForSomeMethodsHoweverManyOthersThereAre) {
  std::string many = "mx.example";
  for (std::size_t i = 0; i < 10 * max_auth_methods; ++i) many += "; x=y a.b=c";
  const std::string_view wanted[] = {"dmarc", "spf"};
  const auto read = parse_auth_results(many + "; SPF=pass; dmarc=fail header.from=a.example; dkim=pass", wanted);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->methods.size(), 2u);
  EXPECT_EQ(read->methods[0].method, "spf");
  EXPECT_EQ(read->methods[1].value("header", "from"), "a.example");
  for (std::size_t i = 0; i < 2 * max_auth_methods; ++i) many += "; spf=pass";
  EXPECT_EQ(parse_auth_results(many, wanted)->methods.size(), max_auth_methods);
  EXPECT_FALSE(parse_auth_results(many + "; (", wanted)) << "it is read whole or not at all";
}

TEST(AuthservId, IsOursHoweverItIsWritten) {
  const std::vector<std::string> ours{"mx1.example.com", "xn--bcher-kva.example"};
  for (const char* value :
       {"mx1.example.com; spf=pass", " MX1.Example.COM;none", "(c) mx1.example.com;",
        "\r\n mx1.example.com (c (d))\r\n 1 ; x", "\"mx1.example.com\" 1; spf=pass", "\"mx1.example\\.com\"; x",
        "mx1.example.com 99; y", "mx1.example.com", "mx1.example.com.;", "\" mx1.example.com \"; spf=pass",
        "b\xc3\xbc"
        "cher.example; spf=pass"})
    EXPECT_EQ(owner_of_auth_results(value, ours), AuthservOwner::ours) << value;
}

TEST(AuthservId, IsAnothersOrCannotBeTold) {
  const std::vector<std::string> ours{"mx1.example.com"};
  for (const char* value : {"mx2.example.com; spf=pass", "example.com; x", "amx1.example.com",
                            "mx1.example.com.evil.example; x", "(mx1.example.com) mx.example; x"})
    EXPECT_EQ(owner_of_auth_results(value, ours), AuthservOwner::other) << value;
  for (const char* value :
       {"", " (mx1.example.com) ", "; spf=pass", "spf=pass smtp.mailfrom=x", "\"mx1.example.com; spf=pass",
        "mx1.example\".com\"; x", "(mx1.example.com; x", "mx1.example.com x; spf=pass", "mx1@example.com; x"})
    EXPECT_EQ(owner_of_auth_results(value, ours), AuthservOwner::unreadable) << value;
}

TEST(MakeAuthResults, FoldsAndQuotes) {
  AuthResults results;
  results.authserv_id = "mx1.example.com";
  results.methods = {
      method("spf", "pass", {{"smtp", "mailfrom", "ann@example.org"}}),
      method("dkim", "fail", {{"header", "d", "example.org"}, {"header", "b", "ab/c+d=="}}, "body hash did not verify"),
      method("iprev", "pass", {{"policy", "iprev", "2001:db8::1"}})};
  results.methods[1].comment = "2048-bit key";
  EXPECT_EQ(make_auth_results(results),
            "Authentication-Results: mx1.example.com;\r\n"
            " spf=pass smtp.mailfrom=ann@example.org;\r\n"
            " dkim=fail (2048-bit key) reason=\"body hash did not verify\"\r\n"
            " header.d=example.org header.b=\"ab/c+d==\";\r\n"
            " iprev=pass policy.iprev=\"2001:db8::1\"\r\n");
  EXPECT_EQ(make_auth_results({"mx1.example.com", {}}), "Authentication-Results: mx1.example.com; none\r\n");
}

TEST(MakeAuthResults, LetsNoValueBecomeSomethingElse) {
  const std::vector<std::string> nasty{"x; dkim=pass header.d=bank.example",
                                       "x\r\nAuthentication-Results: mx1.example.com; dkim=pass",
                                       "x\" ; dkim=pass (",
                                       "a\\",
                                       "",
                                       "(",
                                       "a@b@c",
                                       std::string("x\0y", 3),
                                       "caf\xc3\xa9",
                                       std::string(5000, 'x')};
  for (const std::string& value : nasty) {
    AuthResults results{"mx1.example.com", {method("spf", "fail", {{"smtp", "mailfrom", value}}, value)}};
    results.methods[0].comment = value;
    const std::string field = make_auth_results(results);
    const HeaderSection section(field);
    ASSERT_EQ(section.fields().size(), 1u) << value;
    const auto read = parse_auth_results(section.fields().front().value);
    ASSERT_TRUE(read) << field;
    ASSERT_EQ(read->methods.size(), 1u) << field;
    EXPECT_EQ(read->methods[0].properties.size(), 1u) << field;
    EXPECT_EQ(read->methods[0].result, "fail");
  }
}

TEST(MakeAuthResults, QuotesAnIdThatIsNoToken) {
  const std::string field = make_auth_results({"mx@example.com", {method("spf", "pass")}});
  EXPECT_EQ(field, "Authentication-Results: \"mx@example.com\";\r\n spf=pass\r\n");
  const HeaderSection section(field);
  EXPECT_EQ(parse_auth_results(section.fields().front().value)->authserv_id, "mx@example.com");
}

TEST(AuthResultsCorpus, AgreesWithUs) {
  const auto suite = support::load_corpus("auth-results-header/cases.json");
  SALLYPORT_SKIP_WITHOUT(suite);
  support::CorpusScore score("auth-results-header");
  for (const auto& given : suite->at("cases")) {
    SCOPED_TRACE(given.at("value").get<std::string>());
    const auto results = parse_auth_results(given.at("value").get<std::string>());
    ASSERT_TRUE(results);
    EXPECT_EQ(results->authserv_id, given.at("authserv_id").get<std::string>());
    ASSERT_EQ(results->methods.size(), given.at("results").size());
    for (std::size_t i = 0; i < results->methods.size(); ++i) {
      const auto& want = given.at("results")[i];
      const AuthMethod& found = results->methods[i];
      EXPECT_EQ(found.method, want.at("method").get<std::string>());
      EXPECT_EQ(found.result, want.at("result").get<std::string>());
      EXPECT_EQ(found.reason, want.value("reason", ""));
      nlohmann::json properties = nlohmann::json::object();
      for (const AuthProperty& property : found.properties)
        properties[property.type + '.' + property.name] = property.value;
      EXPECT_EQ(properties, want.at("properties"));
    }
    if (!results->authserv_id.empty()) {
      EXPECT_EQ(parse_auth_results(auth_results_value(*results)), results) << "written and read again";
    }
    score.count_case();
  }
}

}  // namespace
}  // namespace sallyport::mail
