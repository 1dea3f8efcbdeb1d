// The body of a message: kept in memory in growing blocks, and only counted past the size limit.
#include "gateway/mail/message.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/mail/reading.h"

namespace sallyport::mail {
namespace {

constexpr std::size_t KiB = 1024;

std::vector<std::size_t> piece_sizes(const Message& message) {
  std::vector<std::size_t> sizes;
  for (auto pieces = message.body();;) {
    auto piece = pieces.next();
    if (!piece || piece->empty()) return sizes;
    sizes.push_back(piece->size());
  }
}

TEST(Message, GivesTheBodyBackAsItWasHoweverItCame) {
  const std::string body = some_octets(150 * KiB);
  for (std::size_t piece : {1u, 2u, 1000u, 4096u, 16384u, 1000000u}) {
    FakeSpool spool;
    Message message(MessageLimits{}, spool);
    append_in_pieces(message, "A: b\r\n\r\n" + body, piece);
    EXPECT_TRUE(body_of(message) == body) << piece;
    EXPECT_EQ(message.body_octets(), body.size());
    EXPECT_EQ(message.octets(), body.size() + 8);
    EXPECT_TRUE(spool.files.empty());
  }
}

TEST(Message, GrowsInBlocksThatDoubleUpTo64KiB) {
  FakeSpool spool;
  Message small(MessageLimits{}, spool);
  small.append("A: b\r\n\r\n" + some_octets(2 * KiB));
  EXPECT_EQ(piece_sizes(small), (std::vector<std::size_t>{2 * KiB}));

  Message large(MessageLimits{10u << 20, 1u << 20}, spool);
  large.append("A: b\r\n\r\n" + some_octets(200 * KiB));
  EXPECT_EQ(piece_sizes(large),
            (std::vector<std::size_t>{4 * KiB, 8 * KiB, 16 * KiB, 32 * KiB, 64 * KiB, 64 * KiB, 12 * KiB}));
}

TEST(Message, CanBeReadTwice) {
  FakeSpool spool;
  Message message(MessageLimits{}, spool);
  message.append("\r\nsome body");
  EXPECT_EQ(body_of(message), "some body");
  EXPECT_EQ(body_of(message), "some body");
}

TEST(Message, KeepsItsBodyWhenMoved) {
  FakeSpool spool;
  const std::string body = some_octets(400 * KiB);
  Message first(MessageLimits{}, spool);
  first.append("\r\n" + body.substr(0, 300 * KiB));
  Message second(std::move(first));
  second.append(body.substr(300 * KiB));
  EXPECT_TRUE(body_of(second) == body);
}

TEST(Message, OnlyCountsPastItsLimit) {
  FakeSpool spool;
  Message message(MessageLimits{1000, 256 * KiB}, spool);
  message.append("A: b\r\n\r\n");
  message.append(some_octets(992));
  EXPECT_FALSE(message.is_over_limit());
  EXPECT_EQ(body_of(message).size(), 992u);
  message.append("x");
  EXPECT_TRUE(message.is_over_limit());
  for (int i = 0; i < 100; ++i) message.append(some_octets(100 * KiB));
  EXPECT_EQ(message.octets(), 1001u + 100 * 100 * KiB);
  EXPECT_EQ(message.body_octets(), 993u + 100 * 100 * KiB);
  EXPECT_TRUE(spool.files.empty());
  EXPECT_EQ(body_of(message), "<failed>");
  EXPECT_EQ(message.header_octets(), "A: b\r\n\r\n");
}

TEST(Message, OverItsLimitWithinTheHeaderKeepsNothingMore) {
  FakeSpool spool;
  Message message(MessageLimits{10, 256 * KiB}, spool);
  message.append("A: b\r\n");
  message.append("B: c\r\n\r\nbody");
  EXPECT_TRUE(message.is_over_limit());
  EXPECT_EQ(message.header_octets(), "A: b\r\n");
}

}  // namespace
}  // namespace sallyport::mail
