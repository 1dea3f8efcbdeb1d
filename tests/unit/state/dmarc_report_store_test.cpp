// What one day's mail comes to in the store (RFC 9990, 3.1.1.5: the key by which mails are one row).
#include "gateway/state/dmarc_report_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

using testing::ElementsAre;

constexpr Day day = 20000;

WallTime at(Day when, int seconds = 0) { return WallTime(std::chrono::days(when)) + std::chrono::seconds(seconds); }

io::DmarcObservation observation() {
  io::DmarcObservation mail;
  mail.policy_domain = "example.org";
  mail.record = "v=DMARC1; p=reject; rua=mailto:a@example.org";
  mail.discovery = "treewalk";
  mail.source_ip = IpAddress::v4({192, 0, 2, 1});
  mail.header_from = "sub.example.org";
  mail.envelope_from = "bounce.example.org";
  mail.disposition = "none";
  mail.dkim = true;
  mail.reasons = {{"local_policy", "arc=pass as[1].d=lists.example"}, {"other", ""}};
  mail.signatures = {{"example.org", "s1", "pass"}, {"example.net", "s2", "fail"}};
  mail.spf_check = {"bounce.example.org", "softfail"};
  return mail;
}

class Reports : public testing::Test {
 protected:
  Reports() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-state-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    database = Database::open(database_path(folder), Database::Missing::create).value();
    auto writers = Database::open(database_path(folder), Database::Missing::create).value();
    store = std::make_unique<Store>(std::move(writers), counters, log);
  }
  ~Reports() override {
    store.reset();
    std::filesystem::remove_all(folder);
  }

  std::vector<io::DmarcReportRow> rows(Day when, const io::DmarcObservation& of) {
    store->flush();
    std::vector<io::DmarcReportRow> all;
    const DmarcReportKey key{of.policy_domain, of.record, of.discovery};
    EXPECT_TRUE(read_dmarc_rows(*database, when, key, [&](io::DmarcReportRow row) { all.push_back(std::move(row)); }));
    return all;
  }

  std::string folder;
  Counters counters;
  support::LinesLog log;
  std::unique_ptr<Database> database;
  std::unique_ptr<Store> store;
};

TEST_F(Reports, EqualMailsOfADayAreOneRow) {
  DmarcReportStore reports(*store, counters);
  reports.observed(observation(), at(day));
  reports.observed(observation(), at(day, 86399));
  reports.observed(observation(), at(day + 1));
  EXPECT_THAT(rows(day, observation()), ElementsAre(io::DmarcReportRow{observation(), 2}));
  EXPECT_THAT(rows(day + 1, observation()), ElementsAre(io::DmarcReportRow{observation(), 1}));
}

TEST_F(Reports, WhateverTheKeyNamesTellsMailsApart) {
  DmarcReportStore reports(*store, counters);
  std::vector<io::DmarcObservation> all(10, observation());
  all[1].source_ip = IpAddress::v4({192, 0, 2, 2});
  all[2].header_from = "example.org";
  all[3].envelope_from.clear();
  all[4].disposition = "reject";
  all[5].dkim = false;
  all[6].spf = true;
  all[7].reasons.clear();
  all[8].signatures.pop_back();
  all[9].spf_check.reset();
  for (const auto& mail : all) reports.observed(mail, at(day));
  std::vector<io::DmarcReportRow> expected;
  for (const auto& mail : all) expected.push_back({mail, 1});
  EXPECT_THAT(rows(day, observation()), testing::UnorderedElementsAreArray(expected));
}

TEST_F(Reports, ARecordThatChangesMakesNoSecondReport) {
  DmarcReportStore reports(*store, counters);
  io::DmarcObservation later = observation();
  later.record = "v=DMARC1; p=none; rua=mailto:a@example.org";
  io::DmarcObservation other = observation();
  other.policy_domain = "example.net";
  // The first record is seen once more after the second: the last one seen is told.
  reports.observed(observation(), at(day, 1));
  reports.observed(other, at(day, 2));
  reports.observed(later, at(day, 3));
  store->flush();
  EXPECT_EQ(dmarc_report_keys(*database, day).value().at(1).record, later.record);
  reports.observed(observation(), at(day, 4));
  store->flush();
  const auto found = dmarc_report_keys(*database, day).value();
  std::vector<std::string> keys;
  for (const auto& key : found) keys.push_back(key.policy_domain + " " + key.record);
  EXPECT_THAT(keys, ElementsAre("example.net " + other.record, "example.org " + observation().record));
  EXPECT_THAT(rows(day, observation()), ElementsAre(io::DmarcReportRow{observation(), 3})) << "of both records";
  EXPECT_TRUE(dmarc_report_keys(*database, day + 1).value().empty());
}

TEST_F(Reports, FieldsCannotBreakOutOfTheirColumn) {
  DmarcReportStore reports(*store, counters);
  io::DmarcObservation mail = observation();
  mail.reasons = {{"other", "a\tb\nc"}};
  reports.observed(mail, at(day));
  const auto read = rows(day, mail);
  ASSERT_EQ(read.size(), 1u);
  EXPECT_THAT(read[0].mail.reasons, ElementsAre(io::DmarcObservation::Reason{"other", "a b c"}));
}

TEST_F(Reports, OldDaysAreForgotten) {
  Time steady{};
  DmarcReportStore reports(*store, counters, {.keep_days = 3, .most_rows = 100, .steady = [&] { return steady; }});
  // The monotonic clock moves as the wall clock does.
  const auto observe = [&](Day when) {
    store->flush();
    steady = Time(std::chrono::days(when));
    reports.observed(observation(), at(when));
  };
  observe(day);
  store->flush();
  ASSERT_TRUE(claim_dmarc_report(*database, day, "id", "mailto:a@example.org", at(day + 1)));
  observe(day + 3);
  EXPECT_EQ(rows(day, observation()).size(), 1u);
  observe(day + 4);
  EXPECT_EQ(rows(day, observation()).size(), 0u);
  EXPECT_EQ(rows(day + 3, observation()).size(), 1u);
  EXPECT_FALSE(dmarc_was_sent(*database, day, "id", "mailto:a@example.org").value());
}

// Ten years to and fro between any two mails, in one process and at its start.
TEST_F(Reports, AClockThatIsSetWrongDeletesNothing) {
  constexpr Day ten_years = 3650;
  const std::vector<Day> days{day, day + ten_years, day, day - ten_years, day + ten_years, day + 1};
  std::size_t mails = 0;
  for (int start = 0; start < 4; ++start) {
    DmarcReportStore reports(*store, counters, {.keep_days = 3, .steady = [] { return Time(); }});
    for (std::size_t i = 0; i < days.size(); ++i) {
      reports.observed(observation(), at(days[(i + static_cast<std::size_t>(start)) % days.size()]));
      ++mails;
      if (start == 0 && i == 0) {
        store->flush();
        ASSERT_TRUE(claim_dmarc_report(*database, day, "id", "mailto:a@example.org", at(day)));
      }
      std::uint64_t counted = 0;
      for (const Day one : std::set<Day>(days.begin(), days.end())) {
        for (const auto& row : rows(one, observation())) counted += row.count;
      }
      ASSERT_EQ(counted, mails) << "start " << start << ", mail " << i;
      ASSERT_TRUE(dmarc_was_sent(*database, day, "id", "mailto:a@example.org").value());
    }
  }
}

TEST_F(Reports, AreBoundedInOctetsToo) {
  const auto open_reports = [&] {
    return std::make_unique<DmarcReportStore>(*store, counters, DmarcReportStore::Options{.most_octets = 100'000});
  };
  auto reports = open_reports();
  for (int i = 0; i < 50; ++i) {
    io::DmarcObservation mail = observation();
    mail.record = "v=DMARC1; p=none; " + std::to_string(i) + std::string(8000, ' ');
    reports->observed(mail, at(day));
    if (i == 25) reports = open_reports();  // what is there counts after a restart
  }
  store->flush();
  auto sum = database->prepare("SELECT sum(length(record)), count(*) FROM dmarc_row").value();
  ASSERT_TRUE(sum.step().value());
  EXPECT_LE(sum.number(0), 100'000);
  EXPECT_EQ(sum.number(1), 12);
  EXPECT_EQ(counters.get(Fault::state), 38u);
}

TEST_F(Reports, BeyondTheBoundNoRowIsMadeAndKnownOnesCountOn) {
  DmarcReportStore reports(*store, counters, {.keep_days = 3, .most_rows = 1});
  io::DmarcObservation another = observation();
  another.header_from = "another.example.org";
  for (const auto& mail : {observation(), another, observation()}) reports.observed(mail, at(day));
  EXPECT_THAT(rows(day, observation()), ElementsAre(io::DmarcReportRow{observation(), 2}));
  EXPECT_EQ(counters.get(Fault::state), 1u);
}

TEST_F(Reports, WhatWasSentIsRemembered) {
  EXPECT_FALSE(dmarc_was_sent(*database, day, "id", "mailto:a@example.org").value());
  EXPECT_FALSE(claim_dmarc_report(*database, day, "id", "mailto:a@example.org", at(day + 1)).value());
  EXPECT_TRUE(claim_dmarc_report(*database, day, "id", "mailto:a@example.org", at(day + 1)).value()) << "once only";
  EXPECT_TRUE(dmarc_was_sent(*database, day, "id", "mailto:a@example.org").value());
  EXPECT_FALSE(dmarc_was_sent(*database, day, "id", "mailto:b@example.org").value());
  EXPECT_FALSE(dmarc_was_sent(*database, day + 1, "id", "mailto:a@example.org").value());
  ASSERT_TRUE(release_dmarc_report(*database, day, "id", "mailto:a@example.org"));
  EXPECT_FALSE(claim_dmarc_report(*database, day, "id", "mailto:a@example.org", at(day + 1)).value());
}

}  // namespace
}  // namespace sallyport::state
