#include "gateway/cli/top_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/field_json.h"

namespace sallyport::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Metric figure(std::string name, double value) { return {std::move(name), "x", MetricType::gauge, {{"", {}, value}}}; }

Metric histogram(std::string name, std::vector<std::pair<std::string, double>> buckets) {
  Metric metric{std::move(name), "x", MetricType::histogram, {}};
  for (const auto& [bound, count] : buckets) metric.samples.push_back({"_bucket", {{"le", bound}}, count});
  return metric;
}

control::State state(double uptime, double relayed, double slow) {
  control::State state;
  state.metrics = {figure("sallyport_uptime_seconds", uptime), figure("sallyport_sessions", 7),
                   figure("sallyport_relayed_total", relayed),
                   histogram("sallyport_mail_seconds", {{"0.1", 100}, {"1", 100 + slow}, {"+Inf", 100 + slow}}),
                   histogram("sallyport_dns_question_seconds", {{"0.1", 3}, {"+Inf", 3}})};
  return state;
}

TEST(Top, RatesAreThoseBetweenTwoLooks) {
  const control::State before = state(100, 1000, 0);
  const TopFigures figures = top_figures(state(102, 1010, 0), &before, 2);
  EXPECT_EQ(figures.sessions, 7);
  EXPECT_EQ(figures.verdicts.front().what, "relayed");
  EXPECT_EQ(figures.verdicts.front().per_second, 5);
}

TEST(Top, OfOneLookTheyAreThoseSinceTheStart) {
  EXPECT_EQ(top_figures(state(100, 1000, 0), nullptr, 0).verdicts.front().per_second, 10);
  EXPECT_EQ(top_figures(control::State{}, nullptr, 0).verdicts.front().per_second, 0);
}

TEST(Top, ADaemonThatWasStartedAnewCountsFromNothing) {
  const control::State before = state(1000, 5000, 0);
  EXPECT_EQ(top_figures(state(10, 20, 0), &before, 1).verdicts.front().per_second, 2);
}

TEST(Top, TheSlowestComesFirstAndWhatDidNotHappenIsLeftOut) {
  const control::State before = state(100, 0, 0);
  const TopFigures figures = top_figures(state(101, 0, 9), &before, 1);
  ASSERT_EQ(figures.slowest.size(), 1u);  // no DNS question since
  EXPECT_EQ(figures.slowest.front().what, "mail");
  EXPECT_EQ(figures.slowest.front().seconds, 1);

  const TopFigures all = top_figures(state(101, 0, 9), nullptr, 1);
  ASSERT_EQ(all.slowest.size(), 2u);
  EXPECT_EQ(all.slowest.front().what, "mail");
  EXPECT_EQ(all.slowest.back().what, "dns question");
  EXPECT_EQ(all.slowest.back().seconds, 0.1);
}

TEST(Top, WhatIsLongerThanAllBoundsIsMore) {
  control::State late;
  late.metrics = {histogram("sallyport_upstream_final_reply_seconds", {{"1", 0}, {"300", 1}, {"+Inf", 10}})};
  const TopFigures figures = top_figures(late, nullptr, 0);
  ASSERT_EQ(figures.slowest.size(), 1u);
  EXPECT_TRUE(figures.slowest.front().is_more);
  EXPECT_EQ(figures.slowest.front().seconds, 300);
  EXPECT_THAT(top_lines(figures, 80, 50), Contains("  upstream final reply  more than 300.0 s"));
}

TEST(Top, NamesServersAndListsInTrouble) {
  control::State state;
  state.not_ready = {"draining"};
  state.metrics = {
      {"sallyport_upstream_server_up",
       "x",
       MetricType::gauge,
       {{"", {{"upstream", "a"}, {"server", "10.0.0.1:25"}}, 0}, {"", {{"upstream", "a"}, {"server", "b"}}, 1}}},
      {"sallyport_list_asked", "x", MetricType::gauge, {{"", {{"list", "zen"}}, 0}}}};
  EXPECT_THAT(top_figures(state, nullptr, 0).trouble,
              ElementsAre("draining", "server 10.0.0.1:25 of upstream a takes no mail", "list zen is not asked"));
}

TEST(Top, LinesFitTheTerminalAndAreClean) {
  control::State state;
  for (int i = 0; i < 100; ++i) state.not_ready.push_back("\x1b[2J " + std::string(200, 'x'));
  const auto lines = top_lines(top_figures(state, nullptr, 0), 40, 20);
  EXPECT_EQ(lines.size(), 20u);
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 40u);
    EXPECT_THAT(line, Not(HasSubstr("\x1b")));
  }
}

// A terminal of 24 lines shows both, however much there is of either.
TEST(Top, TroubleComesFirstAndLeavesRoomForTheRest) {
  control::State busy = state(100, 1000, 9);
  EXPECT_EQ(top_lines(top_figures(busy, nullptr, 0), 80, 23)[1], "no trouble");
  busy.not_ready = {"draining", "upstream a: no server is up"};
  auto lines = top_lines(top_figures(busy, nullptr, 0), 80, 23);
  ASSERT_GT(lines.size(), 4u);
  EXPECT_EQ(lines[1], "trouble");
  EXPECT_EQ(lines[2], "  draining");
  EXPECT_EQ(lines[3], "  upstream a: no server is up");
  EXPECT_THAT(lines, Contains(HasSubstr("  relayed")));
  EXPECT_THAT(lines, Contains("  mail  1.0 s"));

  for (int i = 0; i < 100; ++i) busy.not_ready.push_back("list " + std::to_string(i) + " is not asked");
  lines = top_lines(top_figures(busy, nullptr, 0), 80, 23);
  EXPECT_EQ(lines.size(), 23u);
  EXPECT_THAT(lines, Contains("  and 96 more"));
  EXPECT_THAT(lines, Contains(HasSubstr("  dropped")));
  EXPECT_THAT(top_lines(top_figures(busy, nullptr, 0), 80, 1000), Contains("  list 99 is not asked"));
  EXPECT_EQ(top_lines(top_figures(busy, nullptr, 0), 80, 2)[1], "trouble");
}

TEST(Top, TellsOfSessionsOfTheProcessBefore) {
  control::State now = state(100, 1000, 0);
  EXPECT_THAT(top_lines(top_figures(now, nullptr, 0), 80, 23), Not(Contains(HasSubstr("before this one"))));
  now.metrics.push_back(figure("sallyport_draining_processes", 2));
  now.metrics.push_back(figure("sallyport_draining_sessions", 3));
  EXPECT_THAT(top_lines(top_figures(now, nullptr, 0), 80, 23), Contains("sessions of 2 processes before this one: 3"));
}

TEST(Top, IsJsonForPrograms) {
  const std::string json = FieldWriter::json(top_figures(state(100, 1000, 9), nullptr, 0));
  EXPECT_THAT(json, HasSubstr(R"("sessions":7)"));
  EXPECT_THAT(json, HasSubstr(R"({"what":"relayed","per_second":10})"));
  EXPECT_THAT(json, HasSubstr(R"({"what":"mail","seconds":1,"is_more":false})"));
}

}  // namespace
}  // namespace sallyport::cli
