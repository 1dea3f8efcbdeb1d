// The end of TLS in the middle of a message (threats.md T11): close_notify, a fatal alert, the connection's end, and
// plaintext; in DATA, in a chunk, and between two chunks; in TLS 1.2 and 1.3.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/unit/session/raw_tls_client.h"

namespace sallyport::session {
namespace {

enum class End { close_notify, alert, fin, plaintext };
enum class Where { data, chunk, between_chunks };

using Cut = std::tuple<int, Where, End>;

// Makes OpenSSL say a fatal alert, as a client does that was sent rubbish.
void send_fatal_alert(RawTlsClient& client) {
  client.pretend(std::string("\x17\x03\x03\x00\x20", 5) + std::string(32, 'x'));
  char octet = 0;
  EXPECT_LE(SSL_read(client.ssl(), &octet, 1), 0);
  client.pass_on();
}

class TlsTruncation : public testing::TestWithParam<Cut> {
 protected:
  void cut(World& world, RawTlsClient& client, End end) {
    switch (end) {
      case End::close_notify:
        SSL_shutdown(client.ssl());
        client.pass_on();
        break;
      case End::alert:
        send_fatal_alert(client);
        break;
      case End::fin:
        world.client->end();
        world.loop.run();
        return;
      case End::plaintext:
        break;  // below
    }
    // Whatever ended it, what follows in the clear is nobody's: not the message's end, not a command.
    client.send_raw("rest\r\n.\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
    world.loop.run();
  }
};

TEST_P(TlsTruncation, DropsTheMailAndCloses) {
  auto [version, where, end] = GetParam();
  World world;
  RawTlsClient client(world);
  SSL_CTX_set_min_proto_version(client.context(), version);
  SSL_CTX_set_max_proto_version(client.context(), version);
  ASSERT_TRUE(client.shake());
  client.say("EHLO client.example\r\n");
  client.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  std::size_t commands_before = world.upstream.commands.size();
  if (where == Where::data) {
    EXPECT_EQ(client.say("DATA\r\n").substr(0, 4), "354 ");
    client.say("Subject: x\r\n\r\nhalf of ");
  } else if (where == Where::chunk) {
    client.say("BDAT 100 LAST\r\nSubject: x\r\n\r\nhalf of ");
  } else {
    EXPECT_EQ(client.say("BDAT 22\r\nSubject: x\r\n\r\nhalf of ").substr(0, 4), "250 ");
  }
  ASSERT_FALSE(world.is_over());

  cut(world, client, end);

  EXPECT_TRUE(world.is_over());
  std::string last_words = world.client->received();
  for (const char* words : {"250", "354", "421", "451", "503"}) {
    EXPECT_EQ(last_words.find(words), std::string::npos) << "said in the clear: " << last_words;
  }
  EXPECT_EQ(world.upstream.stored.size(), 0u);
  for (std::size_t i = commands_before; i < world.upstream.commands.size(); ++i) {
    EXPECT_EQ(world.upstream.commands[i], "RSET") << "no content, no other mail";
  }
  EXPECT_EQ(world.counters.get(Violation::tls_truncated), 1u);
  EXPECT_EQ(world.counters.get(Violation::tls_error), 0u);
  EXPECT_EQ(world.counters.get(Fault::client_lost), 0u);
  EXPECT_EQ(world.counters.get(Total::transactions), 1u);
  EXPECT_EQ(world.counters.get(Total::dropped), 1u);
  // I8: it decided the mail, and stands in its line.
  std::string line = world.log.find("event=transaction");
  EXPECT_NE(line.find("verdict=drop"), std::string::npos) << line;
  EXPECT_NE(line.find("check=tls_truncated"), std::string::npos) << line;
  EXPECT_EQ(world.log.find("kind=tls_truncated"), "");
}

std::string name_of(const testing::TestParamInfo<Cut>& info) {
  auto [version, where, end] = info.param;
  std::string name = version == TLS1_2_VERSION ? "Tls12" : "Tls13";
  name += where == Where::data ? "Data" : where == Where::chunk ? "Chunk" : "BetweenChunks";
  name += end == End::close_notify ? "CloseNotify"
          : end == End::alert      ? "Alert"
          : end == End::fin        ? "Fin"
                                   : "Plaintext";
  return name;
}

INSTANTIATE_TEST_SUITE_P(Ends, TlsTruncation,
                         testing::Combine(testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                                          testing::Values(Where::data, Where::chunk, Where::between_chunks),
                                          testing::Values(End::close_notify, End::alert, End::fin, End::plaintext)),
                         name_of);

// U13: a connection that breaks is not somebody's cutting of the stream.
TEST(TlsTruncationOr, AResetIsALostClient) {
  World world;
  RawTlsClient client(world);
  ASSERT_TRUE(client.shake());
  client.say("EHLO client.example\r\n");
  client.say("MAIL FROM:<ann@example.org>\r\nRCPT TO:<bob@example.com>\r\n");
  client.say("DATA\r\n");
  client.say("Subject: x\r\n\r\nhalf of ");
  world.client->reset();
  world.loop.run();
  EXPECT_TRUE(world.is_over());
  EXPECT_EQ(world.counters.get(Violation::tls_truncated), 0u);
  EXPECT_EQ(world.counters.get(Fault::client_lost), 1u);
  EXPECT_EQ(world.upstream.stored.size(), 0u);
}

}  // namespace
}  // namespace sallyport::session
