// The verdict on a listed client, from the facts alone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "policies/dnsbl/dnsbl.h"
#include "policies/lists/list_text.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {
namespace {

constexpr const char* zen = "zen.dnsbl.example";

// The facts of one hit of each list, and settings with a score for each: the two halves of a listing.
struct Listed {
  explicit Listed(const std::vector<double>& scores) {
    for (std::size_t i = 0; i < scores.size(); ++i) add(std::string("list") + std::to_string(i), scores[i]);
  }
  void add(const std::string& zone, double score) {
    facts.hits.push_back({{zone, zone}, {"127.0.0.2"}});
    settings.zones[zone].score = score;
  }
  std::vector<Verdict> at(Stage stage, const Transaction& mail) const {
    return judge(dnsbl_entry, stage, mail, facts_with(facts), settings);
  }

  DnsblFacts facts;
  DnsblSettings settings;
};

Transaction mail_to(const std::string& local, const std::string& domain) {
  Transaction mail = mail_of("192.0.2.1");
  mail.rcpt = address(local, domain);
  return mail;
}

// The one that refuses; without one, a verdict that says nothing.
Verdict refusal_among(const std::vector<Verdict>& said) {
  for (const Verdict& verdict : said) {
    if (verdict.action == Action::reject) return verdict;
  }
  return {};
}

double sum_of_scores(const std::vector<Verdict>& said) {
  double sum = 0;
  for (const Verdict& verdict : said) sum += verdict.score;
  return sum;
}

TEST(JudgeDnsbl, RefusesAtTheThreshold) {
  Listed listed({});
  listed.add(zen, 8);
  listed.facts.hits[0].codes = {"127.0.0.2", "127.0.0.4"};
  const Verdict verdict = only(listed.at(Stage::rcpt, mail_to("bob", "example.com")));
  EXPECT_EQ(verdict.action, Action::reject);
  EXPECT_EQ(verdict.code, 550);
  EXPECT_EQ(verdict.dsn, "5.7.1");
  EXPECT_EQ(verdict.rule, zen);
  EXPECT_EQ(verdict.text, "Listed by zen.dnsbl.example");
  EXPECT_EQ(verdict.because, "zen.dnsbl.example=127.0.0.2,127.0.0.4(8): sum 8 of 8");
  EXPECT_EQ(verdict.score, 8);
}

TEST(JudgeDnsbl, ScoresByCode) {
  Listed listed({});
  listed.add(zen, 99);
  DnsblZone& zone = listed.settings.zones[zen];
  zone.codes = {{*parse_reply_range("127.0.0.2-127.0.0.9"), 8},
                {*parse_reply_range("127.0.0.4"), 1.5},
                {*parse_reply_range("127.0.0.10-127.0.0.11"), 3},
                {*parse_reply_range("127.0.0.30"), -4}};
  const auto score = [&](std::vector<std::string> codes) {
    listed.facts.hits[0].codes = std::move(codes);
    double sum = 0;
    for (const Verdict& said : listed.at(Stage::message, mail_to("bob", "example.com"))) sum += said.score;
    return sum;
  };
  listed.settings.reject_at = 100;
  EXPECT_DOUBLE_EQ(score({"127.0.0.3"}), 8);
  EXPECT_DOUBLE_EQ(score({"127.0.0.3", "127.0.0.9"}), 8) << "one range counts once";
  EXPECT_DOUBLE_EQ(score({"127.0.0.4"}), 1.5) << "the narrowest range";
  EXPECT_DOUBLE_EQ(score({"127.0.0.3", "127.0.0.4", "127.0.0.11"}), 12.5);
  EXPECT_DOUBLE_EQ(score({"127.0.0.30", "127.0.0.10"}), -1);
  EXPECT_DOUBLE_EQ(score({"127.0.0.12"}), 0) << "no code of the table, though in the list's reply";
  zone.codes.clear();
  EXPECT_DOUBLE_EQ(score({"127.0.0.12"}), 99);
}

TEST(JudgeDnsbl, SaysWhatTheAdministratorHasWritten) {
  Listed listed({});
  listed.add(zen, 8);
  Transaction mail = mail_to("bob", "example.com");
  mail.from = address("ann",
                      "b\xc3\xbc"
                      "cher.example");
  const auto text = [&](const char* configured) {
    listed.settings.zones[zen].text = configured;
    return refusal_among(listed.at(Stage::rcpt, mail)).text;
  };
  EXPECT_EQ(text(""), "Listed by zen.dnsbl.example");
  EXPECT_EQ(text("{list} has {ip}, see https://example.net/?ip={ip}&d={domain}"),
            "zen.dnsbl.example has 192.0.2.1, see https://example.net/?ip=192.0.2.1&d=xn--bcher-kva.example");
  mail.client.ip = *IpAddress::parse("2001:db8::9");
  EXPECT_EQ(text("{ip}"), "2001:db8::9");
  mail.from = MailAddress{};
  EXPECT_EQ(text("from {domain}!"), "from !");
  mail.from = address("ann", std::string(60, 'a') + "." + std::string(60, 'b') + ".example");
  std::string many;
  for (int i = 0; i < 30; ++i) many += "{domain}";
  EXPECT_EQ(text(many.c_str()).size(), max_reply_text);
}

TEST(ListText, IsPrintableAsciiOfABoundedLengthWithKnownPlaceholders) {
  for (const char* good : {"Listed", "{list}{ip}{domain}", "a } b", "100%"})
    EXPECT_FALSE(objection_to_list_text(good)) << good;
  for (const char* bad : {"two\r\nlines", "tab\t", "\xc3\xbc", "{zone}", "{", "{list", "{LIST}", "{ip}{{ip}"}) {
    EXPECT_TRUE(objection_to_list_text(bad)) << bad;
  }
  EXPECT_FALSE(objection_to_list_text(std::string(max_list_text, 'x')));
  EXPECT_TRUE(objection_to_list_text(std::string(max_list_text + 1, 'x')));
}

struct SumCase {
  const char* what;
  std::vector<double> scores;
  Action at_rcpt;
  std::string named;
  std::vector<double> at_message;  // of each list
};

class DnsblSums : public testing::TestWithParam<SumCase> {};

TEST_P(DnsblSums, Decide) {
  const Listed listed(GetParam().scores);
  const std::vector<Verdict> at_rcpt = listed.at(Stage::rcpt, mail_to("bob", "example.com"));
  const Verdict refusal = refusal_among(at_rcpt);
  EXPECT_EQ(refusal.action, GetParam().at_rcpt) << GetParam().what;
  EXPECT_EQ(refusal.text, GetParam().named) << GetParam().what;
  // Each list says its whole score to a recipient that is refused, and nothing to others: the end of the mail comes.
  const std::vector<double>& scores = GetParam().scores;
  ASSERT_EQ(at_rcpt.size(), refusal.action == Action::reject ? scores.size() : 0) << GetParam().what;
  for (std::size_t i = 0; i < at_rcpt.size(); ++i) {
    EXPECT_EQ(at_rcpt[i].rule, "list" + std::to_string(i)) << GetParam().what;
    EXPECT_EQ(at_rcpt[i].score, scores[i]) << GetParam().what;
    EXPECT_FALSE(at_rcpt[i].because.empty()) << GetParam().what;
  }
  const std::vector<Verdict> scored = listed.at(Stage::message, mail_to("bob", "example.com"));
  ASSERT_EQ(scored.size(), GetParam().at_message.size()) << GetParam().what;
  for (std::size_t i = 0; i < scored.size(); ++i) {
    EXPECT_EQ(scored[i].action, Action::none) << GetParam().what;
    EXPECT_EQ(scored[i].rule, "list" + std::to_string(i)) << GetParam().what;
    EXPECT_DOUBLE_EQ(scored[i].score, GetParam().at_message[i]) << GetParam().what << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    JudgeDnsbl, DnsblSums,
    testing::Values(SumCase{"no hit", {}, Action::none, "", {}},  //
                    SumCase{"below", {4, 3.5}, Action::none, "", {4, 3.5}},
                    SumCase{"several make it", {3, 5}, Action::reject, "Listed by list1", {3, 5}},
                    SumCase{"the worst is named", {5, 6, 1}, Action::reject, "Listed by list1", {2, 6, 0}},
                    SumCase{"an allow list saves", {9, -5}, Action::none, "", {9, -5}},
                    SumCase{"an allow list is too weak", {15, -5}, Action::reject, "Listed by list0", {13, -5}},
                    SumCase{"only allowed", {-5}, Action::none, "", {-5}}));

TEST(JudgeDnsbl, AcceptsMailToComplainBy) {
  Listed listed({});
  listed.add(zen, 20);
  struct Case {
    const char* local;
    const char* domain;
    Action action;
  };
  for (const Case& given :
       {Case{"postmaster", "example.com", Action::none}, Case{"PostMaster", "example.com", Action::none},
        Case{"ABUSE", "other.example", Action::none}, Case{"Postmaster", "", Action::none},
        Case{"postmaster2", "example.com", Action::reject}, Case{"abuse.x", "example.com", Action::reject},
        Case{"bob", "postmaster.example", Action::reject}}) {
    EXPECT_EQ(only(listed.at(Stage::rcpt, mail_to(given.local, given.domain))).action, given.action) << given.local;
  }
  // At the end the listing marks the mail, but alone it does not refuse what it let pass.
  EXPECT_DOUBLE_EQ(only(listed.at(Stage::message, mail_to("abuse", "example.com"))).score, 8);
}

TEST(JudgeDnsbl, NeedsAListingHoweverLowTheThreshold) {
  Listed none({});
  none.settings.reject_at = -10;
  EXPECT_TRUE(none.at(Stage::rcpt, mail_to("bob", "example.com")).empty());
  Listed allowed({-5});
  allowed.settings.reject_at = -10;
  EXPECT_TRUE(allowed.at(Stage::rcpt, mail_to("bob", "example.com")).empty());
}

TEST(JudgeDnsbl, GoesByTheSettingsThatItIsGiven) {
  Listed listed({9, 4});
  DnsblSettings& settings = listed.settings;
  settings.zones.erase("list0");
  settings.zones["list1"].score.reset();
  settings.score = 2.5;
  EXPECT_DOUBLE_EQ(only(listed.at(Stage::message, mail_to("bob", "example.com"))).score, 2.5);
  EXPECT_TRUE(listed.at(Stage::rcpt, mail_to("bob", "example.com")).empty());
  settings.zones["list1"].reply = {*parse_reply_range("127.0.0.3")};
  EXPECT_TRUE(listed.at(Stage::message, mail_to("bob", "example.com")).empty()) << "another code than these count";
  settings.zones["list1"].reply.clear();
  settings.skip = {*IpNetwork::parse("192.0.2.0/24")};
  EXPECT_EQ(only(listed.at(Stage::message, mail_to("bob", "example.com"))).rule, "skipped");
}

TEST(JudgeDnsbl, SaysOfFailedListsThatItDoesNotKnow) {
  Listed listed({2});
  listed.settings.zones["dead.example"].score = 9;
  listed.facts.failed = {{{"dead.example", "dead.example"}, ListFailure::no_answer, {}},
                         {{"of.another.plan", "of.another.plan"}, ListFailure::no_answer, {}}};
  const Verdict verdict = only(listed.at(Stage::rcpt, mail_to("bob", "example.com")));
  EXPECT_TRUE(verdict.is_unknown);
  EXPECT_EQ(verdict.rule, "dead.example");
  EXPECT_EQ(verdict.because, "no usable answer");
  EXPECT_EQ(verdict.action, Action::none);
  const std::vector<Verdict> at_message = listed.at(Stage::message, mail_to("bob", "example.com"));
  EXPECT_EQ(at_message.size(), 1u) << "said once";
  EXPECT_DOUBLE_EQ(sum_of_scores(at_message), 2);
}

TEST(JudgeDnsbl, SpeaksAtRcptAndAtTheEnd) {
  const Listed listed({9});
  for (Stage stage : {Stage::connect, Stage::helo, Stage::mail, Stage::headers, Stage::done}) {
    EXPECT_TRUE(listed.at(stage, mail_to("bob", "example.com")).empty());
  }
  EXPECT_TRUE(judge(dnsbl_entry, Stage::rcpt, mail_to("bob", "example.com"), Facts(), listed.settings).empty());
}

TEST(ExplainDnsbl, TellsHitsAndWhatIsNotKnown) {
  Listed listed({});
  const Transaction mail = mail_to("bob", "example.com");
  const auto explain = [&] { return explain_dnsbl(mail, facts_with(listed.facts), listed.settings); };
  EXPECT_EQ(explain_dnsbl(mail, Facts(), listed.settings).result, "not run");
  EXPECT_EQ(explain().result, "not asked");
  listed.facts.evidence.resize(2);
  EXPECT_EQ(explain().result, "clean");
  EXPECT_EQ(explain().fact, "lists asked: 2");
  listed.settings.zones["dead.example"];
  listed.facts.failed = {{{"dead.example", "dead.example"}, ListFailure::list_error, {"127.255.255.254"}}};
  EXPECT_EQ(explain().result, "unknown");
  EXPECT_EQ(explain().details,
            std::vector<std::string>{"dead.example: answered 127.255.255.254, which is an error of the list"});
  listed.add(zen, 8);
  EXPECT_EQ(explain().result, "listed");
  EXPECT_EQ(explain().fact, "zen.dnsbl.example (127.0.0.2, score 8)");
}

}  // namespace
}  // namespace sallyport::policies
