// A client that sends as fast as we read, and a server that takes as fast as we write: what one turn of the loop moves
// is bounded all the same (async::Share).
#include <gtest/gtest.h>

#include "gateway/sink/sink_session.h"
#include "tests/support/ready_stream.h"
#include "tests/unit/session/world.h"

namespace sallyport::upstream {
namespace {

using namespace session;

using support::OctetsByTurn;
using support::ReadyStream;

constexpr std::size_t most = async::Scheduler::octets_per_turn;
constexpr std::size_t many_octets = 6 * most;

std::string text_of(std::size_t octets) {
  std::string text = "From: ann@example.org\r\nSubject: large\r\n\r\n";
  while (text.size() < octets) text += "A line of a large message, and others like it, again and again and again.\r\n";
  return text;
}

std::string bdat(const std::string& text) { return "BDAT " + std::to_string(text.size()) + " LAST\r\n" + text; }

// The server's end of a connection: counts what the server reads.
class CountedStream final : public io::Stream {
 public:
  CountedStream(std::unique_ptr<io::Stream> stream, OctetsByTurn& read) : stream_(std::move(stream)), read_(read) {}
  std::string_view input() const override { return stream_->input(); }
  void consume(std::size_t octets) override {
    read_.add(octets);
    stream_->consume(octets);
  }
  Task<Result<Done, io::Error>> fill(Time deadline) override { return stream_->fill(deadline); }
  Task<Result<Done, io::Error>> write(std::string_view octets, Time deadline) override {
    return stream_->write(octets, deadline);
  }
  Task<Result<Done, io::Error>> write_parts(std::span<const std::string_view> parts, Time deadline) override {
    return stream_->write_parts(parts, deadline);
  }
  bool is_open() const override { return stream_->is_open(); }
  bool is_broken() const override { return stream_->is_broken(); }
  void close() override { stream_->close(); }
  void abort() override { stream_->abort(); }

 private:
  std::unique_ptr<io::Stream> stream_;
  OctetsByTurn& read_;
};

class TurnShare : public ::testing::Test {
 protected:
  TurnShare() {
    world_.settings.limits.message_size = 64u << 20;
    world_.dialer.serve(first_server, [this](std::unique_ptr<support::MemoryStream> stream) {
      return world_.upstream.serve(std::make_unique<CountedStream>(std::move(stream), upstream_));
    });
  }

  // The client says this after an accepted recipient; gives whether it has heard `answer` to the last of it.
  void run(std::deque<ReadyStream::Step> steps) {
    steps.push_front({"250", "RCPT TO:<bob@example.com>\r\n"});
    steps.push_front({"250 ", "MAIL FROM:<ann@example.org>\r\n"});
    steps.push_front({"220 ", "EHLO client.example\r\n"});
    steps.push_back({"221 ", ""});
    world_.connect(std::make_unique<ReadyStream>(std::move(steps), client_, replies_),
                   *SocketAddress::parse("192.0.2.1:1234"));
    world_.loop.run();
    EXPECT_TRUE(world_.is_over());
    EXPECT_LE(client_.most(), most);
    EXPECT_LE(upstream_.most(), most + 2 * io::block_octets);  // a block may be read in the turn after it was written
    EXPECT_GE(client_.total(), many_octets);
  }

  World world_;
  OctetsByTurn client_{world_.loop.scheduler()};
  OctetsByTurn replies_{world_.loop.scheduler()};
  OctetsByTurn upstream_{world_.loop.scheduler()};
};

TEST_F(TurnShare, OfAMessageInMemory) {
  world_.settings.limits.memory_per_message = 64u << 20;
  run({{"250 ", "DATA\r\n"}, {"354 ", text_of(many_octets) + ".\r\n"}, {"250 ", "QUIT\r\n"}});
  EXPECT_EQ(world_.upstream.stored.size(), 1u);
  EXPECT_GE(upstream_.total(), many_octets);
}

TEST_F(TurnShare, OfAMessageInAFile) {
  world_.settings.limits.memory_per_message = 64u << 10;
  run({{"250 ", "DATA\r\n"}, {"354 ", text_of(many_octets) + ".\r\n"}, {"250 ", "QUIT\r\n"}});
  EXPECT_EQ(world_.upstream.stored.size(), 1u);
  EXPECT_GE(upstream_.total(), many_octets);
}

TEST_F(TurnShare, OfAMessageInAChunkBothWays) {
  world_.upstream.replies["EHLO"] = "250-upstream.example\r\n250-CHUNKING\r\n250 PIPELINING\r\n";
  run({{"250 ", bdat(text_of(many_octets))}, {"250 ", "QUIT\r\n"}});
  EXPECT_EQ(world_.upstream.stored.size(), 1u);
  EXPECT_GE(upstream_.total(), many_octets);
}

TEST_F(TurnShare, OfAMessageThatIsTooLarge) {
  world_.settings.limits.message_size = 100'000;
  run({{"250 ", "DATA\r\n"}, {"354 ", text_of(many_octets) + ".\r\n"}, {"552 ", "QUIT\r\n"}});
}

TEST_F(TurnShare, OfCommandsWithoutEnd) {
  std::string commands;
  while (commands.size() < many_octets) commands += "NOOP " + std::string(400, 'x') + "\r\n";
  world_.settings.limits.junk_commands = 1'000'000;
  run({{"250 ", commands + "QUIT\r\n"}});
}

// The sink is a server of its own, with the same loop for all its clients.
class KeptStore final : public sink::SinkStore {
 public:
  Task<Result<Done>> store(const sink::SinkMessage& message, async::Scheduler&) override {
    octets = message.content.size();
    co_return Done{};
  }
  std::size_t octets = 0;
};

TEST(SinkTurns, MoveNoMoreThanTheirShare) {
  support::ManualLoop loop;
  OctetsByTurn read(loop.scheduler()), replies(loop.scheduler());
  sink::SinkBehaviour behaviour;
  behaviour.offered.chunking = true;
  KeptStore store;
  const std::string text = text_of(many_octets);
  for (bool in_a_chunk : {false, true}) {
    std::deque<ReadyStream::Step> steps{{"220 ", "EHLO client.example\r\n"},
                                        {"250 ", "MAIL FROM:<ann@example.org>\r\n"},
                                        {"250 ", "RCPT TO:<bob@example.com>\r\n"}};
    if (in_a_chunk) {
      steps.push_back({"250 ", bdat(text)});
    } else {
      steps.push_back({"250 ", "DATA\r\n"});
      steps.push_back({"354 ", text + ".\r\n"});
    }
    steps.push_back({"250 ", "QUIT\r\n"});
    async::Nursery nursery(loop.scheduler());
    sink::SinkSession session(loop.scheduler(), behaviour, store,
                              std::make_unique<ReadyStream>(std::move(steps), read, replies));
    nursery.spawn(session.run());
    loop.run();
    EXPECT_EQ(nursery.size(), 0u);
    EXPECT_EQ(store.octets, text.size());
    EXPECT_LE(read.most(), most);
  }
}

}  // namespace
}  // namespace sallyport::upstream
