// What the rules of a stage ask for one after the other is found out once for all of them, and for no other mail.
#include "lua/engine/mail_notes.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/lua/gather_fixture.h"

namespace sallyport::lua {
namespace {

// Facts that count how often they are told.
struct CountedFacts {
  template <class V>
  void fields(V&) {}
};
int told = 0;

void tell_counted(const void*, policies::Findings& findings) {
  ++told;
  findings.words.emplace_back("dmarc", "pass");
}
constinit const policies::FactsType counted_facts = policies::facts_type<CountedFacts>("counted", tell_counted);

}  // namespace
}  // namespace sallyport::lua

namespace sallyport::policies {
template <>
inline const FactsType& type_of<lua::CountedFacts>() {
  return lua::counted_facts;
}
}  // namespace sallyport::policies

namespace sallyport::lua {
namespace {

class MailNotesTest : public GatherTest {
 protected:
  std::string rules(int count, const std::string& body) {
    std::string source;
    for (int i = 0; i < count; ++i) source += rule("R" + std::to_string(i), body);
    return source;
  }
  std::vector<std::string> details() {
    std::vector<std::string> all;
    for (const RuleFact& fact : found()) all.push_back(fact.detail);
    return all;
  }
};

TEST_F(MailNotesTest, FactsAreToldOnceForAllRulesOfAStage) {
  set_message("From: ann@example.org\r\n\r\nx");
  use(rules(10, "return tx.auth.dmarc == 'pass' and tx.auth.spf == nil"));
  facts.put(CountedFacts{});
  told = 0;
  gather();
  EXPECT_EQ(found().size(), 10u);
  EXPECT_EQ(told, 1);
  gather();
  EXPECT_EQ(told, 2) << "of another stage";
}

TEST_F(MailNotesTest, EachMailHasItsOwnAddresses) {
  use(rules(3,
            "local from, to = tx.msg.from, tx.msg.to return sp.hit { detail = from.addr .. ' ' .. tostring(from.name) "
            ".. ' ' .. "
            "from.org_domain .. ' ' .. (to and to.addr or 'nobody') }"));
  set_message("From: Ann <ann@mail.example.org>\r\nTo: bob@example.com\r\n\r\nx");
  gather();
  EXPECT_EQ(details(), std::vector<std::string>(3, "ann@mail.example.org Ann example.org bob@example.com"));
  set_message("From: eve@a.b.example.co.uk\r\nCc: bob@example.com\r\n\r\nx");
  gather();
  EXPECT_EQ(details(), std::vector<std::string>(3, "eve@a.b.example.co.uk nil example.co.uk nobody"));
}

// The list is asked once for a domain, and what is beyond the bound is found all the same.
TEST_F(MailNotesTest, AnyNumberOfDomainsIsRight) {
  set_message("From: ann@example.org\r\n\r\nx");
  use(rules(2,
            "for round = 1, 2 do for i = 1, 100 do local owner = sp.address.org_domain('www.d' .. i .. '.co.uk') "
            "if owner ~= 'd' .. i .. '.co.uk' then return sp.hit { detail = owner } end end end "
            "return sp.hit { detail = sp.address.org_domain('co.uk') .. sp.address.org_domain('localhost') }"));
  gather();
  EXPECT_EQ(details(), std::vector<std::string>(2, "co.uklocalhost"));
}

TEST_F(MailNotesTest, EachListIsShownByItsOwnName) {
  set_message("From: ann@example.org\r\n\r\nx");
  use(rules(1,
            "for _, zone in ipairs { 'hunter4815162342.a.example', 'b.example', 'hunter4815162342.a.example' } do "
            "sp.dns.listed('evil.com', zone) end"));
  gather();
  std::set<std::string> asked;
  for (const RuleLookup& lookup : facts.get<RulesFacts>().lookups) asked.insert(lookup.asked.question.name);
  EXPECT_EQ(asked, (std::set<std::string>{"evil.com.a.example", "evil.com.b.example"}));
}

}  // namespace
}  // namespace sallyport::lua
