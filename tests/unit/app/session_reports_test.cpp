#include "gateway/app/session_reports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sallyport::app {
namespace {

using control::SessionOrder;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

const Moment now{Time(std::chrono::seconds(1000)), {}, {}};

Time ago(int seconds) { return now.now - std::chrono::seconds(seconds); }

session::Look look(std::string id, int age) {
  session::Look made;
  made.id = std::move(id);
  made.began = ago(age);
  made.in_phase_since = ago(0);
  return made;
}

std::vector<std::string> ids(const std::vector<session::Look>& looks) {
  std::vector<std::string> found;
  for (const session::Look& one : looks) found.push_back(one.id);
  return found;
}

std::vector<std::string> order_of(std::vector<session::Look> looks, SessionOrder order, std::size_t limit = 10) {
  std::vector<std::string> found;
  const std::uint64_t open = looks.size();
  const auto reports = session_reports({{1, open, std::move(looks)}}, {order, limit}, 1, now);
  for (const control::SessionReport& report : reports.sessions) found.push_back(report.id);
  return found;
}

TEST(FirstSessions, KeepsTheFirstOfTheOrderHoweverManyThereAre) {
  FirstSessions first(SessionOrder::age, 3);
  for (const int age : {5, 900, 3, 7, 800, 1, 700, 2}) first.offer(look(std::to_string(age), age));
  EXPECT_THAT(ids(first.take()), UnorderedElementsAre("900", "800", "700"));
}

TEST(FirstSessions, OfFewerAllAreKept) {
  FirstSessions first(SessionOrder::held, 100);
  first.offer(look("a", 1));
  first.offer(look("b", 2));
  EXPECT_THAT(ids(first.take()), UnorderedElementsAre("a", "b"));
}

TEST(SessionReports, StandInTheOrderThatIsAskedFor) {
  session::Look old = look("old", 500), silent = look("silent", 20), large = look("large", 30), busy = look("busy", 10);
  silent.client_silent_since = ago(19);
  old.client_silent_since = ago(2);
  large.held_octets = 70'000;
  busy.in_phase_since = ago(9);
  busy.held_octets = 5;
  const std::vector<session::Look> all{busy, large, silent, old};
  EXPECT_THAT(order_of(all, SessionOrder::age), ElementsAre("old", "large", "silent", "busy"));
  EXPECT_THAT(order_of(all, SessionOrder::idle), ElementsAre("silent", "old", "large", "busy"));
  EXPECT_THAT(order_of(all, SessionOrder::held), ElementsAre("large", "busy", "old", "silent"));
  EXPECT_THAT(order_of(all, SessionOrder::state), ElementsAre("busy", "old", "large", "silent"));
  EXPECT_THAT(order_of(all, SessionOrder::age, 2), ElementsAre("old", "large"));
}

TEST(SessionReports, AreThoseOfAllWorkersAndSayWhoIsMissing) {
  std::vector<SeenSessions::Part> parts;
  parts.push_back({2, 5000, {look("b", 7)}});
  parts.push_back({1, 11, {look("a", 3)}});
  const auto reports = session_reports(std::move(parts), {SessionOrder::age, 1}, 3, now);
  EXPECT_EQ(reports.open, 5011u);
  EXPECT_EQ(reports.silent_workers, 1u);
  ASSERT_EQ(reports.sessions.size(), 1u);
  EXPECT_EQ(reports.sessions[0].id, "b");
  EXPECT_EQ(reports.sessions[0].worker, 2u);
}

TEST(SessionReports, TellTimesAndWhatPeersSaySafely) {
  session::Look one = look("a", 61);
  one.phase = session::Phase::relaying;
  one.peer = *SocketAddress::parse("192.0.2.7:99");
  one.client = *IpAddress::parse("2001:db8::1");
  one.helo = "x\x1b[2J\xe2\x80\xae\xff";
  one.sender = "a\r\nb@x";
  one.client_silent_since = ago(-5);  // noted after the moment was taken
  const auto reports = session_reports({{1, 1, {one}}}, {}, 1, now);
  const control::SessionReport& told = reports.sessions.at(0);
  EXPECT_EQ(told.state, "relaying");
  EXPECT_EQ(told.peer, "192.0.2.7:99");
  EXPECT_EQ(told.client, "2001:db8::1");
  EXPECT_EQ(told.helo, "x?[2J??");
  EXPECT_EQ(told.sender, "a??b@x");
  EXPECT_EQ(told.age, 61'000);
  EXPECT_EQ(told.in_state, 0);
  EXPECT_EQ(told.idle, 0);
}

}  // namespace
}  // namespace sallyport::app
