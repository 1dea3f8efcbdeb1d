#include "gateway/supervise/handover.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace sallyport::supervise {
namespace {

// Descriptors that nobody has, so that giving them up closes nothing.
constexpr int first = 900'001;

Handover example() {
  Handover handover;
  handover.process = ::getpid();
  handover.sockets.push_back({"127.0.0.1:25", Descriptor(first), false});
  handover.sockets.push_back({"[::]:25", Descriptor(first + 1), true});
  handover.state_lock.reset(first + 2);
  handover.serving = {4711, Descriptor(first + 3), Descriptor(first + 4)};
  handover.ready = Time(std::chrono::seconds(77));
  handover.draining.push_back({4710, Descriptor(first + 6), Descriptor(), true});
  handover.draining.push_back({4712, Descriptor(first + 5), Descriptor()});
  handover.companion = 4713;
  handover.figures = "127.0.0.1:8080 /var/lib/the state";
  return handover;
}

TEST(Handover, IsReadAsItWasWritten) {
  const auto read = handover_from_text(to_text(example()));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->process, ::getpid());
  ASSERT_EQ(read->sockets.size(), 2U);
  EXPECT_EQ(read->sockets[0].address, "127.0.0.1:25");
  EXPECT_FALSE(read->sockets[0].is_from_systemd);
  EXPECT_EQ(read->sockets[1].socket.get(), first + 1);
  EXPECT_TRUE(read->sockets[1].is_from_systemd);
  EXPECT_EQ(read->state_lock.get(), first + 2);
  EXPECT_EQ(read->serving.pid, 4711);
  EXPECT_EQ(read->serving.link.get(), first + 3);
  EXPECT_EQ(read->serving.board.get(), first + 4);
  EXPECT_EQ(read->ready, Time(std::chrono::seconds(77)));
  ASSERT_EQ(read->draining.size(), 2U);
  EXPECT_EQ(read->draining[0].pid, 4710);
  EXPECT_EQ(read->draining[1].pid, 4712);
  EXPECT_FALSE(read->draining[1].board);
}

TEST(Handover, KnowsOfTheCompanion) {
  for (const pid_t pid : {0, 4713}) {
    for (const bool is_told_to_end : {false, true}) {
      Handover handover = example();
      handover.companion = pid;
      handover.is_companion_told_to_end = is_told_to_end;
      auto read = handover_from_text(to_text(handover));
      ASSERT_TRUE(read);
      EXPECT_EQ(read->companion, pid);
      EXPECT_EQ(read->figures, "127.0.0.1:8080 /var/lib/the state");
      EXPECT_EQ(read->is_companion_told_to_end, is_told_to_end);
      let_go_of(*read);
      let_go_of(handover);
    }
  }
}

// One that is told twice to end breaks off its mails.
TEST(Handover, SaysWhoIsToldToEnd) {
  const auto read = handover_from_text(to_text(example()));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->serving.is_told_to_end);
  ASSERT_EQ(read->draining.size(), 2U);
  EXPECT_TRUE(read->draining[0].is_told_to_end);
  EXPECT_FALSE(read->draining[1].is_told_to_end);
}

TEST(Handover, RefusesWhatIsMalformed) {
  const std::string good = to_text(example());
  for (const std::string& bad :
       {std::string(), std::string("nonsense"), good + "other 5\n", good + "draining 0 900010\n", good + "serving 1\n",
        good + "ready x\n", std::string("process 1\n"), good + "listen -1 a\n"}) {
    EXPECT_FALSE(handover_from_text(bad)) << bad;
  }
}

TEST(Handover, IsForItsProcessAlone) {
  Handover of_another = example();
  of_another.process = ::getpid() + 1;
  ::setenv(handover_variable, to_text(of_another).c_str(), 1);
  EXPECT_FALSE(take_handover());
  EXPECT_EQ(std::getenv(handover_variable), nullptr);
}

TEST(Handover, StaysOpenForAnotherProgramWhereItIsKept) {
  Handover handover;
  handover.process = ::getpid();
  handover.serving = {4711, Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), Descriptor()};
  keep_open(handover, true);
  EXPECT_EQ(::fcntl(handover.serving.link.get(), F_GETFD), 0);
  ::setenv(handover_variable, to_text(handover).c_str(), 1);
  let_go_of(handover);
  const auto taken = take_handover();
  ASSERT_TRUE(taken);
  EXPECT_EQ(::fcntl(taken->serving.link.get(), F_GETFD), FD_CLOEXEC);
}

}  // namespace
}  // namespace sallyport::supervise
