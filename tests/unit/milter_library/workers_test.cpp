// Workers on real sockets: what a callback's misfortune costs, and the end.
#include "gateway/milter_library/workers.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <new>
#include <stdexcept>

#include "tests/unit/milter_library/callbacks.h"

namespace sallyport::milter_library {
namespace {

using namespace std::string_literals;

std::string packet(char letter, const std::string& data = "") {
  return u32(static_cast<std::uint32_t>(data.size() + 1)) + letter + data;
}
const std::string offer = packet('O', u32(6) + u32(0x1ff) + u32(0x1fffff));
const std::string offer_answer = packet('O', u32(6) + u32(0x1ff) + u32(0));

struct WorkersTest : testing::Test {
  Callbacks filter;
  std::shared_ptr<Workers> workers;

  void start() {
    workers = std::make_shared<Workers>(*make_filter(filter.description), ServingRules{});
    ASSERT_TRUE(workers->start());
  }
  void TearDown() override {
    if (workers) EXPECT_TRUE(workers->end(60));
  }

  Descriptor connect() const {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    EXPECT_TRUE(workers->add(ends[1]));
    return Descriptor(ends[0]);
  }
  static void send(const Descriptor& mta, const std::string& octets) {
    ASSERT_EQ(::send(mta.get(), octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<::ssize_t>(octets.size()));
  }
  // So many octets, or all up to the connection's end.
  static std::string read(const Descriptor& mta, std::size_t octets) {
    std::string text(octets, '\0');
    std::size_t size = 0;
    while (size < octets) {
      const ::ssize_t count = ::read(mta.get(), text.data() + size, octets - size);
      if (count <= 0) break;
      size += static_cast<std::size_t>(count);
    }
    return text.substr(0, size);
  }
};

TEST_F(WorkersTest, WhatACallbackThrowsEndsItsConnectionOnly) {
  const std::vector<Deed> misfortunes = {[](SMFICTX*) -> sfsistat { throw std::bad_alloc(); },
                                         [](SMFICTX*) -> sfsistat { throw std::runtime_error("of the filter"); },
                                         [](SMFICTX*) -> sfsistat { throw 7; }};
  std::atomic<std::size_t> next = 0;
  filter.does["envrcpt"] = [&](SMFICTX* context) { return misfortunes[next++](context); };
  start();
  const Descriptor other = connect();
  send(other, offer);
  EXPECT_EQ(read(other, offer_answer.size()), offer_answer);
  for (std::size_t i = 0; i < misfortunes.size(); ++i) {
    const Descriptor mta = connect();
    send(mta, offer + packet('M', "<a>\0"s) + packet('R', "<b>\0"s));
    EXPECT_EQ(read(mta, 1000), offer_answer + packet('c'));
    EXPECT_EQ(filter.take_calls(), (std::vector<std::string>{"envfrom <a>", "envrcpt <b>", "abort", "close"}));
  }
  send(other, packet('M', "<a>\0"s));
  EXPECT_EQ(read(other, 5), packet('c'));
}

TEST_F(WorkersTest, EndWhileACallbackBlocksAndLiveUntilItReturns) {
  std::promise<void> begun;
  std::promise<void> may_return;
  filter.does["helo"] = [&](SMFICTX*) {
    begun.set_value();
    may_return.get_future().wait();
    return SMFIS_CONTINUE;
  };
  start();
  const Descriptor mta = connect();
  send(mta, offer + packet('H', "client\0"s));
  begun.get_future().wait();
  EXPECT_FALSE(workers->end(0));
  may_return.set_value();
  EXPECT_EQ(read(mta, offer_answer.size() + 5), offer_answer + packet('c'));  // TearDown() sees the last worker gone
}

TEST_F(WorkersTest, GrowOnlyWhileAllAreHeldUp) {
  std::promise<void> may_return;
  const std::shared_future<void> returning = may_return.get_future().share();
  filter.does["helo"] = [returning](SMFICTX*) {
    returning.wait();
    return SMFIS_CONTINUE;
  };
  filter.description.xxfi_close = nullptr;
  start();
  EXPECT_FALSE(workers->grow());
  std::vector<Descriptor> blocked;
  const Descriptor other = [&] {
    // More than there are workers at first: they block one after the other, and grow() lets the next one come.
    for (int i = 0; i < 9; ++i) {
      blocked.push_back(connect());
      send(blocked.back(), offer + packet('H', "client\0"s));
    }
    return connect();
  }();
  send(other, offer);
  std::string heard;
  while (heard.empty()) {
    workers->grow();
    std::string piece(64, '\0');
    const ::ssize_t count = ::recv(other.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    if (count > 0) heard = piece.substr(0, static_cast<std::size_t>(count));
    std::this_thread::yield();
  }
  EXPECT_EQ(heard, offer_answer);
  may_return.set_value();
  for (const Descriptor& mta : blocked) EXPECT_EQ(read(mta, offer_answer.size() + 5), offer_answer + packet('c'));
}

}  // namespace
}  // namespace sallyport::milter_library
