// check_host(): what a client at an address may send for, by records in a table. The traps are those that
// implementations have fallen into.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policies/spf/evaluate.h"
#include "tests/support/manual_loop.h"
#include "tests/support/table_resolver.h"

namespace sallyport::policies {
namespace {

using dns::Status;
using dns::Type;

class Spf : public ::testing::Test {
 protected:
  SpfFacts::Check check(const std::string& domain = "example.org", const char* ip = "192.0.2.1") {
    spf::Identity identity;
    identity.ip = *IpAddress::parse(ip);
    identity.local = local;
    identity.domain = domain;
    identity.helo = helo;
    identity.receiver = "mx.example.net";
    return loop.run_until_done(spf::evaluate(std::move(identity), resolver, loop.now() + std::chrono::seconds(20)));
  }
  AuthResult result(const std::string& domain = "example.org", const char* ip = "192.0.2.1") {
    return check(domain, ip).result;
  }
  // The result of a record at example.org.
  AuthResult of(const std::string& record, const char* ip = "192.0.2.1") {
    resolver.zone().set("example.org", Type::TXT, Status::ok);
    zone.txt("example.org", record);
    return result("example.org", ip);
  }

  support::ManualLoop loop;
  support::TableResolver resolver;
  support::DnsZone& zone = resolver.zone();
  std::string local = "ann";
  std::string helo = "client.example.org";
};

TEST_F(Spf, HasNoResultForWhatIsNoDomain) {
  for (const std::string& domain : {std::string("localhost"), std::string(""), std::string("[192.0.2.1]"),
                                    std::string("a..example.org"), std::string(64, 'a') + ".example.org",
                                    "a." + std::string(63, 'b') + "." + std::string(63, 'b') + "." +
                                        std::string(63, 'b') + "." + std::string(63, 'b')}) {
    EXPECT_EQ(result(domain), AuthResult::none) << domain;
  }
  EXPECT_TRUE(resolver.asked().empty());
}

TEST_F(Spf, SelectsTheOneRecordAmongOthers) {
  EXPECT_EQ(result(), AuthResult::none);  // NXDOMAIN
  zone.a("example.org", "192.0.2.9");
  EXPECT_EQ(result(), AuthResult::none);  // no TXT
  zone.txt("example.org", "v=spf10 -all");
  zone.txt("example.org", "v=spf1-all");
  zone.txt("example.org", "\x96\xff");
  EXPECT_EQ(result(), AuthResult::none);
  zone.txt("example.org", "V=SpF1 -all");
  EXPECT_EQ(result(), AuthResult::fail);
  zone.txt("example.org", "V=SpF1 -all");
  const auto twice = check();
  EXPECT_EQ(twice.result, AuthResult::permerror);
  EXPECT_EQ(twice.problem, "example.org has more than one SPF record");
  EXPECT_EQ(resolver.count({"example.org", Type::TXT}), resolver.asked().size());  // nothing else, type 99 least of all
}

TEST_F(Spf, CannotSayWhenTheRecordCannotBeHad) {
  for (Status status : {Status::servfail, Status::timeout, Status::budget}) {
    zone.set("example.org", Type::TXT, status);
    const auto found = check();
    EXPECT_EQ(found.result, AuthResult::temperror);
    EXPECT_EQ(found.problem, "TXT of example.org: " + std::string(dns::name(status)));
  }
}

TEST_F(Spf, GivesWhatTheFirstMatchSays) {
  EXPECT_EQ(of("v=spf1"), AuthResult::neutral);
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.2 ?all"), AuthResult::neutral);
  EXPECT_EQ(of("v=spf1 ~ip4:192.0.2.0/24 -all"), AuthResult::softfail);
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.1 -all"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 -all ip4:192.0.2.1"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 -all ip4:192.0.2.1/33"), AuthResult::permerror);  // wrong after what decides is wrong too
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.1 ip6:x -all"), AuthResult::permerror);
}

TEST_F(Spf, SaysWhatDecided) {
  zone.txt("example.org", "v=spf1 include:_spf.example.org -all");
  zone.txt("_spf.example.org", "v=spf1 ip4:192.0.2.0/24 -all");
  auto found = check();
  EXPECT_EQ(found.result, AuthResult::pass);
  EXPECT_EQ(found.mechanism, "include:_spf.example.org");
  EXPECT_EQ(found.lookups, 1u);
  ASSERT_EQ(found.evidence.size(), 2u);
  EXPECT_EQ(found.evidence[1].question, (dns::Question{"_spf.example.org", Type::TXT}));
  EXPECT_TRUE(found.evidence[1].answer.found());
  found = check("example.org", "198.51.100.1");
  EXPECT_EQ(found.mechanism, "-all");
  zone.txt("quiet.example.org", "v=spf1 ip4:192.0.2.2");
  EXPECT_EQ(check("quiet.example.org").mechanism, "");
}

TEST_F(Spf, IncludesOnlyAPass) {
  zone.txt("pass.example.org", "v=spf1 ip4:192.0.2.1 -all");
  zone.txt("fail.example.org", "v=spf1 -all");
  zone.txt("soft.example.org", "v=spf1 ~all");
  zone.txt("neutral.example.org", "v=spf1 ?all");
  zone.txt("broken.example.org", "v=spf1 foo");
  zone.set("slow.example.org", Type::TXT, Status::timeout);
  zone.txt("other.example.org", "v=spfl is no record");
  EXPECT_EQ(of("v=spf1 ~include:pass.example.org -all"), AuthResult::softfail);
  EXPECT_EQ(of("v=spf1 include:fail.example.org ~all"), AuthResult::softfail);
  EXPECT_EQ(of("v=spf1 include:soft.example.org ?all"), AuthResult::neutral);
  EXPECT_EQ(of("v=spf1 include:neutral.example.org -all"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 include:broken.example.org -all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 include:slow.example.org -all"), AuthResult::temperror);
  EXPECT_EQ(of("v=spf1 include:other.example.org -all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 include:nowhere.example.org -all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.1 include:nowhere.example.org -all"), AuthResult::pass);  // not reached
}

TEST_F(Spf, ComesBackFromDeepInside) {
  zone.txt("a.example.org", "v=spf1 include:b.example.org -all");
  zone.txt("b.example.org", "v=spf1 include:c.example.org ip4:192.0.2.7 -all");
  zone.txt("c.example.org", "v=spf1 redirect=d.example.org");
  zone.txt("d.example.org", "v=spf1 ip4:192.0.2.1 -all");
  EXPECT_EQ(of("v=spf1 ?include:a.example.org -all", "192.0.2.1"), AuthResult::neutral);
  EXPECT_EQ(result("example.org", "192.0.2.7"), AuthResult::neutral);
  EXPECT_EQ(result("example.org", "192.0.2.9"), AuthResult::fail);
}

TEST_F(Spf, RedirectsWhenNothingMatched) {
  zone.txt("other.example.org", "v=spf1 a -all");
  zone.a("other.example.org", "192.0.2.1");
  zone.a("example.org", "192.0.2.2");
  EXPECT_EQ(of("v=spf1 redirect=other.example.org ip4:192.0.2.9"), AuthResult::pass);  // `a` is of the other domain
  EXPECT_EQ(result("example.org", "192.0.2.2"), AuthResult::fail);
  EXPECT_EQ(check().mechanism, "a");
  EXPECT_EQ(of("v=spf1 redirect=nowhere.example.org"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 redirect=%{h}"), AuthResult::permerror);  // client.example.org has no record
  helo = "no..name";
  EXPECT_EQ(result(), AuthResult::permerror);
  resolver.forget_asked();
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.9 redirect=other.example.org ?all"), AuthResult::neutral);
  EXPECT_EQ(check().lookups, 0u);
  EXPECT_EQ(resolver.count({"other.example.org", Type::TXT}), 0u);
}

TEST_F(Spf, MatchesAddressesOfTheClientsFamily) {
  zone.a("example.org", "192.0.2.200");
  zone.a("example.org", "2001:db8:1234::beef");
  EXPECT_EQ(of("v=spf1 a -all"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 a/24 -all"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 a//64 -all"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 a//64 -all", "2001:db8:1234::1"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 a/24//48 -all", "2001:db8:1234:1::1"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 a/24 -all", "2001:db8:1234::1"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 a/0 -all", "203.0.113.1"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 a//0 -all", "203.0.113.1"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 a//0 -all", "::ffff:203.0.113.1"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 a:nowhere.example.org/0 -all"), AuthResult::fail);  // without an address even /0 has none
}

TEST_F(Spf, LooksAtAllAddresses) {
  for (int i = 1; i <= 13; ++i) zone.a("example.org", "198.51.100." + std::to_string(i));
  zone.a("example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 a -all"), AuthResult::pass);
}

TEST_F(Spf, MatchesExchangersWithoutPretendingOne) {
  zone.a("example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 mx -all"), AuthResult::fail);  // no implicit MX here
  zone.mx("example.org", 10, "mx1.example.org");
  zone.mx("example.org", 20, "mx2.example.org");
  zone.a("mx1.example.org", "192.0.2.200");
  EXPECT_EQ(of("v=spf1 mx -all"), AuthResult::fail);
  EXPECT_EQ(of("v=spf1 mx/24 -all"), AuthResult::pass);
  zone.a("mx2.example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 mx -all"), AuthResult::pass);
  zone.mx("null.example.org", 0, "");
  EXPECT_EQ(of("v=spf1 mx:null.example.org"), AuthResult::neutral);
  zone.set("mx1.example.org", Type::A, Status::servfail);
  EXPECT_EQ(of("v=spf1 mx -all"), AuthResult::temperror);
}

TEST_F(Spf, TakesTenExchangersAndNoMore) {
  for (int i = 1; i <= 10; ++i) {
    const std::string name = "mx" + std::to_string(i) + ".example.org";
    zone.mx("example.org", 10, name);
    zone.a(name, "192.0.2." + std::to_string(i));
  }
  EXPECT_EQ(of("v=spf1 mx -all", "192.0.2.10"), AuthResult::pass);
  zone.mx("example.org", 10, "mx11.example.org");
  EXPECT_EQ(of("v=spf1 mx -all"), AuthResult::permerror);
  EXPECT_EQ(check().problem, "more than 10 MX names at example.org");
}

TEST_F(Spf, AsksWhetherThereIsAnARecordWhateverTheFamily) {
  zone.a("four.example.org", "127.0.0.2");
  zone.a("six.example.org", "2001:db8::1");
  zone.set("slow.example.org", Type::A, Status::timeout);
  for (const char* ip : {"192.0.2.1", "2001:db8::1"}) {
    EXPECT_EQ(of("v=spf1 exists:four.example.org -all", ip), AuthResult::pass);
    EXPECT_EQ(of("v=spf1 exists:six.example.org -all", ip), AuthResult::fail);
    EXPECT_EQ(of("v=spf1 exists:slow.example.org -all", ip), AuthResult::temperror);
  }
}

TEST_F(Spf, MatchesConfirmedNamesAtOrBelowTheTarget) {
  zone.ptr("1.2.0.192.in-addr.arpa", "Mail.Example.ORG");
  zone.a("mail.example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 ptr -all"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 ptr:mail.example.org -all"), AuthResult::pass);
  EXPECT_EQ(of("v=spf1 ptr:smtp.mail.example.org -all"), AuthResult::fail);  // never the other way round
  EXPECT_EQ(of("v=spf1 ptr:ample.org -all"), AuthResult::fail);
  zone.ptr("2.2.0.192.in-addr.arpa", "mail.example.org");
  EXPECT_EQ(of("v=spf1 ptr -all", "192.0.2.2"), AuthResult::fail);  // does not lead back
  zone.ptr("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "six.example.org");
  zone.a("six.example.org", "2001:db8::1");
  EXPECT_EQ(of("v=spf1 ptr -all", "2001:db8::1"), AuthResult::pass);
}

TEST_F(Spf, NeverFailsForTheClientsNames) {
  zone.set("1.2.0.192.in-addr.arpa", Type::PTR, Status::servfail);
  EXPECT_EQ(of("v=spf1 ptr -all"), AuthResult::fail);
  zone.ptr("2.2.0.192.in-addr.arpa", "down.example.org");
  zone.ptr("2.2.0.192.in-addr.arpa", "bad name.example.org");
  for (const char* name : {"a", "b", "c", "d"}) zone.ptr("2.2.0.192.in-addr.arpa", std::string(name) + ".example.org");
  zone.ptr("2.2.0.192.in-addr.arpa", "up.example.org");
  zone.set("down.example.org", Type::A, Status::timeout);
  zone.a("up.example.org", "192.0.2.2");
  EXPECT_EQ(of("v=spf1 ptr -all", "192.0.2.2"), AuthResult::pass);
  EXPECT_EQ(check("example.org", "192.0.2.2").void_lookups, 0u);
  EXPECT_EQ(resolver.count({"bad name.example.org", Type::A}), 0u);
}

TEST_F(Spf, LooksAtTheFirstTenNamesOnly) {
  for (int i = 1; i <= 10; ++i) zone.ptr("1.2.0.192.in-addr.arpa", "h" + std::to_string(i) + ".example.org");
  zone.ptr("1.2.0.192.in-addr.arpa", "right.example.org");
  zone.a("right.example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 ptr"), AuthResult::neutral);
  EXPECT_EQ(resolver.count({"right.example.org", Type::A}), 0u);
}

TEST_F(Spf, PrefersTheNameNearestToTheDomain) {
  zone.ptr("1.2.0.192.in-addr.arpa", "else.example.net");
  zone.ptr("1.2.0.192.in-addr.arpa", "mail.example.org");
  for (const char* name : {"else.example.net", "mail.example.org"}) zone.a(name, "192.0.2.1");
  zone.a("mail.example.org.ok.example.com", "127.0.0.2");
  EXPECT_EQ(of("v=spf1 exists:%{p}.ok.example.com -all"), AuthResult::pass);
  EXPECT_EQ(resolver.count({"else.example.net", Type::A}), 0u);  // not needed, not asked
  EXPECT_EQ(check().lookups, 2u);                                // the term, and the PTR question of its macro
  zone.a("unknown.ok.example.com", "127.0.0.2");
  EXPECT_EQ(of("v=spf1 exists:%{p}.ok.example.com -all", "192.0.2.9"), AuthResult::pass);
}

TEST_F(Spf, CountsTermsThatAskOverAllRecords) {
  zone.a("a.example.org", "198.51.100.1");
  std::string ten = "v=spf1";
  for (int i = 0; i < 10; ++i) ten += " a:a.example.org";
  EXPECT_EQ(of(ten + " ip4:192.0.2.1 -all"), AuthResult::pass);
  EXPECT_EQ(check().lookups, 10u);
  EXPECT_EQ(of(ten + " a:a.example.org ip4:192.0.2.1 -all"), AuthResult::permerror);
  EXPECT_EQ(check().problem, "more than 10 terms that ask the DNS");
  zone.txt("ten.example.org", ten + " -all");
  EXPECT_EQ(of("v=spf1 include:ten.example.org ?all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 ip4:192.0.2.1 include:ten.example.org"), AuthResult::pass);  // only what is evaluated counts
}

TEST_F(Spf, EndsLoops) {
  EXPECT_EQ(of("v=spf1 include:example.org -all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 redirect=example.org"), AuthResult::permerror);
  EXPECT_EQ(check().lookups, 11u);
  EXPECT_EQ(check().evidence.size(), 11u);
}

TEST_F(Spf, TakesTwoVoidLookUpsAndNoMore) {
  zone.a("v6only.example.org", "2001:db8::1");
  EXPECT_EQ(of("v=spf1 a:gone1.example.org exists:v6only.example.org ip4:192.0.2.1"), AuthResult::pass);
  EXPECT_EQ(check().void_lookups, 2u);
  EXPECT_EQ(of("v=spf1 a:gone1.example.org mx:gone2.example.org exists:gone3.example.org ip4:192.0.2.1"),
            AuthResult::permerror);
  EXPECT_EQ(check().problem, "more than 2 void look-ups");
  EXPECT_EQ(of("v=spf1 ptr a:gone1.example.org a:gone2.example.org -all"), AuthResult::permerror);
  EXPECT_EQ(of("v=spf1 a:gone1.example.org a:gone2.example.org exp=gone3.example.org -all"), AuthResult::fail);
}

// D12
TEST_F(Spf, CountsVoidLookUpsByTerm) {
  for (int i = 0; i < 7; ++i) zone.mx("many.example.org", 10, "gone" + std::to_string(i) + ".example.org");
  EXPECT_EQ(of("v=spf1 mx:many.example.org ip4:192.0.2.1 -all"), AuthResult::pass);
  EXPECT_EQ(check().void_lookups, 1u) << "seven hosts, one term";
  EXPECT_EQ(of("v=spf1 mx:many.example.org mx:many.example.org mx:many.example.org ip4:192.0.2.1"),
            AuthResult::permerror);
  zone.a("gone3.example.org", "198.51.100.1");
  EXPECT_EQ(of("v=spf1 mx:many.example.org ip4:192.0.2.1 -all"), AuthResult::pass);
  EXPECT_EQ(check().void_lookups, 0u);
}

TEST_F(Spf, TakesNoVoidLookUpForTheOtherFamily) {
  std::string record = "v=spf1 mx:hosts.example.org";
  for (const char* name : {"h1", "h2", "h3", "h4", "h5"}) {
    const std::string host = std::string(name) + ".example.org";
    zone.a(host, "198.51.100.1");
    zone.mx("hosts.example.org", 10, host);
    record += " a:" + host;
  }
  EXPECT_EQ(of(record + " ip6:2001:db8::1 -all", "2001:db8::1"), AuthResult::pass);
  EXPECT_EQ(check("example.org", "2001:db8::1").void_lookups, 0u);
  zone.a("six.example.org", "2001:db8::7");
  EXPECT_EQ(of("v=spf1 a:six.example.org a:six.example.org a:six.example.org ip4:192.0.2.1"), AuthResult::pass);
  zone.set("h1.example.org", Type::A, Status::servfail);
  EXPECT_EQ(of("v=spf1 a:h1.example.org ip6:2001:db8::1", "2001:db8::1"), AuthResult::pass) << "it was not needed";
  zone.txt("empty.example.org", "nothing but this");  // a name without any address
  EXPECT_EQ(of("v=spf1 a:empty.example.org a:empty.example.org a:empty.example.org ip6:2001:db8::1", "2001:db8::1"),
            AuthResult::permerror);
}

TEST_F(Spf, GivesUpAtTheDeadline) {
  support::TableResolver slow(zone, loop.scheduler(), std::chrono::seconds(3));
  slow.zone().txt("example.org", "v=spf1 include:example.org -all");
  spf::Identity identity;
  identity.ip = *IpAddress::parse("192.0.2.1");
  identity.domain = "example.org";
  const Time began = loop.now();
  const auto found = loop.run_until_done(spf::evaluate(std::move(identity), slow, began + std::chrono::seconds(20)));
  EXPECT_EQ(found.result, AuthResult::temperror);
  EXPECT_EQ(found.problem, "TXT of example.org: timeout");
  // To the turn of the timer wheel.
  EXPECT_GE(loop.now() - began, std::chrono::seconds(20));
  EXPECT_LT(loop.now() - began, std::chrono::seconds(21));
}

TEST_F(Spf, ExplainsAFailInThePublishersWords) {
  zone.txt("why.example.org", "%{i} may not send for %{o}. See http://example.org/?l=%{L}");
  EXPECT_EQ(of("v=spf1 exp=why.%{d} -all"), AuthResult::fail);
  EXPECT_EQ(check().explanation, "192.0.2.1 may not send for example.org. See http://example.org/?l=ann");
  EXPECT_EQ(check().lookups, 0u);
  EXPECT_EQ(of("v=spf1 exp=why.%{d} ~all"), AuthResult::softfail);
  EXPECT_EQ(check().explanation, "");
}

TEST_F(Spf, TakesTheExplanationOfTheRecordThatDecides) {
  zone.txt("why.example.org", "outer");
  zone.txt("why.other.example.org", "inner");
  zone.txt("other.example.org", "v=spf1 exp=why.%{d} -all");
  of("v=spf1 exp=why.%{d} include:other.example.org -all");
  EXPECT_EQ(check().explanation, "outer");
  of("v=spf1 exp=why.%{d} redirect=other.example.org");
  EXPECT_EQ(check().explanation, "inner");
  zone.txt("silent.example.org", "v=spf1 -all");
  of("v=spf1 exp=why.%{d} redirect=silent.example.org");
  EXPECT_EQ(check().explanation, "");
}

TEST_F(Spf, DoesWithoutAnExplanationThatIsWrong) {
  zone.txt("two.example.org", "one");
  zone.txt("two.example.org", "two");
  zone.txt("bad.example.org", "the %{x}-files");
  zone.txt("utf8.example.org", "caf\xc3\xa9");
  zone.set("slow.example.org", Type::TXT, Status::timeout);
  for (const char* where : {"two", "bad", "utf8", "slow", "gone", "%{h}"}) {
    helo = "no..name";
    EXPECT_EQ(of(std::string("v=spf1 -all exp=") + where + (*where == '%' ? "" : ".example.org")), AuthResult::fail);
    EXPECT_EQ(check().explanation, "") << where;
    EXPECT_EQ(check().problem, "") << where;
  }
}

TEST_F(Spf, CutsALongExplanation) {
  zone.txt("long.example.org", std::string(5000, 'x'));
  EXPECT_EQ(of("v=spf1 -all exp=long.example.org"), AuthResult::fail);
  EXPECT_EQ(check().explanation, std::string(400, 'x'));
}

TEST_F(Spf, FiltersTheExplanation) {
  zone.txt("why.example.org", "%{h} and " + std::string(600, 'x') + ".");
  helo = "evil\r\nRCPT TO:<x>\x80";
  of("v=spf1 exp=why.example.org -all");
  const std::string words = check().explanation;
  EXPECT_TRUE(words.starts_with("evil??RCPT TO:<x>? and xxx")) << words;
  EXPECT_EQ(words.size(), 400u);
}

TEST_F(Spf, FindsTheClientsNameForAnExplanationFreeOfCharge) {
  zone.ptr("1.2.0.192.in-addr.arpa", "mail.example.org");
  zone.a("mail.example.org", "192.0.2.1");
  zone.txt("why.example.org", "connect from %{p}");
  of("v=spf1 a:gone1.example.org a:gone2.example.org exp=why.%{d} -all");
  EXPECT_EQ(check().explanation, "connect from mail.example.org");
  EXPECT_EQ(check().lookups, 2u);
  EXPECT_EQ(check("example.org", "192.0.2.9").explanation, "connect from unknown");
}

TEST_F(Spf, LetsGarbageInAGreetingNameNothing) {
  zone.a("client.example.org", "192.0.2.1");
  EXPECT_EQ(of("v=spf1 a:%{H} -all"), AuthResult::pass);
  for (const char* garbage : {"OEMCOMPUTER", "[192.0.2.1]", "JUMPIN' JUPITER", "%%%%", "..", ""}) {
    helo = garbage;
    EXPECT_EQ(result(), AuthResult::fail) << garbage;
  }
}

TEST_F(Spf, TakesALocalPartAsItIs) {
  local = "Macro Error";
  zone.txt("why.example.org", "%{l} in implementation");
  of("v=spf1 exp=why.example.org -all");
  EXPECT_EQ(check().explanation, "Macro Error in implementation");
}

// RFC 8616, 4.
TEST_F(Spf, MatchesNothingByALocalPartThatIsNotAscii) {
  local = "\xc3\xa9milie";
  zone.a("x.example.org", "192.0.2.1");
  zone.txt("anyone.example.org", "v=spf1 +all");
  EXPECT_EQ(of("v=spf1 exists:%{l}.example.org a:%{S}.example.org include:%{l1}.example.org ?all"),
            AuthResult::neutral);
  EXPECT_EQ(of("v=spf1 redirect=%{l}.example.org"), AuthResult::neutral);
  EXPECT_EQ(of("v=spf1 a:x.example.org -all"), AuthResult::pass);
  zone.txt("why.example.org", "not %{l}");
  EXPECT_EQ(of("v=spf1 exp=why.example.org -all"), AuthResult::fail);
  EXPECT_EQ(check().explanation, "");
  for (const auto& question : resolver.asked()) EXPECT_EQ(question.name.find('\xc3'), std::string::npos);
}

TEST_F(Spf, TrimsWhatMacrosMakeTooLong) {
  const std::string name = "somewhat.long.domain.example.org";
  std::string target;
  for (int i = 0; i < 8; ++i) target += "%{d}.";
  std::string trimmed = name;
  while (trimmed.size() + name.size() + 1 <= 253 - 12) trimmed += "." + name;
  zone.txt(name, "v=spf1 exists:" + target + "example.org -all");
  result(name);
  ASSERT_EQ(resolver.asked().size(), 2u);
  const std::string& asked = resolver.asked()[1].name;
  EXPECT_LE(asked.size(), 253u);
  EXPECT_TRUE(asked.ends_with(trimmed + ".example.org")) << asked;
}

TEST_F(Spf, NeedsNoMoreThanAFixedNumberOfQuestions) {
  // The worst that one record can ask for: ten times an MX with ten names that have addresses.
  for (int i = 0; i < 10; ++i) {
    const std::string name = "mx" + std::to_string(i) + ".example.org";
    zone.mx("example.org", 10, name);
    zone.a(name, "198.51.100.1");
  }
  std::string record = "v=spf1";
  for (int i = 0; i < 20; ++i) record += " mx/32";
  EXPECT_EQ(of(record), AuthResult::permerror);
  EXPECT_EQ(resolver.asked().size(), 1u + 10u * 11u);
}

}  // namespace
}  // namespace sallyport::policies
