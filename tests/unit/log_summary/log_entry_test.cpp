// Lines of the log read back. They are made by the log's own writer, with values that try to pass for other fields.
#include "gateway/log_summary/log_entry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/log.h"
#include "gateway/base/log_line.h"

namespace sallyport::log_summary {
namespace {

using testing::ElementsAre;

constexpr std::string_view time_text = "2026-11-22T21:55:29.123Z ";

std::vector<LogField> fields_of(std::string_view helo, LogList symbols) {
  return {{"tenant", "acme"},
          {"verdict", "reject"},
          {"check", "dnsbl"},
          {"rule", "zen"},
          {"ip", "192.0.2.7"},
          {"helo", helo},
          {"from", "ann@example.org", true},
          {"nrcpt", std::int64_t{2}},
          {"size", std::int64_t{300}},
          {"symbols", symbols}};
}

void expect_all(const LogEntry& entry) {
  EXPECT_EQ(entry.event, "transaction");
  EXPECT_EQ(entry.tenant, "acme");
  EXPECT_EQ(entry.verdict, "reject");
  EXPECT_EQ(entry.check, "dnsbl");
  EXPECT_EQ(entry.rule, "zen");
  EXPECT_EQ(entry.ip, "192.0.2.7");
  EXPECT_EQ(entry.from, "ann@example.org");
  EXPECT_EQ(entry.recipients, 2u);
  EXPECT_EQ(entry.octets, 300u);
  EXPECT_THAT(entry.symbols, ElementsAre("dnsbl:zen(8)", "~rate:mail_per_ip"));
}

TEST(LogEntry, ReadsAllForms) {
  const std::vector<std::string> symbols{"dnsbl:zen(8)", "~rate:mail_per_ip"};
  for (const char* helo : {"mail.example.org", "x ip=10.9.9.9 verdict=relay", "a\" ip=10.9.9.9 b=\"c", "\\", "\\\"",
                           "two\nlines event=transaction", "\xff\xfe", ""}) {
    const auto fields = fields_of(helo, symbols);
    const auto text =
        read_log_line(std::string(time_text) + format_line(LogFormat::text, LogLevel::info, "transaction", fields));
    ASSERT_TRUE(text) << helo;
    expect_all(*text);
    EXPECT_TRUE(text->time);
    const auto json = read_log_line(format_line(LogFormat::json, LogLevel::info, "transaction", fields));
    ASSERT_TRUE(json) << helo;
    expect_all(*json);
    std::string ecs;
    log_line::append_body(ecs, {.format = LogFormat::json, .schema = LogSchema::ecs}, LogLevel::info, "transaction", fields);
    const auto elastic = read_log_line(ecs);
    ASSERT_TRUE(elastic) << helo;
    expect_all(*elastic);
  }
}

TEST(LogEntry, ReadsTheNamesOfEcs) {
  const auto entry = read_log_line(
      R"({"@timestamp":"2026-11-22T21:55:29.123Z","log.level":"info","event.action":"transaction","sallyport.tenant":"acme",)"
      R"("sallyport.verdict":"reject","sallyport.check":"dnsbl","rule.name":"zen","source.ip":"192.0.2.7",)"
      R"("email.from.address":["ann@example.org"],"sallyport.nrcpt":2,"sallyport.size":300,)"
      R"_("sallyport.symbols":["dnsbl:zen(8)","~rate:mail_per_ip"]})_");
  ASSERT_TRUE(entry);
  expect_all(*entry);
  EXPECT_TRUE(entry->time);
}

TEST(LogEntry, ReadsWhatTheJournalKeeps) {
  EXPECT_TRUE(read_log_line("<6>2026-11-22T21:55:29.123Z info event=ready workers=1"));
  const auto undated = read_log_line("info event=fault kind=resource repeated=12");
  ASSERT_TRUE(undated);
  EXPECT_FALSE(undated->time);
  EXPECT_EQ(undated->kind, "resource");
  EXPECT_EQ(undated->repeated, 12u);
}

TEST(LogEntry, RefusesWhatIsNoLineOfTheLog) {
  for (const char* line :
       {"", "x", "Nov 30 06:00:00 host postfix/smtpd[1]: connect from unknown", "info", "info id=1", "info event",
        "info event=transaction from=\"cut off", "info event=transaction ip=1\"2", "{", "[]", "{\"level\":\"info\"}",
        "{\"level\":\"loud\",\"event\":\"x\"}", "{\"level\":\"info\",\"event\":7}", "yesterday info event=ready",
        "info event=transaction from=\"x\\", "info event=a  b=c"})
    EXPECT_FALSE(read_log_line(line)) << line;
}

}  // namespace
}  // namespace sallyport::log_summary
