// Asking lists of domains and hashes about a mail, and what becomes of their answers.
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/mime/contents.h"
#include "gateway/mime/tree.h"
#include "policies/lists/list_health.h"
#include "policies/url_lists/questions.h"
#include "policies/url_lists/url_lists.h"
#include "tests/unit/policies/policy_world.h"

namespace sallyport::policies {

// Parts as another policy's facts tell them.
struct PartsFacts {
  mime::Tree tree;
  std::shared_ptr<mime::Contents> contents;
  template <class V>
  void fields(V&) {}
};
static void tell_parts(const void* from, Findings& findings) {
  const auto& facts = *static_cast<const PartsFacts*>(from);
  findings.parts = &facts.tree;
  findings.contents = facts.contents.get();
}
static const FactsType parts_facts = facts_type<PartsFacts>("parts", tell_parts);
template <>
inline const FactsType& type_of<PartsFacts>() {
  return parts_facts;
}

namespace {

class NoSpool final : public mail::Spool {
 public:
  Result<std::unique_ptr<mail::SpoolFile>> open() override { return Failure{"no file in this test"}; }
};

class UrlLists : public testing::Test {
 protected:
  void SetUp() override { settings_.zones["dbl.example"].score = 6; }

  // Gathers about a mail of one part.
  UrlListsFacts gather(const std::string& body, const std::string& header = "", bool has_parts = true) {
    message_ = std::make_unique<mail::Message>(mail::MessageLimits{}, spool_);
    message_->append(header + "\r\n" + body);
    message_->parse_header();
    mail_.message = message_.get();
    facts_ = Facts();
    if (has_parts) {
      PartsFacts parts;
      parts.tree.parts.emplace_back();
      parts.tree.parts[0].begin = message_->header_octets().size();
      parts.tree.parts[0].end = message_->octets();
      parts.tree.parts[0].size = body.size();
      parts.tree.parts[0].declared_type = "text/plain";
      parts.contents = std::make_shared<mime::Contents>();
      facts_.put(std::move(parts));
    }
    if (!gatherer_) gatherer_ = world_.prepare(url_lists_entry, settings_);
    world_.gather(*gatherer_, Stage::message, mail_, facts_);
    return facts_.get<UrlListsFacts>();
  }
  std::vector<Verdict> judged() { return judge(url_lists_entry, Stage::message, mail_, facts_, settings_); }

  NoSpool spool_;
  PolicyWorld world_;
  UrlListsSettings settings_;
  std::unique_ptr<Gatherer> gatherer_;
  std::unique_ptr<mail::Message> message_;
  Transaction mail_ = mail_of("192.0.2.1");
  Facts facts_;
};

TEST_F(UrlLists, AddAScoreForWhatStandsInAMail) {
  world_.resolver.zone().a("evil.com.dbl.example", "127.0.1.2");
  const UrlListsFacts facts = gather("see http://www.evil.com/a and http://good.com/b\r\n");
  EXPECT_EQ(world_.resolver.asked().size(), 2u);
  ASSERT_EQ(facts.hits.size(), 1u);
  EXPECT_EQ(facts.hits[0].what, "evil.com");
  EXPECT_EQ(facts.hits[0].codes, std::vector<std::string>{"127.0.1.2"});
  EXPECT_EQ(facts.evidence.size(), 2u);
  const Verdict verdict = only(judged());
  EXPECT_DOUBLE_EQ(verdict.score, 6);
  EXPECT_EQ(verdict.rule, "dbl.example");
  EXPECT_EQ(verdict.because, "dbl.example=127.0.1.2 evil.com");
  const Explained explained = explain_url_lists(mail_, facts_, settings_);
  EXPECT_EQ(explained.result, "listed");
  EXPECT_NE(explained.fact.find("evil.com"), std::string::npos);
}

TEST_F(UrlLists, AreAskedAboutHeaderFieldsToo) {
  world_.resolver.zone().a("evil.com.dbl.example", "127.0.1.2");
  for (const char* header :
       {"Subject: http://evil.com/\r\n", "Subject: =?utf-8?q?go_to_evil=2Ecom?=\r\n", "Reply-To: <x@evil.com>\r\n",
        "List-Unsubscribe: <https://u.evil.com/x>\r\n", "From: Ann <ann@evil.com>\r\n"}) {
    EXPECT_EQ(gather("nothing\r\n", header).hits.size(), 1u) << header;
    EXPECT_EQ(gather("nothing\r\n", header, false).hits.size(), 1u) << "without the parts: " << header;
  }
  EXPECT_EQ(explain_url_lists(mail_, facts_, settings_).details.size(), 1u) << "that nothing but these was read";
}

TEST_F(UrlLists, CountOnceForAMailHoweverManyNamesTheyHave) {
  for (const char* name : {"a.com", "b.com", "c.com", "d.com"}) {
    world_.resolver.zone().a(std::string(name) + ".dbl.example", "127.0.1.2");
  }
  gather("http://a.com http://b.com http://c.com http://d.com\r\n");
  const Verdict verdict = only(judged());
  EXPECT_DOUBLE_EQ(verdict.score, 6);
  EXPECT_EQ(verdict.because, "dbl.example=127.0.1.2 a.com b.com c.com and 1 more");
}

TEST_F(UrlLists, AreAskedForSoManyNamesOnly) {
  settings_.names_per_list = 3;
  std::string body;
  for (int i = 0; i < 50; ++i) body += "http://h" + std::to_string(i) + ".com/\r\n";
  const UrlListsFacts facts = gather(body);
  EXPECT_EQ(world_.resolver.asked().size(), 3u);
  EXPECT_EQ(facts.left_out, 47u);
}

TEST_F(UrlLists, AreNotAskedForWellKnownDomainsAndOurOwn) {
  settings_.skip = {"known.com"};
  gather("http://www.known.com/ http://x.example.net/\r\n");
  EXPECT_TRUE(world_.resolver.asked().empty());
  EXPECT_EQ(explain_url_lists(mail_, facts_, settings_).result, "clean");
}

TEST_F(UrlLists, AreNotAskedAboutTrustedClients) {
  mail_.client.is_trusted = true;
  gather("http://evil.com/\r\n");
  EXPECT_TRUE(world_.resolver.asked().empty());
  EXPECT_EQ(only(judged()).rule, "trusted");
}

TEST_F(UrlLists, HaveScoresByCodeAndBit) {
  settings_.zones.clear();
  settings_.zones["multi.example"].codes = {{*parse_name_code("&8"), 2}, {*parse_name_code("&64"), 5}};
  world_.resolver.zone().a("evil.com.multi.example", "127.0.0.72");
  world_.resolver.zone().a("gray.com.multi.example", "127.0.0.4");
  gather("http://evil.com/ http://gray.com/\r\n");
  EXPECT_DOUBLE_EQ(only(judged()).score, 7);
  EXPECT_EQ(only(judged()).because, "multi.example=127.0.0.72 evil.com");
}

TEST_F(UrlLists, OfHashesAreAskedForDigests) {
  settings_.zones.clear();
  settings_.zones["ebl.example"].kind = UrlListKind::hash;
  world_.resolver.zone().a(digest_label("evil@gmail.com", HashForm::sha1) + ".ebl.example", "127.0.0.2");
  const UrlListsFacts facts = gather("nothing\r\n", "Reply-To: E.v.i.l+x@googlemail.com\r\n");
  ASSERT_EQ(facts.hits.size(), 1u);
  EXPECT_EQ(facts.hits[0].what, "evil@gmail.com");
}

// threats.md D8, I9.
TEST_F(UrlLists, ThatAnswerWithErrorsAreNeitherHitNorClean) {
  for (const char* code : {"127.255.255.254", "127.0.0.1", "203.0.113.9"}) {
    world_.resolver.zone() = {};
    world_.resolver.zone().a("evil.com.dbl.example", code);
    const UrlListsFacts facts = gather("http://evil.com/\r\n");
    EXPECT_TRUE(facts.hits.empty());
    ASSERT_EQ(facts.failed.size(), 1u);
    EXPECT_EQ(facts.failed[0].why, ListFailure::list_error);
    EXPECT_TRUE(only(judged()).is_unknown);
    EXPECT_DOUBLE_EQ(only(judged()).score, 0);
    EXPECT_EQ(explain_url_lists(mail_, facts_, settings_).result, "unknown");
  }
  EXPECT_GE(world_.counters.get(Fault::dnsbl_error), 3u);
}

// threats.md D6.
TEST_F(UrlLists, ThatTheBudgetLeavesOutAreUnknown) {
  world_.resolver.zone().set("evil.com.dbl.example", dns::Type::A, dns::Status::budget);
  EXPECT_EQ(gather("http://evil.com/\r\n").failed.at(0).why, ListFailure::budget);
  EXPECT_TRUE(only(judged()).is_unknown);
}

// threats.md D10.
TEST_F(UrlLists, ThatDoNotAnswerAreLeftAlone) {
  std::string body;
  for (int i = 0; i < 15; ++i) {
    const std::string name = "h" + std::to_string(i) + ".com";
    world_.resolver.zone().set(name + ".dbl.example", dns::Type::A, dns::Status::servfail);
    gather("http://" + name + "/\r\n");
  }
  EXPECT_EQ(facts_.get<UrlListsFacts>().failed.at(0).why, ListFailure::set_aside);
  EXPECT_EQ(world_.resolver.asked().size(), 10u);
}

// threats.md D9; RFC 5782, 5.
TEST_F(UrlLists, AreTestedByTheirOwnPoints) {
  settings_.zones["dbl.example"].self_test = SelfTest::on;
  gatherer_ = world_.prepare(url_lists_entry, settings_);
  world_.resolver.zone().a("test.dbl.example", "127.0.0.2");
  world_.self_test(*gatherer_);
  EXPECT_TRUE(gather("http://evil.com/\r\n").failed.empty());
  world_.resolver.zone().a("invalid.dbl.example", "127.0.0.2");
  world_.loop.advance(ListHealth::between_tests);
  world_.self_test(*gatherer_);
  EXPECT_EQ(gather("http://evil.com/\r\n").failed.at(0).why, ListFailure::failed_test);
  EXPECT_EQ(world_.log.count({"kind=dnsbl_wildcard", "INVALID is listed"}), 1u);
}

TEST_F(UrlLists, ShowNoKeys) {
  settings_.zones.clear();
  settings_.zones["secret77.dbl.paid.example"].score = 3;
  world_.resolver.zone().a("evil.com.secret77.dbl.paid.example", "127.0.1.2");
  gather("http://evil.com/\r\n");
  EXPECT_EQ(only(judged()).score, 3);
  EXPECT_EQ(facts_.to_json(url_lists_facts).find("secret77"), std::string::npos);
  EXPECT_EQ(only(judged()).because.find("secret77"), std::string::npos);
  const Facts read = *Facts::from_json(*JsonValue::parse("{\"url_lists\":" + facts_.to_json(url_lists_facts) + "}"),
                                       {&url_lists_facts});
  EXPECT_EQ(only(judge(url_lists_entry, Stage::message, mail_, read, settings_)).score, 3)
      << "judged again from a record";
}

TEST_F(UrlLists, AskATenantsListsForNothingThatIsKnown) {
  gather("http://evil.com/\r\n");
  EXPECT_EQ(world_.resolver.asked().size(), 1u);
  UrlListsSettings of_tenant = settings_;
  of_tenant.zones["own.example"].score = 2;
  world_.resolver.zone().a("evil.com.own.example", "127.0.0.2");
  world_.gather(*world_.prepare(url_lists_entry, of_tenant), Stage::message, mail_, facts_);
  EXPECT_EQ(world_.resolver.asked().size(), 2u);
  EXPECT_DOUBLE_EQ(only(judge(url_lists_entry, Stage::message, mail_, facts_, of_tenant)).score, 2);
}

TEST_F(UrlLists, AskNothingWithoutLists) {
  settings_.zones.clear();
  EXPECT_FALSE(world_.prepare(url_lists_entry, settings_)->gathers_at(Stage::message));
}

}  // namespace
}  // namespace sallyport::policies
