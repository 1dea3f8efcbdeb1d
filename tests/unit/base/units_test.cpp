#include "gateway/base/units.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using namespace std::chrono_literals;

WallTime utc(int year, unsigned month, unsigned day, Duration time_of_day) {
  std::chrono::sys_days date = std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day);
  return date + time_of_day;
}

TEST(Durations, AreParsed) {
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("5s"), 5s);
  EXPECT_EQ(parse_duration("10m"), 10min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("30d"), 720h);
  EXPECT_EQ(parse_duration("0s"), 0s);
  EXPECT_EQ(parse_duration("106751d"), 106751 * 24h);
  for (std::string_view bad : {"", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5s", "5S", "5sec", "1h30m",
                               "106752d", "99999999999999999999s"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(Durations, AreWrittenSoThatTheyParseAgain) {
  EXPECT_EQ(to_text(Duration(90s)), "90s");
  EXPECT_EQ(to_text(Duration(300s)), "5m");
  EXPECT_EQ(to_text(Duration(720h)), "30d");
  EXPECT_EQ(to_text(Duration(1500ms)), "1500ms");
  EXPECT_EQ(to_text(Duration(0)), "0s");
  EXPECT_EQ(to_text(Duration(-5s)), "-5s");
  for (Duration duration :
       {Duration(1), Duration(1us), Duration(999ms), Duration(61s), Duration(25h), Duration::max()}) {
    EXPECT_EQ(parse_duration(to_text(duration)), duration) << to_text(duration);
  }
  EXPECT_EQ(to_text(Duration::min()), "-9223372036854775808ns");
}

TEST(Sizes, AreParsed) {
  EXPECT_EQ(parse_size("512"), 512u);
  EXPECT_EQ(parse_size("64KiB"), 65536u);
  EXPECT_EQ(parse_size("25MiB"), 26214400u);
  EXPECT_EQ(parse_size("1GiB"), 1073741824u);
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_size("18014398509481983KiB"), 18446744073709550592u);
  for (std::string_view bad : {"", "KiB", "1kib", "1KB", "1 KiB", "-1", "1.5MiB", "18014398509481984KiB", "16777216TiB",
                               "18446744073709551616"}) {
    EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
  }
}

TEST(Sizes, AreWrittenSoThatTheyParseAgain) {
  EXPECT_EQ(size_to_text(0), "0");
  EXPECT_EQ(size_to_text(1000), "1000");
  EXPECT_EQ(size_to_text(26214400), "25MiB");
  EXPECT_EQ(size_to_text(256 * 1024), "256KiB");
  for (std::uint64_t size : {std::uint64_t{1}, std::uint64_t{1025}, std::uint64_t{1} << 50, UINT64_MAX}) {
    EXPECT_EQ(parse_size(size_to_text(size)), size);
  }
}

TEST(Rates, AreParsed) {
  EXPECT_EQ(parse_rate("300/1h burst 50"), (Rate{300, 1h, 50}));
  EXPECT_EQ(parse_rate("60/1m"), (Rate{60, 1min, 60}));
  EXPECT_EQ(parse_rate("60/1m  burst  5"), (Rate{60, 1min, 5}));
  for (std::string_view bad :
       {"", "60", "/1m", "60/", "60/m", "0/1m", "60/0s", "60/1m burst", "60/1m burst ", "60/1m burst0", "60/1m burst 0",
        "60/1m bust 5", "60/1m burst 5 6", "60 / 1m", "60/1m ", "-1/1m"}) {
    EXPECT_EQ(parse_rate(bad), std::nullopt) << bad;
  }
}

TEST(Rates, AreWrittenSoThatTheyParseAgain) {
  EXPECT_EQ(to_text(Rate{300, 1h, 50}), "300/1h burst 50");
  EXPECT_EQ(to_text(Rate{60, 1min, 60}), "60/1m");
  Rate odd{7, 90s, 1};
  EXPECT_EQ(parse_rate(to_text(odd)), odd);
}

TEST(Dates, OfMail) {
  EXPECT_EQ(mail_date(utc(2026, 11, 22, 21h + 55min + 29s)), "Sun, 22 Nov 2026 21:55:29 +0000");
  EXPECT_EQ(mail_date(utc(2024, 2, 29, 23h + 59min + 59s + 999ms)), "Thu, 29 Feb 2024 23:59:59 +0000");
  EXPECT_EQ(mail_date(utc(1970, 1, 1, 0s)), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(mail_date(utc(1969, 12, 31, 23h + 59min + 59s + 1ms)), "Wed, 31 Dec 1969 23:59:59 +0000");
}

TEST(Dates, OfTheLog) {
  EXPECT_EQ(log_time(utc(2026, 11, 22, 21h + 55min + 29s + 123ms + 999us)), "2026-11-22T21:55:29.123Z");
  EXPECT_EQ(log_time(utc(2000, 2, 29, 0s)), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(log_time(utc(1969, 12, 31, 23h + 59min + 59s + 7ms)), "1969-12-31T23:59:59.007Z");
  std::string line = "at ";
  append_log_time(line, utc(2026, 1, 2, 3h + 4min + 5s + 6ms));
  EXPECT_EQ(line, "at 2026-01-02T03:04:05.006Z");
}

}  // namespace
}  // namespace sallyport
