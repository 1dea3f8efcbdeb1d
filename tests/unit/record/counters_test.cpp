// What records are counted as.
#include "gateway/record/counters.h"

#include <gtest/gtest.h>

namespace sallyport::record {
namespace {

TEST(RecordCounters, CountMailsByTheirOutcome) {
  const std::vector<std::pair<Outcome, Total>> all{
      {Outcome::relay, Total::relayed},       {Outcome::tag, Total::tagged},   {Outcome::reject, Total::rejected},
      {Outcome::tempfail, Total::tempfailed}, {Outcome::drop, Total::dropped}, {Outcome::discard, Total::discarded}};
  for (const auto& [outcome, total] : all) {
    Counters counters;
    MailRecord record;
    record.outcome = outcome;
    EXPECT_TRUE(RecordCounters(counters).take(record));
    for (const auto& [other, counted] : all) EXPECT_EQ(counters.get(counted), counted == total ? 1u : 0u);
  }
}

TEST(RecordCounters, CountRefusedRecipientsAndConnectionsByThemselves) {
  Counters counters;
  MailRecord record;
  record.outcome = Outcome::reject;
  record.subject = Subject::recipient;
  RecordCounters(counters).take(record);
  record.subject = Subject::connection;
  RecordCounters(counters).take(record);
  EXPECT_EQ(counters.get(Total::recipients_refused), 1u);
  EXPECT_EQ(counters.get(Total::connections_refused), 1u);
  EXPECT_EQ(counters.get(Total::rejected), 0u);
}

}  // namespace
}  // namespace sallyport::record
