// Facts of every policy as JSON and back: what a record keeps is all that a judge needs. A new type is one line here.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "lua/engine/facts.h"
#include "policies/api/facts.h"
#include "policies/api/verdict.h"
#include "policies/arc/facts.h"
#include "policies/dkim/facts.h"
#include "policies/dmarc/facts.h"
#include "policies/dnsbl/facts.h"
#include "policies/helo/facts.h"
#include "policies/milters/facts.h"
#include "policies/rate/facts.h"
#include "policies/rdns/facts.h"
#include "policies/spf/facts.h"
#include "policies/url_lists/facts.h"
#include "tests/support/random_fields.h"

namespace sallyport::policies {
namespace {

template <class F>
class RoundTrip : public testing::Test {};

using Types = testing::Types<SpfFacts, DkimFacts, ArcFacts, DmarcFacts, DnsblFacts, HeloFacts, RateFacts, RdnsFacts,
                             UrlListsFacts, MiltersFacts, lua::RulesFacts, Verdict>;
TYPED_TEST_SUITE(RoundTrip, Types);

TYPED_TEST(RoundTrip, LosesNothing) {
  constexpr FactsType type = facts_type<TypeParam>("any");
  support::RandomFields random(9989);
  std::set<std::string> different;
  for (int i = 0; i < 500; ++i) {
    const TypeParam facts = random.make<TypeParam>();
    const std::string json = type.to_json(&facts);
    const auto parsed = JsonValue::parse(json);
    ASSERT_TRUE(parsed) << json;
    const auto read = type.from_json(*parsed);
    ASSERT_TRUE(read) << read.error().message << ": " << json;
    ASSERT_EQ(type.to_json(read->get()), json);
    different.insert(json);
  }
  EXPECT_GT(different.size(), 5u) << "they are random";
}

TYPED_TEST(RoundTrip, TakesNothingForWhatItIsNot) {
  constexpr FactsType type = facts_type<TypeParam>("any");
  for (const char* json : {"null", "[]", "1", "\"text\"", "true"})
    EXPECT_FALSE(type.from_json(*JsonValue::parse(json)));
  EXPECT_TRUE(type.from_json(*JsonValue::parse("{\"of_a_newer_version\": 1}")));
}

// Several types in one, as a record keeps them.
TEST(FactsOfAMail, AreReadByThoseWhoKnowTheirTypes) {
  const std::vector<const FactsType*> known{&spf_facts, &dkim_facts, &arc_facts, &dmarc_facts};
  support::RandomFields random(7208);
  for (int i = 0; i < 100; ++i) {
    Facts facts;
    facts.put(random.make<SpfFacts>());
    facts.put(random.make<DkimFacts>());
    facts.put(random.make<DmarcFacts>());
    const std::string json = facts.to_json();
    const auto read = Facts::from_json(*JsonValue::parse(json), known);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->to_json(), json);
    EXPECT_EQ(read->find<ArcFacts>(), nullptr);
    EXPECT_EQ(read->to_json(arc_facts), "{}");
    EXPECT_EQ(read->to_json(spf_facts), FieldWriter::json(facts.get<SpfFacts>()));
    EXPECT_EQ(read->tell().identifiers.size(), facts.tell().identifiers.size());
  }
}

TEST(FactsOfAMail, NameTheTypeThatCannotBeRead) {
  const auto json = JsonValue::parse(R"({"unknown": 1, "dkim": {"fields": "many"}})");
  const auto read = Facts::from_json(*json, {&spf_facts, &dkim_facts});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "dkim: not a value for fields");
}

}  // namespace
}  // namespace sallyport::policies
