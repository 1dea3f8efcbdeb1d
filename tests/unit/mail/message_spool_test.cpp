// A message over its memory: the rest goes to an unnamed file, and what happens when that fails (threats.md R3, R6).
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "gateway/mail/message.h"
#include "tests/unit/mail/fake_spool.h"
#include "tests/unit/mail/reading.h"

namespace sallyport::mail {
namespace {

constexpr std::size_t KiB = 1024;

TEST(MessageSpool, IsNotOpenedForWhatFitsIntoMemory) {
  FakeSpool spool;
  Message message(MessageLimits{}, spool);
  const std::string octets = "\r\n" + some_octets(256 * KiB - 2);
  append_in_pieces(message, octets, 10000);
  EXPECT_TRUE(spool.files.empty());
  message.append("xy");
  EXPECT_EQ(spool.files.size(), 1u);
  EXPECT_TRUE(body_of(message) == octets.substr(2) + "xy");
}

TEST(MessageSpool, TakesTheRestInBlocksOf64KiB) {
  const std::string body = some_octets(1000 * KiB);
  for (std::size_t piece : {777u, 64u * 1024, 2000u * 1024}) {
    FakeSpool spool;
    Message message(MessageLimits{}, spool);
    append_in_pieces(message, "A: b\r\n\r\n" + body, piece);
    ASSERT_EQ(spool.files.size(), 1u);
    for (std::size_t write : spool.files[0]->writes) EXPECT_EQ(write, 64 * KiB);
    // No more than the bound stays in memory.
    EXPECT_GE(spool.files[0]->octets.size(), 1000 * KiB - 256 * KiB);
    EXPECT_TRUE(body_of(message) == body) << piece;
    EXPECT_TRUE(body_of(message) == body) << "read again";
  }
}

TEST(MessageSpool, WorksUnderAnyMemoryBound) {
  const std::string body = some_octets(300 * KiB);
  for (std::uint64_t bound : {0u, 1u, 4096u, 10000u, 64u * 1024, 70000u, 200u * 1024}) {
    FakeSpool spool;
    Message message(MessageLimits{1u << 20, bound}, spool);
    append_in_pieces(message, "A: b\r\n\r\n" + body, 1500);
    EXPECT_TRUE(body_of(message) == body) << bound;
    ASSERT_EQ(spool.files.size(), 1u) << bound;
    EXPECT_GE(spool.files[0]->octets.size() + std::max<std::uint64_t>(bound, 4 * KiB), body.size()) << bound;
  }
}

TEST(MessageSpool, IsReadFromAnyOffsetOn) {
  const std::string body = some_octets(300 * KiB);
  for (std::uint64_t bound : {0u, 4096u, 70000u, 1u << 20}) {
    FakeSpool spool;
    Message message(MessageLimits{1u << 20, bound}, spool);
    append_in_pieces(message, "A: b\r\n\r\n" + body, 1500);
    for (std::size_t offset : {std::size_t{0}, std::size_t{1}, 4 * KiB, 4 * KiB + 1, 65535 * std::size_t{1}, 64 * KiB,
                               200 * KiB + 7, 300 * KiB - 1, 300 * KiB, 301 * KiB}) {
      std::string read;
      Message::BodyPieces pieces = message.body_from(offset);
      for (auto piece = pieces.next(); piece && !piece->empty(); piece = pieces.next()) read += *piece;
      EXPECT_TRUE(read == body.substr(std::min(offset, body.size()))) << bound << " from " << offset;
    }
  }
}

TEST(MessageSpool, IsNotReadWhenItWasNotKept) {
  FakeSpool spool;
  Message message(MessageLimits{200 * KiB, 4096}, spool);
  message.append("\r\n" + some_octets(201 * KiB));
  EXPECT_FALSE(message.body_from(0).next());
  EXPECT_FALSE(message.body_from(1000).next());
}

TEST(MessageSpool, IsClosedWithTheMessage) {
  FakeSpool spool;
  {
    Message message(MessageLimits{1u << 20, 4096}, spool);
    message.append("\r\n" + some_octets(100 * KiB));
    ASSERT_EQ(spool.files.size(), 1u);
    EXPECT_TRUE(spool.files[0]->is_open);
  }
  EXPECT_FALSE(spool.files[0]->is_open);
}

TEST(MessageSpool, IsClosedWhenTheMessageGrowsOverItsLimit) {
  FakeSpool spool;
  Message message(MessageLimits{200 * KiB, 4096}, spool);
  message.append("\r\n" + some_octets(100 * KiB));
  ASSERT_TRUE(spool.files[0]->is_open);
  message.append(some_octets(100 * KiB));
  EXPECT_TRUE(message.is_over_limit());
  EXPECT_FALSE(spool.files[0]->is_open);
}

TEST(MessageSpool, ThatCannotBeOpenedOrWrittenIsRemembered) {
  for (bool open_fails : {true, false}) {
    FakeSpool spool;
    spool.open_fails = open_fails;
    spool.append_fails = !open_fails;
    Message message(MessageLimits{1u << 20, 64 * KiB}, spool);
    message.append("\r\n" + some_octets(64 * KiB));
    EXPECT_FALSE(message.has_failed());
    message.append(some_octets(100 * KiB));
    EXPECT_TRUE(message.has_failed());
    EXPECT_EQ(message.octets(), 164 * KiB + 2);
    EXPECT_EQ(message.body_octets(), 164 * KiB);
    EXPECT_EQ(body_of(message), "<failed>");
    message.append("more");  // is read on to its end all the same
    EXPECT_EQ(message.octets(), 164 * KiB + 6);
  }
}

TEST(MessageSpool, ThatCannotBeReadIsAnError) {
  FakeSpool spool;
  Message message(MessageLimits{1u << 20, 4096}, spool);
  message.append("\r\n" + some_octets(100 * KiB));
  EXPECT_NE(body_of(message), "<failed>");
  spool.read_fails = true;
  EXPECT_EQ(body_of(message), "<failed>");
  spool.read_fails = false;
  spool.read_is_short = true;
  EXPECT_EQ(body_of(message), "<failed>");
}

}  // namespace
}  // namespace sallyport::mail
