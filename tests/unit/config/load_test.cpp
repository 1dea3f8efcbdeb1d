#include "gateway/config/load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "lua/engine/settings.h"
#include "policies/api/actions.h"
#include "policies/arc/settings.h"
#include "policies/dmarc/settings.h"
#include "policies/dnsbl/settings.h"
#include "policies/helo/settings.h"
#include "policies/rate/settings.h"
#include "policies/rdns/settings.h"
#include "policies/spf/settings.h"
#include "tests/unit/config/memory_files.h"

namespace sallyport::config {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Loaded good(const std::string& text, std::map<std::string, std::string> others = {}) {
  Outcome outcome = load_text(text, std::move(others));
  for (const ConfigError& error : outcome.errors) ADD_FAILURE() << error.to_string();
  return std::move(outcome.loaded);
}

TEST(Load, ThreeLinesAreEnough) {
  const Loaded loaded = good(minimal);
  const Settings& settings = *loaded.settings;
  EXPECT_EQ(settings.hostname, "mx1.example.com");
  ASSERT_EQ(settings.listen.size(), 1u);
  EXPECT_EQ(settings.listen[0].address.to_string(), "[::]:25");
  ASSERT_TRUE(settings.upstreams.contains("default"));
  EXPECT_EQ(settings.upstreams.at("default").name, "default");
  ASSERT_EQ(settings.upstreams.at("default").servers.size(), 1u);
  EXPECT_EQ(settings.upstreams.at("default").servers[0].to_string(), "10.0.0.5:25");
  EXPECT_EQ(settings.tenants.at("default").domains, std::vector<std::string>{"example.com"});
  EXPECT_EQ(settings.tenants.at("default").upstream, "default");
  EXPECT_EQ(settings.limits.message_size, 50u << 20);
  EXPECT_TRUE(settings.tls.certificates.empty());
  EXPECT_EQ(loaded.origin_of("hostname").to_string(), "/etc/m.toml:1:1");
  EXPECT_EQ(loaded.origin_of("limits.hops").to_string(), "default");
  EXPECT_EQ(loaded.origin_of("upstreams.default.servers").to_string(), "/etc/m.toml:3:1");
}

TEST(Load, EveryPartOfTheContractsExampleThatIsBuilt) {
  const Loaded loaded = good(R"(hostname = "mx1.msp.example"
workers = 3
user = "mail"
[[listen]]
address = "0.0.0.0:25"
tls = "starttls"
require_tls = true
bare_newline = "reject"
proxy_protocol_from = ["10.9.0.0/28"]
client_cert = "ask"
client_ca = "tls/partners.pem"
[[listen]]
address = "[::1]:465"
tls = "implicit"
[tls]
cert = "tls/mx1"
min_version = "1.3"
sni."MX.acme.example".cert = "/etc/sallyport/tls/acme"
[dns]
servers = ["127.0.0.1:53", "192.0.2.53"]
timeout = "3s"
cache_entries = 10
[limits]
message_size = "25MiB"
[timeouts]
command = "60s"
[upstreams.exchange]
servers = ["10.1.0.5:25", "10.1.0.6:25"]
balance = "failover"
tls = "verify"
tls_name = "mail.acme.example"
tls_ca = "/etc/ssl/certs/ca-certificates.crt"
max_connections = 7
health_interval = "1s"
[tenants.default]
domains = ["acme.example", "*.ACME.example"]
upstream = "exchange"
[policy]
mode = "shadow"
[policy.dnsbl]
reject_at = 4
skip = ["10.0.0.0/8"]
zones."zen.DNSBL.example".score = 8.0
zones."zen.dnsbl.example".reply = ["127.0.0.2-127.0.0.11"]
zones."white.dnsbl.example".score = -5.0
zones."white.dnsbl.example".self_test = true
[policy.rate]
mail_per_ip = "3/1m"
connect_per_ip = "off"
[policy.rules]
path = "rules"
mode = "enforce"
on_error = "skip"
[policy.actions]
tag = 1.0
[state]
path = "/tmp/state"
[log]
format = "json"
target = "file:sp.log"
level = "debug"
)");
  const Settings& settings = *loaded.settings;
  EXPECT_EQ(settings.workers, 3u);
  EXPECT_EQ(settings.user, "mail");
  ASSERT_EQ(settings.listen.size(), 2u);
  EXPECT_TRUE(settings.listen[0].require_tls);
  EXPECT_EQ(settings.listen[0].bare_newline, BareNewlinePolicy::reject);
  EXPECT_EQ(settings.listen[0].client_cert, tls::ClientCertificates::ask);
  EXPECT_EQ(settings.listen[0].client_ca, "/etc/tls/partners.pem");
  EXPECT_EQ(settings.listen[1].client_cert, tls::ClientCertificates::off);
  const tls::ServerTlsSettings first_door = tls_of(settings, settings.listen[0]);
  EXPECT_EQ(first_door.client_certificates, tls::ClientCertificates::ask);
  EXPECT_EQ(first_door.client_ca_file, "/etc/tls/partners.pem");
  EXPECT_EQ(first_door.certificates, settings.tls.certificates);
  EXPECT_EQ(tls_of(settings, settings.listen[1]).client_certificates, tls::ClientCertificates::off);
  ASSERT_EQ(settings.listen[0].proxy_protocol_from.size(), 1u);
  EXPECT_EQ(settings.listen[1].tls, ListenTls::implicit);
  EXPECT_EQ(settings.listen[1].address.to_string(), "[::1]:465");
  ASSERT_EQ(settings.tls.certificates.size(), 1u);
  EXPECT_EQ(settings.tls.certificates[0].chain, "/etc/tls/mx1/fullchain.pem");
  EXPECT_EQ(settings.tls.min_version, "1.3");
  ASSERT_TRUE(settings.tls.sni.contains("mx.acme.example"));
  EXPECT_EQ(settings.tls.sni.at("mx.acme.example")[0].key, "/etc/sallyport/tls/acme/privkey.pem");
  ASSERT_EQ(settings.dns.servers.size(), 2u);
  EXPECT_EQ(settings.dns.servers[1].to_string(), "192.0.2.53:53");
  EXPECT_EQ(settings.dns.timeout, seconds(3));
  EXPECT_EQ(settings.limits.message_size, 25u << 20);
  EXPECT_EQ(settings.timeouts.command, seconds(60));
  const UpstreamSettings& upstream = settings.upstreams.at("exchange");
  EXPECT_EQ(upstream.servers.size(), 2u);
  EXPECT_EQ(upstream.balance, Balance::failover);
  EXPECT_EQ(upstream.tls.mode, tls::UpstreamTls::verify);
  EXPECT_EQ(upstream.tls.name, "mail.acme.example");
  EXPECT_EQ(upstream.tls.ca_file, "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(upstream.max_connections, 7u);
  EXPECT_EQ(settings.tenants.at("default").domains, (std::vector<std::string>{"acme.example", "*.acme.example"}));
  EXPECT_EQ(settings.tenants.at("default").upstream, "exchange");
  EXPECT_EQ(settings.policy.of(policies::dnsbl_section).mode, policies::Mode::shadow);
  EXPECT_EQ(settings.policy.of(policies::dnsbl_section).reject_at, 4.0);
  EXPECT_EQ(settings.policy.of(policies::dnsbl_section).zones.at("white.dnsbl.example").score, -5.0);
  EXPECT_EQ(settings.policy.of(policies::dnsbl_section).zones.at("white.dnsbl.example").self_test,
            policies::SelfTest::on);
  EXPECT_FALSE(settings.policy.of(policies::rate_section).connect_per_ip);
  EXPECT_EQ(settings.policy.of(policies::rate_section).mail_per_ip, (Rate{3, std::chrono::minutes(1), 3}));
  EXPECT_EQ(settings.policy.of(policies::rate_section).proven_mail_per_ip, (Rate{3, std::chrono::minutes(1), 3}));
  EXPECT_EQ(settings.policy.of(policies::rate_section).rcpt_per_ip, (Rate{1000, std::chrono::hours(1), 1000}));
  EXPECT_EQ(settings.policy.of(lua::rules_section).path, "/etc/rules");
  EXPECT_EQ(settings.policy.of(lua::rules_section).mode, policies::Mode::enforce);
  EXPECT_EQ(settings.policy.of(lua::rules_section).on_error, lua::OnError::skip);
  EXPECT_EQ(settings.policy.of(policies::actions_section).tag, 1.0);
  EXPECT_EQ(settings.state.path, "/tmp/state");
  EXPECT_EQ(settings.log.format, LogFormat::json);
  EXPECT_EQ(settings.log.target, "file:/etc/sp.log");
  EXPECT_EQ(settings.log.level, LogLevel::debug);
}

TEST(Load, TheMostSpecificModeWins) {
  const Loaded plain = good(minimal);
  EXPECT_EQ(plain.settings->policy.of(policies::helo_section).mode, policies::Mode::enforce);
  const Loaded off = good(minimal + "[policy]\nmode = \"off\"\nhelo.mode = \"shadow\"\n");
  EXPECT_EQ(off.settings->policy.of(policies::helo_section).mode, policies::Mode::shadow);
  EXPECT_EQ(off.settings->policy.of(policies::dnsbl_section).mode, policies::Mode::off);
  EXPECT_EQ(off.settings->policy.of(lua::rules_section).mode, policies::Mode::off);
  EXPECT_EQ(off.origin_of("policy.dnsbl.mode").to_string(), "/etc/m.toml:5:1");
}

TEST(Load, AZoneWithoutScoreTakesTheListsScore) {
  const Loaded loaded = good(minimal + "[policy.dnsbl]\nscore = 3.0\nzones.\"a.example\" = {}\n");
  EXPECT_EQ(loaded.settings->policy.of(policies::dnsbl_section).zones.at("a.example").score, 3.0);
}

TEST(Load, NameServersOfTheSystem) {
  const Loaded loaded = good(minimal, {{"/etc/resolv.conf", "nameserver 192.0.2.9\n"}});
  ASSERT_EQ(loaded.settings->dns.servers.size(), 1u);
  EXPECT_EQ(loaded.settings->dns.servers[0].to_string(), "192.0.2.9:53");
  EXPECT_EQ(loaded.origin_of("dns.servers").to_string(), "/etc/resolv.conf");
  EXPECT_EQ(good(minimal).settings->dns.servers.at(0).to_string(), "127.0.0.1:53");
}

TEST(Load, SugarBesideItsTable) {
  const Loaded loaded =
      good(minimal + "[upstreams.default]\ntls = \"off\"\n[tenants.default]\nupstream = \"default\"\n");
  EXPECT_EQ(loaded.settings->upstreams.at("default").tls.mode, tls::UpstreamTls::off);
  EXPECT_EQ(loaded.settings->upstreams.at("default").servers.size(), 1u);
}

TEST(Load, SugarAndItsKeyAtOnce) {
  EXPECT_THAT(
      errors_of(minimal + "[upstreams.default]\nservers = [\"10.0.0.6:25\"]\n"),
      ElementsAre("/etc/m.toml:3:1: error: upstream is short for upstreams.default.servers, which is already set at "
                  "/etc/m.toml:5:1"));
  EXPECT_THAT(
      errors_of(minimal + "[tenants.default]\ndomains = [\"a.example\"]\n"),
      ElementsAre("/etc/m.toml:2:1: error: domains is short for tenants.default.domains, which is already set at "
                  "/etc/m.toml:5:1"));
}

TEST(Load, WhatMustBeThere) {
  EXPECT_THAT(errors_of(""),
              ElementsAre(HasSubstr("/etc/m.toml:1:1: error: upstream is required"),
                          HasSubstr("/etc/m.toml:1:1: error: hostname is required: expected a domain name like"),
                          HasSubstr("/etc/m.toml:1:1: error: domains is required: expected a list of domains")));
  EXPECT_THAT(errors_of(minimal + "[upstreams.b]\nbalance = \"failover\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:4:12: error: upstreams.b.servers is required")));
}

TEST(Load, AllErrorsInOneRunInTheOrderOfTheFile) {
  const std::string text = minimal +
                           "wokers = 2\n"
                           "[limits]\n"
                           "message_size = 5\n"
                           "recipeints = 1\n"
                           "hops = \"many\"\n"
                           "[timeouts]\n"
                           "command = \"5 seconds\"\n"
                           "[upstreams.exchange]\n"
                           "servers = [\"mail.example:0\"]\n"
                           "[tenants.default]\n"
                           "upstream = \"exchnge\"\n";
  EXPECT_THAT(
      errors_of(text),
      ElementsAre(
          "/etc/m.toml:4:1: error: unknown key \"wokers\"; did you mean \"workers\"?",
          "/etc/m.toml:6:16: error: 5 is out of range: 1KiB to 4GiB",
          "/etc/m.toml:7:1: error: unknown key \"recipeints\" in [limits]; did you mean \"recipients\"?",
          "/etc/m.toml:8:8: error: expected an integer, not a text \"many\"",
          "/etc/m.toml:10:11: error: expected a duration like \"5s\", not a text \"5 seconds\"; did you mean \"5s\"?",
          HasSubstr("/etc/m.toml:12:12: error: expected a list of servers like"),
          "/etc/m.toml:14:1: error: there is no upstream named \"exchnge\"; did you mean \"exchange\"?"));
}

TEST(Load, ASocketHasNoNameThatACertificateCouldBear) {
  const std::string text = minimal +
                           "[upstreams.inside]\n"
                           "servers = [\"10.0.0.5:25\", \"unix:/run/smtp\"]\n"
                           "tls = \"verify\"\n";
  EXPECT_THAT(
      errors_of(text),
      ElementsAre("/etc/m.toml:6:1: error: tls = \"verify\" needs tls_name for unix:/run/smtp, which has no name "
                  "of its own"));
  EXPECT_THAT(errors_of(text + "tls_name = \"mail.example\"\n"), testing::IsEmpty());
}

TEST(Load, AKeyOfAnotherSection) {
  EXPECT_THAT(
      errors_of(minimal + "message_size = \"1MiB\"\n"),
      ElementsAre("/etc/m.toml:4:1: error: unknown key \"message_size\"; did you mean \"limits.message_size\"?"));
}

TEST(Load, WhatSpfLeadsTo) {
  const Loaded plain = good(minimal);
  EXPECT_EQ(plain.settings->policy.of(policies::spf_section).on_fail, policies::SpfAction::score);
  EXPECT_EQ(plain.settings->policy.of(policies::spf_section).on_temperror, policies::SpfAction::none);
  const Loaded strict = good(minimal + "[policy.spf]\non_fail = \"reject\"\non_temperror = \"tempfail\"\nscore = 4\n");
  EXPECT_EQ(strict.settings->policy.of(policies::spf_section).on_fail, policies::SpfAction::reject);
  EXPECT_EQ(strict.settings->policy.of(policies::spf_section).on_temperror, policies::SpfAction::tempfail);
  EXPECT_EQ(strict.settings->policy.of(policies::spf_section).score, 4.0);
  EXPECT_THAT(errors_of(minimal + "[policy.spf]\non_softfail = \"refuse\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:15: error: expected")));
}

TEST(Load, TheReverseNameIsOffByItself) {
  EXPECT_EQ(good(minimal).settings->policy.of(policies::rdns_section).mode, policies::Mode::off);
  EXPECT_EQ(good(minimal + "[policy]\nmode = \"enforce\"\n").settings->policy.of(policies::rdns_section).mode,
            policies::Mode::enforce);
}

TEST(Load, WhatIsNotBuiltIsUnknown) {
  EXPECT_THAT(errors_of(minimal + "[policy.greylist]\ndelay = \"5m\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:4:9: error: unknown key \"greylist\" in [policy]")));
  EXPECT_THAT(errors_of(minimal + "quarantine = \"on\"\n"),
              ElementsAre(HasSubstr("error: unknown key \"quarantine\"")));
}

TEST(Load, TablesAndValuesAreNotTheSame) {
  EXPECT_THAT(errors_of(minimal + "limits = 5\n"),
              ElementsAre("/etc/m.toml:4:10: error: [limits] is a table of settings, such as { allow_routed_local = "
                          "... }, not an integer"));
  EXPECT_THAT(errors_of(minimal + "[listen]\naddress = \"0.0.0.0:25\"\n"),
              ElementsAre(HasSubstr("\"listen\" is an array of tables: write [[listen]]")));
  EXPECT_THAT(errors_of(minimal + "[hostname]\n").size(), 1u);
  EXPECT_THAT(
      errors_of(minimal + "[upstreams]\nb = \"10.0.0.5:25\"\n"),
      ElementsAre(
          "/etc/m.toml:5:5: error: [upstreams.b] is a table of settings, such as { servers = ... }, not a text"));
}

TEST(Load, SyntaxErrorsStandAlone) {
  EXPECT_THAT(errors_of("hostname = \n"), ElementsAre(HasSubstr("/etc/m.toml:1:")));
}

TEST(Load, AFileThatIsNotThere) {
  const auto loaded = load("/etc/none.toml", MemoryFiles({}));
  ASSERT_FALSE(loaded);
  ASSERT_EQ(loaded.error().size(), 1u);
  EXPECT_EQ(loaded.error()[0].to_string(), "/etc/none.toml: error: cannot read: No such file or directory");
}

TEST(Load, IncludedFilesAreDisjointAndHaveTheirOwnDirectory) {
  const std::string main = "include = [\"tenants/*.toml\", \"upstreams.toml\"]\nhostname = \"mx1.example.com\"\n";
  const std::map<std::string, std::string> others{
      {"/etc/tenants/a.toml", "[tenants.default]\ndomains = [\"a.example\"]\n[tls]\ncert = \"mx\"\n"},
      {"/etc/tenants/b.toml", "[policy.rules]\npath = \"../rules\"\n"},
      {"/etc/upstreams.toml", "[upstreams.default]\nservers = [\"10.0.0.5:25\"]\n"}};
  const Loaded loaded = good(main, others);
  EXPECT_EQ(loaded.settings->tls.certificates.at(0).chain, "/etc/tenants/mx/fullchain.pem");
  EXPECT_EQ(loaded.settings->policy.of(lua::rules_section).path, "/etc/rules");
  EXPECT_EQ(loaded.origin_of("upstreams.default.servers").to_string(), "/etc/upstreams.toml:2:1");

  auto twice = others;
  twice["/etc/tenants/c.toml"] = "hostname = \"other.example\"\n";
  EXPECT_THAT(errors_of(main, twice),
              ElementsAre("/etc/tenants/c.toml:1:1: error: hostname is already set at /etc/m.toml:2:1"));
}

TEST(Load, ListenersOfTwoFilesAreTheSameKeyTwice) {
  EXPECT_THAT(errors_of("include = [\"l.toml\"]\n" + minimal + "[[listen]]\naddress = \"127.0.0.1:25\"\n",
                        {{"/etc/l.toml", "[[listen]]\naddress = \"127.0.0.1:26\"\n"}}),
              ElementsAre(HasSubstr("[[listen]] is already set at /etc/m.toml:5:")));
}

TEST(Load, IncludesThatAreMissingBrokenOrCircular) {
  EXPECT_THAT(errors_of("include = [\"none.toml\"]\n" + minimal),
              ElementsAre("/etc/none.toml: error: cannot read: No such file or directory"));
  EXPECT_THAT(errors_of("include = [\"none/*.toml\"]\n" + minimal), IsEmpty());
  // What the broken file would have said is not missing.
  EXPECT_THAT(errors_of("include = [\"b.toml\"]\n", {{"/etc/b.toml", "hostname = \n"}}),
              ElementsAre(HasSubstr("/etc/b.toml:1:")));
  EXPECT_THAT(errors_of("include = [\"*.toml\"]\n" + minimal, {{"/etc/b.toml", "include = [\"m.toml\"]\n"}}),
              IsEmpty());
}

TEST(Load, AListenerForMtas) {
  const std::string milter = "[[listen]]\nprotocol = \"milter\"\n";
  const std::string bare = "hostname = \"mx.example.com\"\ndomains = [\"example.com\"]\n";
  EXPECT_THAT(errors_of(bare + milter), IsEmpty()) << "whoever relays nothing needs no upstream";
  EXPECT_THAT(errors_of(bare + milter + "[[listen]]\naddress = \"0.0.0.0:25\"\n"),
              ElementsAre(HasSubstr("upstream is required")));
  const Loaded loaded = good(bare + milter);
  EXPECT_TRUE(is_milter_alone(*loaded.settings));
  const auto& from = loaded.settings->listen[0].milter_from;
  const auto is_let_in = [&from](std::string_view address) {
    return std::any_of(from.begin(), from.end(),
                       [&](const IpNetwork& network) { return network.contains(*IpAddress::parse(address)); });
  };
  EXPECT_TRUE(is_let_in("127.0.0.1") && is_let_in("::1"));
  EXPECT_FALSE(is_let_in("192.0.2.1") || is_let_in("10.0.0.1") || is_let_in("::2"));
  for (const std::string key :
       {"tls = \"off\"", "require_tls = true", "bare_newline = \"reject\"", "proxy_protocol_from = [\"10.0.0.0/8\"]",
        "xclient_from = [\"10.0.0.0/8\"]", "client_cert = \"ask\"", "client_ca = \"ca.pem\""}) {
    EXPECT_THAT(errors_of(bare + milter + key + "\n"),
                ElementsAre(HasSubstr("/etc/m.toml:5:1: error: " + key.substr(0, key.find(' ')) +
                                      " has no use with protocol = \"milter\"")));
  }
  EXPECT_THAT(errors_of(minimal + "[[listen]]\nmilter_from = [\"10.0.0.0/8\"]\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:1: error: milter_from has no use")));
}

TEST(Load, PartsThatDoNotFit) {
  EXPECT_THAT(errors_of(minimal + "[[listen]]\ntls = \"implicit\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:1: error: this listener cannot do without TLS")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\ntls = \"off\"\nrequire_tls = true\n"),
              ElementsAre(HasSubstr("/etc/m.toml:6:1: error: require_tls and tls = \"off\"")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\ntls = \"off\"\nclient_cert = \"ask\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:6:1: error: client_cert has no use with tls = \"off\"")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\nclient_ca = \"ca.pem\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:1: error: client_ca has no use while client_cert is \"off\"")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\nclient_cert = \"demand\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:15: error: ")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\naddress = \"0.0.0.0:25\"\n[[listen]]\naddress = \"0.0.0.0:25\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:7:1: error: 0.0.0.0:25 is already listened on, by the entry at "
                                    "/etc/m.toml:5:1")));
  for (const char* figures : {"192.0.2.1:2526", "0.0.0.0:2526", "[::]:2526"}) {
    const std::string admin = std::string("[admin]\nlisten = \"") + figures + "\"\n";
    EXPECT_THAT(errors_of(minimal + "[[listen]]\naddress = \"192.0.2.1:2526\"\n" + admin),
                ElementsAre(HasSubstr("/etc/m.toml:7:1: error: " + std::string(figures) +
                                      " is where mail is taken, by the entry at /etc/m.toml:5:1")));
    EXPECT_THAT(errors_of(minimal + "[[listen]]\naddress = \"192.0.2.1:2525\"\n" + admin), IsEmpty());
  }
  EXPECT_THAT(errors_of(minimal + "[admin]\nlisten = \"127.0.0.1:25\"\n"),  // and [[listen]] has its default, [::]:25
              ElementsAre(HasSubstr("is where mail is taken")));
  EXPECT_THAT(errors_of(minimal + "[[listen]]\naddress = \"192.0.2.1:25\"\n[admin]\nlisten = \"192.0.2.2:25\"\n"),
              IsEmpty());
  EXPECT_THAT(errors_of(minimal + "[tls]\nsni.\"a.example\".cert = \"x\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:17: error: tls.cert is required beside tls.sni")));
  EXPECT_THAT(errors_of(minimal + "[limits]\nunknown_recipients = 50\n"),
              ElementsAre(HasSubstr("/etc/m.toml:5:1: error: limits.unknown_recipients_close (20) is smaller")));
}

TEST(Load, ReportsNeedASenderAndSomebodyToTakeThem) {
  const std::string on = minimal + "[policy.dmarc.report]\nenabled = true\n";
  EXPECT_THAT(errors_of(on), ElementsAre(HasSubstr("/etc/m.toml:5:1: error: policy.dmarc.report needs `from`")));
  EXPECT_THAT(errors_of(on + "from = \"dmarc@example.com\"\n"), testing::IsEmpty());
  EXPECT_THAT(errors_of(on + "from = \"a b@example.com\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:6:1: error: \"a b@example.com\" is no mail address")));
  EXPECT_THAT(errors_of(on + "from = \"dmarc@example.com\"\nupstream = \"out\"\n"),
              ElementsAre(HasSubstr("/etc/m.toml:7:1: error: there is no upstream named \"out\"")));
  EXPECT_THAT(errors_of(on + "from = \"dmarc@example.com\"\n[policy.dmarc]\nmode = \"off\"\n"),
              ElementsAre(HasSubstr("there is nothing to report while policy.dmarc.mode is \"off\"")));
}

TEST(Load, NamesOfTheAdministratorsChoice) {
  EXPECT_THAT(errors_of(minimal + "[upstreams.\"a b\"]\nservers = [\"10.0.0.5:25\"]\n"),
              ElementsAre(HasSubstr("\"a b\" cannot be a name here")));
  EXPECT_THAT(errors_of(minimal + "[policy.dnsbl.zones.\"not a zone\"]\nscore = 1.0\n"),
              ElementsAre(HasSubstr("is not a domain name")));
  // One name in two spellings is one name.
  EXPECT_THAT(errors_of(minimal + "[policy.dnsbl.zones]\n\"a.example\".score = 1.0\n\"A.example\".score = 2.0\n"),
              ElementsAre(HasSubstr("is already set at /etc/m.toml:5:")));
}

TEST(Load, TheHashIsThatOfTheValues) {
  const std::string hash = good(minimal).hash;
  EXPECT_EQ(hash.size(), 16u);
  EXPECT_EQ(good("# a comment\n" + minimal + "workers = 0\n").hash, hash);
  EXPECT_NE(good(minimal + "workers = 1\n").hash, hash);
}

}  // namespace
}  // namespace sallyport::config
