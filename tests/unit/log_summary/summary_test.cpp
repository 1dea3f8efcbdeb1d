// What the numbers of `report` count.
#include "gateway/log_summary/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/log_summary/log_time_text.h"

namespace sallyport::log_summary {
namespace {

using testing::HasSubstr;
using testing::Not;

Report report_of(const std::vector<std::string>& lines, std::optional<WallTime> since = {}) {
  Summary summary(since);
  for (const std::string& line : lines) summary.take(line);
  return summary.report(10);
}

std::string at(std::string_view time, std::string_view rest) {
  return std::string(time) + " info event=" + std::string(rest);
}
std::string line(std::string_view rest) { return at("2026-11-22T10:00:00.000Z", rest); }

TEST(Summary, MailsByVerdictAndTenant) {
  const Report report = report_of({
      line("transaction tenant=a verdict=relay ip=192.0.2.1 from=<x@One.example> nrcpt=2 size=100"),
      line("transaction tenant=a verdict=tag check=spf ip=192.0.2.1 from=<> nrcpt=1 size=50"),
      line("transaction tenant=b verdict=reject check=rules rule=BAD ip=192.0.2.2 from=<y@one.example> nrcpt=3 size=9"),
      line("recipient tenant=b verdict=reject check=upstream ip=192.0.2.2 from=<y@one.example>"),
      line("connection tenant=\"\" verdict=drop check=dnsbl rule=zen ip=192.0.2.3 symbols=dnsbl:zen(8)"),
      line("upstream name=default state=down"),
  });
  EXPECT_EQ(report.mails.relay, 1u);
  EXPECT_EQ(report.mails.tag, 1u);
  EXPECT_EQ(report.mails.reject, 1u);
  EXPECT_EQ(report.mails.all(), 3u);
  EXPECT_EQ(report.accepted_recipients, 3u);
  EXPECT_EQ(report.octets, 150u);
  EXPECT_EQ(report.refused_recipients.reject, 1u);
  EXPECT_EQ(report.refused_connections.drop, 1u);
  ASSERT_EQ(report.tenants.size(), 2u);
  EXPECT_EQ(report.tenants[0].mails.all(), 2u);
  EXPECT_EQ(report.tenants[1].refused_recipients.reject, 1u);
  ASSERT_EQ(report.sender_domains.entries.size(), 2u);
  EXPECT_EQ(report.sender_domains.entries[0].name, "one.example");
  EXPECT_EQ(report.sender_domains.entries[0].count, 2u);
  EXPECT_EQ(report.sender_domains.entries[1].name, "<>");
  EXPECT_EQ(report.reasons.entries.size(), 4u);
  EXPECT_EQ(report.refused_clients.entries[0].name, "192.0.2.2");
}

TEST(Summary, WhatListsAreWorth) {
  const Report report = report_of({
      line("recipient verdict=reject check=dnsbl rule=zen symbols=dnsbl:zen(8)"),
      line("recipient verdict=reject check=dnsbl rule=zen symbols=dnsbl:zen(8),dnsbl:spamcop(3),dnsbl:white(-5)"),
      line("transaction verdict=relay symbols=dnsbl:spamcop(3),~dnsbl:trial(8),!dnsbl:dead"),
      line("transaction verdict=reject check=url_lists rule=dbl symbols=url_lists:dbl(8),dnsbl:spamcop(3)"),
      line("transaction verdict=reject check=rules rule=X symbols=dnsbl:zen(8)"),
  });
  const auto worth = [&](std::string_view name) {
    for (const ListWorth& list : report.lists) {
      if (list.name == name) return list;
    }
    return ListWorth{};
  };
  EXPECT_EQ(worth("dnsbl:zen").hits, 3u);
  EXPECT_EQ(worth("dnsbl:zen").decided, 2u);
  EXPECT_EQ(worth("dnsbl:zen").alone, 1u);
  EXPECT_EQ(worth("dnsbl:zen").together, 1u);
  EXPECT_EQ(worth("dnsbl:spamcop").hits, 3u);
  EXPECT_EQ(worth("dnsbl:spamcop").decided, 1u);
  EXPECT_EQ(worth("dnsbl:spamcop").passed, 1u);
  EXPECT_EQ(worth("dnsbl:white").decided, 0u);
  EXPECT_EQ(worth("dnsbl:trial").shadow, 1u);
  EXPECT_EQ(worth("dnsbl:dead").no_answer, 1u);
  EXPECT_EQ(worth("dnsbl:dead").hits, 0u);
  EXPECT_EQ(worth("url_lists:dbl").alone, 1u);
  EXPECT_EQ(report.lists.front().name, "dnsbl:zen");
  ASSERT_EQ(report.shadow.entries.size(), 1u);
  EXPECT_EQ(report.shadow.entries[0].name, "dnsbl:trial");
}

TEST(Summary, ARefusedRecipientCountsOnce) {
  const Report report = report_of({
      line("recipient verdict=reject stage=rcpt check=dnsbl rule=zen ip=192.0.2.1 symbols=dnsbl:zen(8)"),
      line("transaction verdict=reject stage=rcpt check=dnsbl rule=zen ip=192.0.2.1 nrcpt=0 symbols=dnsbl:zen(8)"),
  });
  EXPECT_EQ(report.mails.reject, 1u);
  EXPECT_EQ(report.refused_recipients.reject, 1u);
  EXPECT_EQ(report.reasons.entries[0].count, 1u);
  EXPECT_EQ(report.refused_clients.entries[0].count, 1u);
  EXPECT_EQ(report.lists[0].decided, 1u);
}

TEST(Summary, RepeatedFaultsAndLostLines) {
  const Report report = report_of({
      line("fault kind=resource detail=x"),
      line("fault kind=resource detail=x repeated=41"),
      line("violation kind=starttls_inject ip=192.0.2.9"),
      line("log_lost lost=7"),
  });
  EXPECT_EQ(report.faults.entries[0].count, 42u);
  EXPECT_EQ(report.violations.entries[0].name, "starttls_inject");
  EXPECT_EQ(report.lost, 7u);
}

TEST(Summary, SinceLeavesOutOlderLines) {
  const Report report =
      report_of({at("2026-11-20T10:00:00.000Z", "transaction verdict=relay"), line("transaction verdict=relay"),
                 "info event=transaction verdict=relay", "no line of ours"},
                log_summary::parse_log_time("2026-11-22"));
  EXPECT_EQ(report.mails.relay, 2u);
  EXPECT_EQ(report.older, 1u);
  EXPECT_EQ(report.undated, 1u);
  EXPECT_EQ(report.unreadable, 1u);
  EXPECT_EQ(report.lines, 4u);
  EXPECT_EQ(report.first, "2026-11-22T10:00:00.000Z");
}

TEST(Summary, TheTextLeavesOutWhatIsNotThereAndShowsNothingDeceptive) {
  const std::string text = to_text(report_of({line("transaction verdict=relay from=\"<a@evil\\u202egro.example>\"")}));
  EXPECT_THAT(text, HasSubstr("Mails"));
  EXPECT_THAT(text, HasSubstr("evil?gro.example"));
  EXPECT_THAT(text, Not(HasSubstr("Faults")));
  EXPECT_THAT(text, Not(HasSubstr("Tenants")));
}

}  // namespace
}  // namespace sallyport::log_summary
