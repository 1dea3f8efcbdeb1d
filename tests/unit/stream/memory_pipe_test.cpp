// The stream in memory keeps the promises of io::Stream.
#include "gateway/stream/memory_pipe.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/async/wait.h"
#include "gateway/uv/loop.h"

namespace sallyport::stream {
namespace {

Task<std::string> read_to_end(io::Stream& stream) {
  std::string all;
  while (true) {
    const auto more = co_await stream.fill(async::no_deadline);
    if (!more) co_return all;
    EXPECT_LE(stream.input().size(), io::block_octets);
    all += stream.input();
    stream.consume(stream.input().size());
  }
}

Task<std::string> carry(io::Stream& from, io::Stream& to, std::string octets) {
  const auto sent = co_await from.write(octets, async::no_deadline);
  EXPECT_TRUE(sent.ok());
  from.close();
  co_return co_await read_to_end(to);
}

TEST(MemoryPipe, CarriesWhatIsLongerThanABlock) {
  uv::Loop loop;
  auto [one, other] = make_memory_pipe(loop.scheduler());
  std::string octets;
  for (int i = 0; i < 30000; ++i) octets += std::to_string(i);
  EXPECT_EQ(loop.run_until_done(carry(*one, *other, octets)), octets);
  EXPECT_FALSE(other->is_open());
}

TEST(MemoryPipe, EndsAreHeardAndDeadlinesKept) {
  uv::Loop loop;
  auto [one, other] = make_memory_pipe(loop.scheduler());
  const auto late = loop.run_until_done(one->fill(uv::Loop::now()));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error(), io::Error::timed_out);
  other.reset();
  const auto gone = loop.run_until_done(one->fill(async::no_deadline));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error(), io::Error::closed);
  EXPECT_FALSE(loop.run_until_done(one->write("x", async::no_deadline)));
}

}  // namespace
}  // namespace sallyport::stream
