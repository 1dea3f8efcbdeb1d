#include "gateway/smtp/chunk_reader.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/base/ensure.h"
#include "tests/unit/smtp/content_runs.h"

namespace sallyport::smtp {
namespace {

TEST(ChunkReader, TakesExactlyWhatWasAnnounced) {
  ChunkReader reader;
  CollectingSink sink;
  EXPECT_TRUE(reader.chunk_ended());
  reader.begin_chunk(7);
  EXPECT_FALSE(reader.chunk_ended());
  EXPECT_EQ(reader.read("hel", sink), 3U);
  EXPECT_EQ(reader.read("lo\r\nQUIT\r\n", sink), 4U);
  EXPECT_TRUE(reader.chunk_ended());
  EXPECT_EQ(reader.read("QUIT\r\n", sink), 0U);
  reader.finish(sink);
  EXPECT_EQ(sink.content, "hello\r\n");
  EXPECT_EQ(reader.faults(), ContentFaults{});
}

TEST(ChunkReader, LeavesDotsAlone) {
  const std::string content = ".\r\n..\r\n.x\r\n\r\n.\r\nmore\r\n";
  EXPECT_EQ(read_chunks(content, {}, content.size()).content, content);
  const Outcome outcome = read_chunks("x\n.\ny\r\n", {}, 1);
  EXPECT_EQ(outcome.content, "x\r\n.\r\ny\r\n");
  EXPECT_FALSE(outcome.faults.eod_lookalike);  // S6: it has no meaning here
  EXPECT_TRUE(outcome.faults.bare_lf);
}

TEST(ChunkReader, CarriesLineStateOverChunkBorders) {
  const Outcome split = read_chunks("a\r\nb\r\n", {2, 3}, 100);
  EXPECT_EQ(split.content, "a\r\nb\r\n");
  EXPECT_EQ(split.faults, ContentFaults{});
  const Outcome bare = read_chunks("a\rb", {2}, 100);
  EXPECT_EQ(bare.content, "a b\r\n");
  EXPECT_TRUE(bare.faults.bare_cr);
}

TEST(ChunkReader, ReadsEmptyChunks) {
  EXPECT_EQ(read_chunks("", {}, 1).content, "");
  EXPECT_EQ(read_chunks("a", {0, 1, 0}, 1).content, "a\r\n");
}

TEST(ChunkReader, AllocatesNothingForTheAnnouncement) {
  ChunkReader reader;
  CollectingSink sink;
  reader.begin_chunk((std::uint64_t{1} << 63) - 1);
  EXPECT_EQ(reader.read("abc", sink), 3U);
  EXPECT_FALSE(reader.chunk_ended());
}

TEST(ChunkReader, RefusesToMixChunks) {
  ChunkReader reader;
  CollectingSink sink;
  reader.begin_chunk(2);
  EXPECT_THROW(reader.begin_chunk(1), BrokenInvariant);
  EXPECT_THROW(reader.finish(sink), BrokenInvariant);
}

}  // namespace
}  // namespace sallyport::smtp
