// The likeliest mistakes, with their cure in words; and what can never take effect.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/config/dead_settings.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> lines(const ConfigErrors& list) {
  std::vector<std::string> texts;
  for (const ConfigError& error : list) texts.push_back(error.to_string());
  return texts;
}

std::vector<std::string> errors_of(const std::string& text, std::map<std::string, std::string> others = {}) {
  return lines(load_text(text, std::move(others)).errors);
}
std::vector<std::string> warnings_of(const std::string& text, std::map<std::string, std::string> others = {}) {
  const Outcome outcome = load_text(text, std::move(others));
  EXPECT_THAT(lines(outcome.errors), IsEmpty());
  std::vector<std::string> found = lines(outcome.warnings);
  for (std::string& line : lines(find_dead_settings(outcome.loaded, "/etc/m.toml"))) found.push_back(std::move(line));
  return found;
}

TEST(Hints, AZonesNameNeedsQuotes) {
  EXPECT_THAT(errors_of(minimal + "[policy.dnsbl]\nzones.zen.spamhaus.org.score = 8.0\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:5:"), HasSubstr("a name with dots needs quotes"),
                                         HasSubstr("write policy.dnsbl.zones.\"zen.spamhaus.org\".score"))));
  EXPECT_THAT(errors_of(minimal + "[policy.dnsbl.zones.bl.spamcop.net]\nscore = 4\nreply = [\"127.0.0.2\"]\n"),
              ElementsAre(HasSubstr("write policy.dnsbl.zones.\"bl.spamcop.net\".score"),
                          HasSubstr("write policy.dnsbl.zones.\"bl.spamcop.net\".reply")));
}

TEST(Hints, OfSeveralNamesWithoutQuotesEachIsNamed) {
  EXPECT_THAT(errors_of(minimal + "[policy.dnsbl.zones]\nbl.one.example.score = 1\nbl.two.example.score = 2\n"
                                  "bl.score = 3\n"),
              ElementsAre(HasSubstr("\"bl.one.example\".score"), HasSubstr("\"bl.two.example\".score")));
  EXPECT_THAT(errors_of(minimal + "[tenants.acme.example]\ndomains = [\"acme.example\"]\n"),
              ElementsAre(HasSubstr("write tenants.\"acme.example\".domains")));
  EXPECT_THAT(errors_of(minimal + "[tls]\ncert = \"a\"\nsni.mx.acme.example.cert = \"b\"\n"),
              ElementsAre(HasSubstr("write tls.sni.\"mx.acme.example\".cert")));
}

TEST(Hints, AKeyOfTheTopBehindASectionIsToldWhereItBelongs) {
  EXPECT_THAT(errors_of("hostname = \"mx1.example.com\"\n[limits]\nhops = 5\ndomains = [\"example.com\"]\n"
                        "upstream = \"10.0.0.5:25\"\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:4:1"), HasSubstr("\"domains\" stands behind [limits]"),
                                         HasSubstr("move it to the top of the file")),
                          HasSubstr("\"upstream\" stands behind [limits]")));
  EXPECT_THAT(errors_of(minimal + "[upstreams]\nworkers = 3\n"),
              ElementsAre(HasSubstr("\"workers\" stands behind [upstreams]")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\naddress = \"127.0.0.1:25\"\nuser = \"nobody\"\n"),
              ElementsAre(HasSubstr("\"user\" stands behind [listen]")));
}

TEST(Hints, KeysThatOtherVersionsHaveAreSaidToBeSuch) {
  EXPECT_THAT(errors_of(minimal + "[policy.antivirus]\nclamd = \"unix:/run/clamd\"\n"),
              ElementsAre(HasSubstr("unknown key \"antivirus\" in [policy]: not in this version")));
  EXPECT_THAT(errors_of(minimal + "[tenants.default.recipients]\nsource = \"callout\"\n"),
              ElementsAre(HasSubstr("unknown key \"recipients\" in [tenants.default]: not in this version")));
  EXPECT_THAT(errors_of(minimal + "[state]\nhistory_keep = \"30d\"\n"),
              ElementsAre(HasSubstr("unknown key \"history_keep\" in [state]: not in this version")));
  EXPECT_THAT(errors_of(minimal + "tenants.acme = { domains = [\"a.example\"], policy.greylist.mode = \"enforce\" }\n"),
              ElementsAre(HasSubstr("in [tenants.acme.policy]: not in this version")));
}

TEST(Hints, AKeyGivenTwiceIsShownAtBothPlaces) {
  EXPECT_THAT(errors_of(minimal + "[limits]\nhops = 5\nrecipients = 7\nhops = 6\n"),
              ElementsAre("/etc/m.toml:7:1: error: limits.hops is already set at /etc/m.toml:5:1"));
  EXPECT_THAT(errors_of(minimal + "[limits]\nhops = 5\n[tls]\n[limits]\nrecipients = 4\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:7:1"), HasSubstr("[limits] begins a second time"),
                                         HasSubstr("/etc/m.toml:4:2"))));
  EXPECT_THAT(errors_of(minimal + "domains = [\n  \"a.example\", # a = b\n]\n"),
              ElementsAre("/etc/m.toml:4:1: error: domains is already set at /etc/m.toml:2:1"));
  EXPECT_THAT(errors_of(minimal +
                        "policy.dnsbl.zones.\"a=b.example\".score = 1\npolicy.dnsbl.zones.\"a=b.example\".score = 1\n"),
              ElementsAre(HasSubstr("policy.dnsbl.zones.\"a=b.example\".score is already set at /etc/m.toml:4:")));
  EXPECT_THAT(errors_of("[[listen]]\naddress = \"127.0.0.1:25\"\n[[listen]]\naddress = \"127.0.0.1:26\"\naddress = "
                        "\"127.0.0.1:27\"\n"),
              testing::Contains("/etc/m.toml:5:1: error: listen.address is already set at /etc/m.toml:4:1"));
  EXPECT_THAT(
      errors_of(minimal + "include = [\"/etc/o.toml\"]\n[limits]\nhops = 5\n", {{"/etc/o.toml", "limits.hops = 6\n"}}),
      ElementsAre(
          testing::AllOf(HasSubstr("/etc/o.toml:1:"), HasSubstr("limits.hops is already set at /etc/m.toml:6:1"))));
}

TEST(DeadSettings, AnIncludeThatMatchesNothing) {
  EXPECT_THAT(warnings_of(minimal + "include = [\"tenants/*.toml\"]\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:4:12"), HasSubstr("no file matches"))));
}

TEST(DeadSettings, WhatIsSetForACheckThatIsOff) {
  EXPECT_THAT(warnings_of(minimal + "[policy.rdns]\nscore = 1\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:5:1"), HasSubstr("policy.rdns is off"))));
  EXPECT_THAT(warnings_of(minimal + "[policy]\nmode = \"off\"\nspf.on_fail = \"reject\"\nspf.score = 1\n"),
              ElementsAre(HasSubstr("policy.spf is off")));
  EXPECT_THAT(warnings_of(minimal + "[policy]\nspf.mode = \"off\"\nspf.score = 1\n"
                                    "[tenants.acme]\ndomains = [\"acme.example\"]\npolicy.spf.mode = \"shadow\"\n"),
              IsEmpty());
  EXPECT_THAT(warnings_of(minimal + "[tenants.acme]\ndomains = [\"acme.example\"]\n"
                                    "policy.mode = \"off\"\npolicy.spf.score = 3\n"),
              ElementsAre(HasSubstr("tenants.acme.policy.spf is off")));
  EXPECT_THAT(warnings_of(minimal + "[policy]\nmode = \"off\"\nspf = { mode = \"enforce\", score = 1 }\n"), IsEmpty());
}

TEST(DeadSettings, UpstreamsAndTheirTls) {
  EXPECT_THAT(warnings_of(minimal + "[upstreams.other]\nservers = [\"10.0.0.9:25\"]\n"),
              ElementsAre(HasSubstr("upstreams.other is not used")));
  EXPECT_THAT(warnings_of(minimal + "[[listen]]\nprotocol = \"milter\"\n"),
              ElementsAre(HasSubstr("upstreams.default is not used: every listener has protocol = \"milter\"")));
  EXPECT_THAT(warnings_of(minimal + "[upstreams.default]\ntls = \"verify\"\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:5:1"), HasSubstr("tls_name"))));
  EXPECT_THAT(warnings_of(minimal + "[upstreams.default]\ntls = \"verify\"\ntls_name = \"mail.example.com\"\n"),
              IsEmpty());
  EXPECT_THAT(warnings_of(minimal + "[upstreams.default]\ntls = \"require\"\ntls_ca = \"ca.pem\"\n"),
              ElementsAre(HasSubstr("tls_ca is used with tls = \"verify\" alone")));
}

TEST(DeadSettings, ClientsThatNoServerSees) {
  const std::string local = "hostname = \"mx1.example.com\"\ndomains = [\"example.com\"]\n[upstreams.default]\n";
  const std::string way = "client_info = \"tproxy\"\n";
  EXPECT_THAT(warnings_of(local + "servers = [\"unix:/run/lmtp\"]\n" + way),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:5:"), HasSubstr("has no effect"))));
  EXPECT_THAT(warnings_of(local + "servers = [\"unix:/run/lmtp\", \"10.0.0.9:25\"]\n" + way), IsEmpty());
}

TEST(DeadSettings, NetworksThatHoldEverybody) {
  EXPECT_THAT(warnings_of(minimal + "[trusted]\nnetworks = [\"0.0.0.0/0\"]\n"),
              ElementsAre(testing::AllOf(HasSubstr("/etc/m.toml:5:1"), HasSubstr("IPv4 address is trusted"))));
  EXPECT_THAT(warnings_of(minimal + "[trusted]\nnetworks = [\"128.0.0.0/1\", \"10.0.0.0/8\"]\n"), IsEmpty());
}

}  // namespace
}  // namespace sallyport::config
