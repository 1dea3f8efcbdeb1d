#include "gateway/supervise/link.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

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
  EXPECT_EQ(message->text(), std::to_string(handover_format) + " " + std::string(version()));
}

TEST(Link, AReasonOfAnyLengthComesInPiecesAndIsBounded) {
  TwoEnds ends;
  std::string reason;
  for (int i = 0; i < 500; ++i) reason += "line " + std::to_string(i) + "\n";
  ends.link.tell_why(reason);
  std::string heard;
  while (const auto message = receive_message(ends.supervisor.get())) {
    EXPECT_EQ(message->word, Word::why);
    heard += message->text();
  }
  EXPECT_EQ(heard, reason);
  ends.link.tell_why(std::string(1'000'000, 'x'));
  std::size_t octets = 0;
  while (const auto message = receive_message(ends.supervisor.get())) octets += message->text().size();
  EXPECT_GT(octets, 10'000U);
  EXPECT_LE(octets, 64'000U);
}

TEST(Link, SystemdHearsOnlyWhatAServingProcessHasToSay) {
  for (const char* fit : {"READY=1", "RELOADING=1\nMONOTONIC_USEC=12345", "STOPPING=1\nEXTEND_TIMEOUT_USEC=10000000"})
    EXPECT_TRUE(is_fit_for_systemd(fit)) << fit;
  for (const char* unfit : {"", "MAINPID=1", "READY=1\nMAINPID=1", "MAINPID=1\nREADY=1", "READY", "READY=", "READY=1\n",
                            "READY=x", "FDSTORE=1", "=1", "WATCHDOG=trigger", "ready=1", "READY=1\n\nMAINPID=1"})
    EXPECT_FALSE(is_fit_for_systemd(unfit)) << unfit;
}

// What serves must not be able to fill the supervisor's table of descriptors.
TEST(Link, OfTwoDescriptorsInOnePacketNoneStaysOpenUnowned) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Descriptor supervisor(pair[0]);
  const Descriptor serving(pair[1]);
  const Descriptor given(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::array<int, 2> both{given.get(), given.get()};
  char first = 'a';
  iovec part{&first, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof both)> room{};
  msghdr packet{};
  packet.msg_iov = &part;
  packet.msg_iovlen = 1;
  packet.msg_control = room.data();
  packet.msg_controllen = room.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&packet);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof both);
  std::memcpy(CMSG_DATA(header), both.data(), sizeof both);
  const int lowest_free = ::dup(given.get());
  ::close(lowest_free);
  ASSERT_EQ(::sendmsg(serving.get(), &packet, 0), 1);
  const auto message = receive_message(supervisor.get());
  ASSERT_TRUE(message);
  EXPECT_EQ(message->socket.get(), lowest_free);
  const Descriptor next(::dup(given.get()));
  EXPECT_EQ(next.get(), lowest_free + 1);
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
