#include "gateway/supervise/link.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>

#include "gateway/base/version.h"

namespace sallyport::supervise {
namespace {

struct TwoEnds {
  TwoEnds() {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
    supervisor.reset(pair[0]);
    link = Link(Descriptor(pair[1]));
  }
  Descriptor supervisor;
  Link link;
};

TEST(Link, SaysOfItselfWhatAnUpgradeHasToKnow) {
  TwoEnds ends;
  ends.link.tell_ready();
  const auto message = receive_message(ends.supervisor.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->word, Word::ready);
  EXPECT_EQ(message->text, std::to_string(handover_format) + " " + std::string(version()));
}

TEST(Link, AReasonOfAnyLengthComesInPiecesAndIsBounded) {
  TwoEnds ends;
  std::string reason;
  for (int i = 0; i < 500; ++i) reason += "line " + std::to_string(i) + "\n";
  ends.link.tell_why(reason);
  std::string heard;
  while (const auto message = receive_message(ends.supervisor.get())) {
    EXPECT_EQ(message->word, Word::why);
    heard += message->text;
  }
  EXPECT_EQ(heard, reason);
  ends.link.tell_why(std::string(1'000'000, 'x'));
  std::size_t octets = 0;
  while (const auto message = receive_message(ends.supervisor.get())) octets += message->text.size();
  EXPECT_GT(octets, 10'000U);
  EXPECT_LE(octets, 64'000U);
}

TEST(Link, HasThePlaceOnlyWhenItIsGiven) {
  TwoEnds ends;
  send_message(ends.supervisor.get(), Word::serve, {});
  EXPECT_TRUE(ends.link.wait_for_place());
  send_message(ends.supervisor.get(), Word::not_upgraded, {});
  EXPECT_FALSE(ends.link.wait_for_place());
  ends.supervisor.reset();
  EXPECT_FALSE(ends.link.wait_for_place());
  EXPECT_FALSE(ends.link.ask_for_upgrade());
}

}  // namespace
}  // namespace sallyport::supervise
