// What a list's codes mean (threats.md D8), and how ranges of them are written.
#include "policies/lists/list_answer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sallyport::policies {
namespace {

struct CodesCase {
  std::vector<std::string> codes;
  std::vector<std::string> reply;
  ListStatus status;
  std::vector<std::string> counted;
};

class ListCodes : public testing::TestWithParam<CodesCase> {};

TEST_P(ListCodes, Mean) {
  dns::Answer answer;
  answer.status = GetParam().codes.empty() ? dns::Status::nxdomain : dns::Status::ok;
  for (const std::string& code : GetParam().codes) answer.records.emplace_back(*IpAddress::parse(code));
  std::vector<ReplyRange> reply;
  for (const std::string& range : GetParam().reply) reply.push_back(parse_reply_range(range).value());
  const ListAnswer read = read_list_answer(answer, reply);
  EXPECT_EQ(read.status, GetParam().status);
  EXPECT_EQ(read.codes, GetParam().counted);
}

using Codes = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(
    ByDefault, ListCodes,
    testing::Values(
        CodesCase{{}, {}, ListStatus::no_hit, {}}, CodesCase{{"127.0.0.2"}, {}, ListStatus::hit, {"127.0.0.2"}},
        CodesCase{{"127.0.0.254"}, {}, ListStatus::hit, {"127.0.0.254"}},
        CodesCase{{"127.0.0.255"}, {}, ListStatus::no_hit, {}}, CodesCase{{"127.0.1.2"}, {}, ListStatus::no_hit, {}},
        CodesCase{{"127.0.0.2", "127.0.1.2", "127.0.0.10"}, {}, ListStatus::hit, {"127.0.0.2", "127.0.0.10"}}));

INSTANTIATE_TEST_SUITE_P(
    Configured, ListCodes,
    testing::Values(CodesCase{{"127.0.0.11"}, {"127.0.0.2-127.0.0.11"}, ListStatus::hit, {"127.0.0.11"}},
                    CodesCase{{"127.0.0.12"}, {"127.0.0.2-127.0.0.11"}, ListStatus::no_hit, {}},
                    CodesCase{{"127.0.0.30"}, {"127.0.0.2", "127.0.0.30"}, ListStatus::hit, {"127.0.0.30"}},
                    CodesCase{{"127.0.1.2"}, {"127.0.1.2-127.0.1.6"}, ListStatus::hit, {"127.0.1.2"}},
                    // Octet by octet: the third octet is a category, the fourth a level.
                    CodesCase{{"127.0.5.3"}, {"127.0.0.2-127.0.20.3"}, ListStatus::hit, {"127.0.5.3"}},
                    CodesCase{{"127.0.5.1"}, {"127.0.0.2-127.0.20.3"}, ListStatus::no_hit, {}}));

INSTANTIATE_TEST_SUITE_P(
    Errors, ListCodes,
    testing::Values(CodesCase{{"127.255.255.254"}, {}, ListStatus::error, {"127.255.255.254"}},
                    CodesCase{{"127.255.255.0"}, {"127.0.0.2-127.255.255.255"}, ListStatus::error, {"127.255.255.0"}},
                    CodesCase{{"127.0.0.1"}, {}, ListStatus::error, {"127.0.0.1"}},
                    CodesCase{{"127.0.0.1"}, {"127.0.0.0-127.0.0.255"}, ListStatus::error, {"127.0.0.1"}},
                    CodesCase{{"203.0.113.7"}, {}, ListStatus::error, {"203.0.113.7"}},
                    CodesCase{{"127.0.0.2", "203.0.113.7"}, {}, ListStatus::error, {"203.0.113.7"}},
                    CodesCase{{"127.0.0.2", "127.0.0.1"}, {}, ListStatus::error, {"127.0.0.1"}}));

TEST(ListAnswer, TellsFailuresFromAbsence) {
  struct Case {
    dns::Status answer;
    ListStatus status;
  };
  for (const Case& given :
       {Case{dns::Status::nxdomain, ListStatus::no_hit}, Case{dns::Status::no_data, ListStatus::no_hit},
        Case{dns::Status::servfail, ListStatus::failed}, Case{dns::Status::timeout, ListStatus::failed},
        Case{dns::Status::budget, ListStatus::not_asked}}) {
    dns::Answer answer;
    answer.status = given.answer;
    EXPECT_EQ(read_list_answer(answer, {}).status, given.status) << dns::name(given.answer);
  }
}

TEST(ReplyRange, IsReadFromText) {
  const auto one = parse_reply_range("127.0.0.2");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->first, one->last);
  const auto range = parse_reply_range("127.0.0.2-127.0.0.11");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->last, IpAddress::v4({127, 0, 0, 11}));
  EXPECT_TRUE(parse_reply_range("127.0.0.1-127.255.255.255")) << "holds others than errors";
}

TEST(ReplyRange, IsRefusedWhenItCanNeverBeAHit) {
  for (const char* text :
       {"", "127.0.0.1", "127.255.255.254", "127.255.255.0-127.255.255.255", "128.0.0.1", "10.0.0.2",
        "127.0.0.2-128.0.0.2", "127.0.0.11-127.0.0.2", "127.0.1.0-127.0.0.255", "127.0.0.2-", "-127.0.0.2",
        "127.0.0.2 - 127.0.0.3", "127.0.0.2-127.0.0.3-127.0.0.4", "::1", "127.0.0.2-::1", "2"}) {
    EXPECT_FALSE(parse_reply_range(text)) << text;
  }
}

TEST(ReplyRange, HoldsNoIpv6Address) {
  EXPECT_FALSE(parse_reply_range("127.0.0.2-127.255.255.255")->contains(*IpAddress::parse("7f00:2::")));
}

}  // namespace
}  // namespace sallyport::policies
