#include "gateway/dns/answer.h"

#include <gtest/gtest.h>

namespace sallyport::dns {
namespace {

Answer with(Status status) {
  Answer answer;
  answer.status = status;
  return answer;
}

TEST(Answer, IsFoundAbsentOrFailed) {
  EXPECT_TRUE(with(Status::ok).found());
  for (Status status : {Status::no_data, Status::nxdomain}) {
    EXPECT_TRUE(with(status).is_absent()) << name(status);
    EXPECT_FALSE(with(status).failed()) << name(status);
  }
  for (Status status : {Status::servfail, Status::timeout, Status::budget}) {
    EXPECT_TRUE(with(status).failed()) << name(status);
    EXPECT_FALSE(with(status).found()) << name(status);
  }
}

TEST(Answer, IsAFailureUntilSomethingIsKnown) { EXPECT_TRUE(Answer{}.failed()); }

TEST(RecordData, IsWrittenForPeople) {
  EXPECT_EQ(to_string(RecordData(IpAddress::v4({127, 0, 0, 2}))), "127.0.0.2");
  EXPECT_EQ(to_string(RecordData(std::string("v=spf1 -all"))), "v=spf1 -all");
  EXPECT_EQ(to_string(RecordData(Mx{10, "mx.example.org"})), "10 mx.example.org");
}

TEST(Names, AreThoseOfTheRfcs) {
  EXPECT_EQ(name(Type::AAAA), "AAAA");
  EXPECT_EQ(name(Type::SOA), "SOA");
  EXPECT_EQ(name(Status::no_data), "no_data");
}

}  // namespace
}  // namespace sallyport::dns
