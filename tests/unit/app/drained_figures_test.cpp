// How a process that sees its last sessions off, and those that have its place, keep each event in one place.
#include "gateway/app/drained_figures.h"

#include <gtest/gtest.h>

#include "gateway/app/drain_reports.h"

namespace sallyport::app {
namespace {

using namespace std::chrono_literals;

Metrics figures(double relayed, double sessions = 0) {
  return {{"sallyport_relayed_total", "x", MetricType::counter, {{"", {}, relayed}}},
          {"sallyport_sessions", "x", MetricType::gauge, {{"", {}, sessions}}}};
}

double value_of(const Metrics& metrics, std::string_view name) {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return metric.samples.front().value;
  }
  ADD_FAILURE() << "no " << name;
  return -1;
}

// One that serves: what it has counted itself, and what it shows.
struct Serving {
  explicit Serving(std::string name) : drained(std::move(name)) {}
  double shown(std::string_view name, Time now = Time(1s)) const {
    Metrics metrics = figures(relayed);
    drained.add_to(metrics, now);
    return value_of(metrics, name);
  }
  DrainedFigures drained;
  double relayed = 0;
};

// One that drains: tells until somebody has taken it.
void tell(DrainReport& report, Serving& to, const Metrics& now, bool is_last = false) {
  while (report.heard(to.drained.take(report.next(now, is_last), Time(1s)))) continue;
}

TEST(DrainedFigures, CountFromTheChangeOnAndOnce) {
  DrainReport report("old", figures(1000));
  Serving serving("new");
  serving.relayed = 5;
  EXPECT_EQ(serving.shown("sallyport_draining_processes"), 0);
  tell(report, serving, figures(1001, 3));
  tell(report, serving, figures(1002, 2));
  EXPECT_EQ(serving.shown("sallyport_relayed_total"), 7);
  EXPECT_EQ(serving.shown("sallyport_draining_processes"), 1);
  EXPECT_EQ(serving.shown("sallyport_draining_sessions"), 2);
  tell(report, serving, figures(1004, 0), true);
  EXPECT_EQ(serving.shown("sallyport_relayed_total"), 9);
  EXPECT_EQ(serving.shown("sallyport_draining_processes"), 0);
}

TEST(DrainedFigures, AnOldMessageThatComesLateCountsForNothing) {
  DrainReport report("old", figures(0));
  Serving serving("new");
  const control::Drained late = report.next(figures(1, 1), false);
  tell(report, serving, figures(2), true);
  EXPECT_TRUE(serving.drained.take(late, Time(1s)).taken);
  EXPECT_EQ(serving.shown("sallyport_relayed_total"), 2);
  EXPECT_EQ(serving.shown("sallyport_draining_processes"), 0);
}

TEST(DrainedFigures, OneThatFallsSilentDrainsNoMoreAndItsCountsStay) {
  DrainReport report("old", figures(0));
  Serving serving("new");
  tell(report, serving, figures(2, 1));
  const Time later = Time(1s) + DrainedFigures::longest_silence;
  EXPECT_EQ(serving.shown("sallyport_draining_processes", later), 0);
  EXPECT_EQ(serving.shown("sallyport_draining_sessions", later), 0);
  EXPECT_EQ(serving.shown("sallyport_relayed_total", later), 2);
}

// The place changes hands again while the first one still drains: what the second has taken is in the second's figures.
TEST(DrainedFigures, EachOneThatHasThePlaceIsToldWhatTheOneBeforeHasNot) {
  DrainReport report("first", figures(100));
  Serving second("second"), third("third");
  tell(report, second, figures(103));
  tell(report, third, figures(107, 1));
  EXPECT_EQ(second.shown("sallyport_relayed_total"), 3);
  EXPECT_EQ(third.shown("sallyport_relayed_total"), 4);
  tell(report, third, figures(108), true);
  EXPECT_EQ(third.shown("sallyport_relayed_total"), 5);
}

TEST(DrainedFigures, AreOfABoundedNumberOfProcesses) {
  Serving serving("new");
  for (int i = 0; i < 100; ++i) {
    DrainReport report(std::to_string(i), figures(0));
    const bool is_last = i < 50;
    const auto answer = serving.drained.take(report.next(figures(1), is_last), Time(1s));
    EXPECT_FALSE(report.heard(answer));
    EXPECT_EQ(answer.taken, static_cast<std::size_t>(i) < 50 + DrainedFigures::most_processes) << i;
  }
  EXPECT_EQ(serving.shown("sallyport_relayed_total"), 50 + DrainedFigures::most_processes);
  EXPECT_EQ(serving.shown("sallyport_draining_processes"), DrainedFigures::most_processes);
}

}  // namespace
}  // namespace sallyport::app
