// The stand-in other tests rely on says what the table says, in the time it is told to.
#include "tests/support/table_resolver.h"

#include <gtest/gtest.h>

#include "tests/support/manual_loop.h"

namespace sallyport::support {
namespace {

using dns::Status;
using dns::Type;
using std::chrono::seconds;

constexpr const char* table = R"({
  "example.org": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"], "MX": [[10, "MX.example.org."]],
                  "TXT": ["v=spf1 -all", ["in ", "parts"], "caf\u00e9"], "SPF": ["v=spf1 ?all"], "PTR": "NXDOMAIN"},
  "www.example.org": {"CNAME": ["web.example.org"]},
  "web.example.org": {"CNAME": ["example.org"]},
  "loop.example.org": {"CNAME": ["loop.example.org"]},
  "slow.example.org": {"A": "TIMEOUT", "TXT": "SERVFAIL"},
  "down.example.org": "TIMEOUT"
})";

TEST(DnsZone, AnswersAsTheTableSays) {
  DnsZone zone = DnsZone::from_text(table);
  EXPECT_EQ(zone.answer({"example.org", Type::A}).records.size(), 2u);
  EXPECT_EQ(to_string(zone.answer({"Example.ORG", Type::AAAA}).records[0]), "2001:db8::1");
  EXPECT_EQ(to_string(zone.answer({"example.org", Type::MX}).records[0]), "10 mx.example.org");
  auto texts = zone.answer({"example.org", Type::TXT}).records;
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(to_string(texts[1]), "in parts");
  EXPECT_EQ(to_string(texts[2]), "caf\xc3\xa9");
  EXPECT_EQ(zone.answer({"example.org", Type::PTR}).status, Status::nxdomain);
  EXPECT_EQ(zone.answer({"example.org", Type::NS}).status, Status::no_data);
  EXPECT_EQ(zone.answer({"no.example.org", Type::A}).status, Status::nxdomain);
  EXPECT_EQ(zone.answer({"slow.example.org", Type::A}).status, Status::timeout);
  EXPECT_EQ(zone.answer({"slow.example.org", Type::TXT}).status, Status::servfail);
  EXPECT_EQ(zone.answer({"down.example.org", Type::MX}).status, Status::timeout);
}

TEST(DnsZone, FollowsCnames) {
  DnsZone zone = DnsZone::from_text(table);
  EXPECT_EQ(zone.answer({"www.example.org", Type::A}).records.size(), 2u);
  EXPECT_EQ(to_string(zone.answer({"www.example.org", Type::CNAME}).records[0]), "web.example.org");
  EXPECT_EQ(zone.answer({"loop.example.org", Type::A}).status, Status::servfail);
}

TEST(DnsZone, ReadsOctets) {
  DnsZone zone = DnsZone::from_text(table, DnsZone::Strings::latin1);
  EXPECT_EQ(to_string(zone.answer({"example.org", Type::TXT}).records[2]), "caf\xe9");
}

TEST(DnsZone, SaysWhatIsWrong) {
  EXPECT_THROW(DnsZone::from_text(R"({"a": {"A": ["not an address"]}})"), std::exception);
  EXPECT_THROW(DnsZone::from_text(R"({"a": {"A": "PERHAPS"}})"), std::exception);
  EXPECT_THROW(DnsZone::from_text("{"), std::exception);
}

TEST(DnsZone, HasADefault) {
  DnsZone zone;
  zone.set_default("TIMEOUT");
  zone.mx("example.org", 5, "mx.example.org");
  EXPECT_EQ(zone.answer({"other.example", Type::A}).status, Status::timeout);
  EXPECT_TRUE(zone.answer({"example.org", Type::MX}).found());
}

TEST(TableResolver, AnswersAtOnceAndNotesWhatWasAsked) {
  ManualLoop loop;
  TableResolver resolver(DnsZone::from_text(table));
  dns::Question question{"example.org", Type::A};
  EXPECT_TRUE(loop.run_until_done(resolver.lookup(question, loop.now() + seconds(1))).found());
  EXPECT_EQ(resolver.asked(), std::vector{question});
  EXPECT_EQ(resolver.count(question), 1u);
}

TEST(TableResolver, TakesItsTime) {
  ManualLoop loop;
  TableResolver resolver(DnsZone::from_text(table), loop.scheduler(), seconds(2));
  Time start = loop.now();
  EXPECT_TRUE(loop.run_until_done(resolver.lookup({"example.org", Type::A}, start + seconds(5))).found());
  EXPECT_GE(loop.now(), start + seconds(2));
  start = loop.now();
  EXPECT_EQ(loop.run_until_done(resolver.lookup({"slow.example.org", Type::A}, start + seconds(5))).status,
            Status::timeout);
  EXPECT_GE(loop.now(), start + seconds(5));
  start = loop.now();
  EXPECT_EQ(loop.run_until_done(resolver.lookup({"example.org", Type::A}, start + seconds(1))).status, Status::timeout);
  EXPECT_LT(loop.now(), start + seconds(2));
}

}  // namespace
}  // namespace sallyport::support
