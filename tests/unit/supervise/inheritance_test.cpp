#include "gateway/supervise/inheritance.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <new>

namespace sallyport::supervise {
namespace {

// Descriptors that nobody has, so that giving them up closes nothing.
constexpr int first = 900'001;

Inheritance example() {
  Inheritance inheritance;
  inheritance.parent = 4711;
  inheritance.link.reset(first);
  inheritance.board.reset(first + 1);
  inheritance.sockets.push_back({"127.0.0.1:25", Descriptor(first + 2), false});
  inheritance.sockets.push_back({"[::]:25", Descriptor(first + 3), true});
  inheritance.last_end = "signal 9 (Killed)";
  return inheritance;
}

TEST(Inheritance, IsReadAsItWasWritten) {
  const Inheritance written = example();
  const auto read = from_text(to_text(written));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parent, 4711);
  EXPECT_EQ(read->link.get(), first);
  EXPECT_EQ(read->board.get(), first + 1);
  ASSERT_EQ(read->sockets.size(), 2U);
  EXPECT_EQ(read->sockets[0].address, "127.0.0.1:25");
  EXPECT_FALSE(read->sockets[0].is_from_systemd);
  EXPECT_EQ(read->sockets[1].address, "[::]:25");
  EXPECT_EQ(read->sockets[1].socket.get(), first + 3);
  EXPECT_TRUE(read->sockets[1].is_from_systemd);
  EXPECT_EQ(read->last_end, "signal 9 (Killed)");
}

TEST(Inheritance, RefusesWhatIsMalformed) {
  const std::string good = to_text(example());
  for (const std::string& bad : {std::string(), std::string("nonsense"), std::string("parent x\n"), good + "other 5\n",
                                 good + "listen -1 a\n", std::string("parent 1\nboard 900005\n")}) {
    EXPECT_FALSE(from_text(bad)) << bad;
  }
}

TEST(Inheritance, ClosesNothingOfWhatIsMalformed) {
  const Descriptor other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::string link = "link " + std::to_string(other.get()) + "\n";
  EXPECT_FALSE(from_text("parent 1\n" + link + "nonsense\n"));
  EXPECT_FALSE(from_text(link));  // of no parent
  EXPECT_NE(::fcntl(other.get(), F_GETFD), -1);
}

TEST(Inheritance, WhatIsOnlyLentStaysOpenWhenDescribingItFails) {
  std::vector<HeldSocket> held;
  for (int i = 0; i < 3; ++i)
    held.push_back({"127.0.0.1:25", Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)), false});
  const int lock = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  try {
    Lent<Inheritance> inheritance;
    lend(held, inheritance->sockets);
    inheritance->state_lock.reset(lock);
    ASSERT_EQ(inheritance->sockets.size(), 3U);
    EXPECT_EQ(inheritance->sockets[2].socket.get(), held[2].socket.get());
    throw std::bad_alloc();
  } catch (const std::bad_alloc&) {
  }
  for (const HeldSocket& one : held) EXPECT_NE(::fcntl(one.socket.get(), F_GETFD), -1);
  EXPECT_EQ(::close(lock), 0);
}

}  // namespace
}  // namespace sallyport::supervise
