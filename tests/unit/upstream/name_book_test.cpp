// The addresses of names: what is asked, when again, and what stays when the DNS fails.
#include "gateway/upstream/name_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/support/manual_loop.h"

namespace sallyport::upstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view mail = "mail.acme.internal";

class NameBookTest : public testing::Test {
 protected:
  std::vector<NameBook::News> refresh(Names names = {std::string(mail)}) {
    return loop.run_until_done(book.refresh(names, hosts, dns, loop.scheduler(), loop.now() + std::chrono::seconds(5)));
  }
  std::vector<std::string> addresses(std::string_view name = mail) const {
    std::vector<std::string> list;
    for (const IpAddress& ip : book.addresses(name)) list.push_back(ip.to_string());
    return list;
  }
  Duration until_due() const { return book.due({std::string(mail)}) - loop.now(); }
  void set(dns::Type type, std::vector<std::string> ips, std::chrono::seconds ttl) {
    dns::Answer answer;
    answer.status = ips.empty() ? dns::Status::no_data : dns::Status::ok;
    for (const std::string& ip : ips) answer.records.emplace_back(*IpAddress::parse(ip));
    answer.ttl = ttl;
    dns.answers[type] = answer;
  }
  void set(dns::Type type, dns::Status status, std::chrono::seconds ttl = {}) {
    dns.answers[type] = dns::Answer{status, {}, ttl, false};
  }

  // Answers by type alone.
  struct Resolver final : io::Resolver {
    Task<dns::Answer> lookup(dns::Question question, Time) override {
      asked.push_back(question);
      co_return answers.at(question.type);
    }
    std::map<dns::Type, dns::Answer> answers;
    std::vector<dns::Question> asked;
  };

  support::ManualLoop loop;
  HostsTable hosts;
  Resolver dns;
  NameBook book;
};

TEST_F(NameBookTest, ANameHasTheAddressesOfBothFamiliesInAnOrderThatStays) {
  set(dns::Type::A, {"10.1.0.9", "10.1.0.5", "10.1.0.9"}, std::chrono::seconds(300));
  set(dns::Type::AAAA, {"2001:db8::5"}, std::chrono::seconds(40));
  const auto news = refresh();
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.5", "10.1.0.9", "2001:db8::5"));
  ASSERT_EQ(news.size(), 1u);
  EXPECT_TRUE(news[0].has_changed);
  EXPECT_EQ(news[0].problem, "");
  EXPECT_EQ(until_due(), std::chrono::seconds(40)) << "the shorter of the two";
}

TEST_F(NameBookTest, AsksAgainWhenTheTtlIsOverAndNotBefore) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(40));
  set(dns::Type::AAAA, {}, std::chrono::seconds(900));
  refresh();
  set(dns::Type::A, {"10.1.0.6"}, std::chrono::seconds(40));
  loop.advance(std::chrono::seconds(39));
  EXPECT_THAT(refresh(), IsEmpty());
  EXPECT_EQ(dns.asked.size(), 2u);
  loop.advance(std::chrono::seconds(1));
  EXPECT_EQ(refresh().size(), 1u);
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.6"));
}

TEST_F(NameBookTest, WhatIsRecalledCountsUntilTheDnsSaysSomethingElse) {
  book.recall(std::string(mail), *IpAddress::parse("10.1.0.7"));
  book.recall(std::string(mail), *IpAddress::parse("10.1.0.5"));
  book.recall(std::string(mail), *IpAddress::parse("10.1.0.7"));
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.5", "10.1.0.7"));
  set(dns::Type::A, dns::Status::timeout);
  set(dns::Type::AAAA, dns::Status::timeout);
  refresh();
  EXPECT_EQ(dns.asked.size(), 2u) << "it is asked for at once";
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.5", "10.1.0.7"));
  set(dns::Type::A, {"10.1.0.9"}, std::chrono::seconds(40));
  set(dns::Type::AAAA, {}, std::chrono::seconds(40));
  loop.advance(NameBook::look_again);
  refresh();
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.9"));
}

TEST_F(NameBookTest, BoundsOfTheTtl) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(0));
  set(dns::Type::AAAA, {}, std::chrono::seconds(0));
  refresh();
  EXPECT_EQ(until_due(), NameBook::shortest_life);
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(86400));
  set(dns::Type::AAAA, {}, std::chrono::seconds(86400));
  loop.advance(NameBook::shortest_life);
  EXPECT_THAT(refresh(), IsEmpty()) << "nothing has changed";
  EXPECT_EQ(until_due(), NameBook::longest_life);
}

TEST_F(NameBookTest, ANameThatStopsResolvingKeepsItsLastAddresses) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(10));
  set(dns::Type::AAAA, {"2001:db8::5"}, std::chrono::seconds(10));
  refresh();
  for (const dns::Status status :
       {dns::Status::nxdomain, dns::Status::servfail, dns::Status::no_data, dns::Status::timeout}) {
    SCOPED_TRACE(dns::name(status));
    set(dns::Type::A, status);
    set(dns::Type::AAAA, status);
    loop.advance(std::chrono::seconds(10));
    const bool is_first = book.problem(mail).empty();
    EXPECT_EQ(refresh().size(), is_first ? 1u : 0u) << "it is said once";
    EXPECT_THAT(addresses(), ElementsAre("10.1.0.5", "2001:db8::5"));
    EXPECT_EQ(book.problem(mail), dns::name(status));
    EXPECT_LE(until_due(), NameBook::look_again);
  }
  set(dns::Type::A, {"10.1.0.7"}, std::chrono::seconds(10));
  set(dns::Type::AAAA, {}, std::chrono::seconds(10));
  loop.advance(std::chrono::seconds(10));
  const auto news = refresh();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_EQ(news[0].problem, "");
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.7"));
}

TEST_F(NameBookTest, AFailureOfOneFamilySaysNothingOfThatFamily) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(60));
  set(dns::Type::AAAA, {"2001:db8::5"}, std::chrono::seconds(60));
  refresh();
  set(dns::Type::A, {"10.1.0.6"}, std::chrono::seconds(60));
  set(dns::Type::AAAA, dns::Status::servfail);
  loop.advance(std::chrono::seconds(60));
  refresh();
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.6", "2001:db8::5"));
  EXPECT_EQ(book.problem(mail), "servfail");
  set(dns::Type::AAAA, dns::Status::no_data);
  loop.advance(std::chrono::seconds(60));
  refresh();
  EXPECT_THAT(addresses(), ElementsAre("10.1.0.6"));
}

TEST_F(NameBookTest, ServersThatNeverAnswerForAaaaAreNoProblem) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(60));
  set(dns::Type::AAAA, dns::Status::timeout);
  refresh();
  EXPECT_EQ(book.problem(mail), "");
  EXPECT_EQ(until_due(), std::chrono::seconds(60));
}

TEST_F(NameBookTest, ANameThatWasNeverThere) {
  set(dns::Type::A, dns::Status::nxdomain, std::chrono::seconds(900));
  set(dns::Type::AAAA, dns::Status::nxdomain, std::chrono::seconds(900));
  const auto news = refresh();
  ASSERT_EQ(news.size(), 1u);
  EXPECT_FALSE(news[0].has_changed);
  EXPECT_EQ(news[0].problem, "nxdomain");
  EXPECT_THAT(addresses(), IsEmpty());
  EXPECT_EQ(until_due(), NameBook::look_again);
}

TEST_F(NameBookTest, TheHostsFileComesBeforeTheDns) {
  hosts = HostsTable::parse(
      "# comment\n10.9.0.1 Mail.Acme.Internal mail # that one\nfe80::1%eth0 mail.acme.internal\n"
      "2001:db8::9\tmail.acme.internal.\nnonsense mail.acme.internal\n");
  refresh();
  EXPECT_THAT(addresses(), ElementsAre("10.9.0.1", "2001:db8::9"));
  EXPECT_THAT(dns.asked, IsEmpty());
  EXPECT_EQ(until_due(), NameBook::look_again) << "the file may change";
}

TEST_F(NameBookTest, LocalhostIsThisHostWhateverTheDnsSays) {
  refresh({"localhost", "mail.localhost"});
  EXPECT_THAT(addresses("localhost"), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(addresses("mail.localhost"), ElementsAre("127.0.0.1", "::1"));
  EXPECT_THAT(dns.asked, IsEmpty());
}

TEST_F(NameBookTest, AsksForManyNamesAndForgetsWhatAConfigurationNamesNoMore) {
  set(dns::Type::A, {"10.1.0.5"}, std::chrono::seconds(60));
  set(dns::Type::AAAA, {}, std::chrono::seconds(60));
  Names names;
  for (int i = 0; i < 50; ++i) names.insert("mail" + std::to_string(i) + ".example");
  EXPECT_EQ(refresh(names).size(), 50u);
  EXPECT_EQ(dns.asked.size(), 100u);
  book.forget_others({"mail7.example"});
  EXPECT_THAT(addresses("mail7.example"), ElementsAre("10.1.0.5"));
  EXPECT_THAT(addresses("mail8.example"), IsEmpty());
}

}  // namespace
}  // namespace sallyport::upstream
