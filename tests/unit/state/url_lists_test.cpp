// Lists that web servers have: asked for in time, kept when the server fails, and over a restart.
#include "gateway/state/url_lists.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/lines_log.h"

namespace sallyport::state {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

using Headers = std::vector<std::pair<std::string, std::string>>;

class UrlListsTest : public testing::Test {
 protected:
  UrlListsTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sallyport-copies-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    folder += "/lists";
    begin();
  }
  ~UrlListsTest() override { std::filesystem::remove_all(std::filesystem::path(folder).parent_path()); }

  // As a start of the program does.
  void begin() {
    list.reset();
    lists = std::make_unique<UrlLists>(counters);
    open();
    ASSERT_TRUE(lists->keep_in(folder));
  }
  void open(const std::string& url = "https://web.example/list?key=secret") {
    auto opened = lists->open(io::ListAddress{url, {"web.example"}, "/ca.pem", hours(1)}, EntryKind::domain);
    ASSERT_TRUE(opened);
    list = std::move(*opened);
  }
  // Asks what is due, which is one question at most, and gives it the answer.
  io::HttpQuestion ask(Result<io::HttpAnswer> answer) {
    std::vector<UrlLists::Due> due = lists->due(now);
    EXPECT_EQ(due.size(), 1u);
    if (due.empty()) return {};
    UrlLists::Outcome outcome;
    if (answer) {
      outcome = lists->taking(due[0].list, std::move(*answer))();
    } else {
      outcome.problem = answer.error().message;
    }
    lists->note(*due[0].list, outcome, now, log);
    return due[0].question;
  }
  static io::HttpAnswer ok(const std::string& body, Headers headers = {}) { return {200, std::move(headers), body}; }
  bool has(const std::string& domain) const { return list->now()->contains(domain); }
  std::size_t copies() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
  }

  std::string folder;
  Counters counters;
  support::LinesLog log;
  Time now{hours(1)};
  std::unique_ptr<UrlLists> lists;
  std::shared_ptr<const io::LiveList> list;
};

TEST_F(UrlListsTest, AreAskedForWhenTheyAreOpenedAndInTheirInterval) {
  EXPECT_FALSE(list->is_there());
  EXPECT_EQ(list->now()->size(), 0u);
  const io::HttpQuestion question = ask(ok("a.example\n"));
  EXPECT_EQ(question.url, "https://web.example/list?key=secret");
  EXPECT_EQ(question.hosts, std::vector<std::string>{"web.example"});
  EXPECT_EQ(question.ca_file, "/ca.pem");
  EXPECT_TRUE(question.headers.empty());
  EXPECT_TRUE(list->is_there());
  EXPECT_TRUE(has("x.a.example"));
  now += minutes(59);
  EXPECT_TRUE(lists->due(now).empty());
  now += minutes(1);
  EXPECT_EQ(lists->due(now).size(), 1u);
  EXPECT_TRUE(lists->due(now).empty()) << "it is asked already";
  EXPECT_EQ(log.count({"event=list_read", "entries=1"}), 1u);
  EXPECT_EQ(log.find("secret"), "");
}

TEST_F(UrlListsTest, WhatHasNotChangedIsNotSentAgain) {
  ask(ok("a.example\n", {{"etag", "\"x1\""}, {"last-modified", "Sun, 29 Nov 2026 10:00:00 GMT"}}));
  now += hours(1);
  const Headers wanted = {{"If-None-Match", "\"x1\""}, {"If-Modified-Since", "Sun, 29 Nov 2026 10:00:00 GMT"}};
  EXPECT_EQ(ask(io::HttpAnswer{304, {}, {}}).headers, wanted);
  EXPECT_TRUE(has("a.example"));
  EXPECT_EQ(counters.get(Fault::reload_failed), 0u);
  now += hours(1);
  EXPECT_EQ(ask(ok("b.example\n", {{"etag", "bad\x01"}})).headers, wanted);
  now += hours(1);
  EXPECT_TRUE(ask(ok("b.example\n")).headers.empty()) << "the new copy has none that can be said back";
}

TEST_F(UrlListsTest, StayAsTheyWereWhenTheServerFails) {
  ask(ok("a.example\n"));
  const std::vector<Result<io::HttpAnswer>> failures = {Failure{"timeout"}, io::HttpAnswer{500, {}, "a.example\n"},
                                                        io::HttpAnswer{302, {}, {}}, ok("a.example\n<html>\n"),
                                                        io::HttpAnswer{206, {}, "b.example\n"}};
  std::size_t faults = 0;
  for (const auto& failure : failures) {
    now += hours(1);
    for (int i = 0; i < 3; ++i) {
      ask(failure);
      EXPECT_EQ(counters.get(Fault::reload_failed), ++faults);
      now += minutes(5);
      EXPECT_TRUE(lists->due(now).empty());
      now += minutes(1);
    }
    EXPECT_TRUE(has("a.example"));
    EXPECT_FALSE(has("b.example"));
  }
  EXPECT_EQ(log.count({"event=fault", "the list stays as it was"}), failures.size()) << "once for each problem";
  EXPECT_EQ(log.count({"event=fault", "web.example/list: line 2: not a domain name"}), 1u);
  EXPECT_EQ(log.find("secret"), "");
  ask(ok("b.example\n"));
  EXPECT_TRUE(has("b.example"));
}

TEST_F(UrlListsTest, SurviveARestart) {
  ask(ok("a.example\n# b.example\n", {{"etag", "\"x1\""}}));
  EXPECT_EQ(copies(), 1u);
  begin();
  EXPECT_TRUE(list->is_there());
  EXPECT_TRUE(has("a.example"));
  EXPECT_EQ(ask(Failure{"timeout"}).headers, (Headers{{"If-None-Match", "\"x1\""}}));
  EXPECT_TRUE(has("a.example"));
}

TEST_F(UrlListsTest, ACopyThatIsDamagedCountsAsNone) {
  ask(ok("a.example\n", {{"etag", "\"x1\""}}));
  const std::string file = std::filesystem::directory_iterator(folder)->path().string();
  for (const char* text : {"", "# etag: \"x1\"", "# etag: \"x1\"\n# last-modified: \nno domain\n", "a.example\n"}) {
    std::ofstream(file) << text;
    begin();
    EXPECT_FALSE(list->is_there()) << text;
    EXPECT_EQ(list->now()->size(), 0u);
  }
  ask(ok("b.example\n"));
  EXPECT_TRUE(has("b.example"));
}

TEST_F(UrlListsTest, CopiesOfOthersAreDeletedAtTheStart) {
  ask(ok("a.example\n"));
  list.reset();
  lists = std::make_unique<UrlLists>(counters);
  open("https://web.example/another");
  std::ofstream(folder + "/x.list.new-1") << "half";
  std::ofstream(folder + "/of-somebody") << "else";
  ASSERT_TRUE(lists->keep_in(folder));
  EXPECT_EQ(copies(), 1u) << "what is none of ours stays";
}

TEST_F(UrlListsTest, WhereNoCopyCanBeKeptTheyGoOn) {
  std::filesystem::remove_all(folder);
  std::ofstream(folder) << "a file";
  EXPECT_FALSE(UrlLists(counters).keep_in(folder + "/below"));
  ask(ok("a.example\n"));
  EXPECT_TRUE(has("a.example"));
  EXPECT_EQ(counters.get(Fault::state), 1u);
  EXPECT_EQ(log.count({"event=fault", "kind=state"}), 1u);
}

TEST_F(UrlListsTest, ThatNobodyUsesAreNotAskedFor) {
  list.reset();
  EXPECT_TRUE(lists->due(now).empty());
}

}  // namespace
}  // namespace sallyport::state
