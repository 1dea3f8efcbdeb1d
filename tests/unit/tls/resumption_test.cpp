// Session tickets (threats.md T8).
#include <gtest/gtest.h>

#include "gateway/tls/context_parts.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class Resumption : public testing::TestWithParam<int> {
 protected:
  Resumption() {
    settings_.certificates = {common_certificates().ecdsa};
    settings_.sni["one.example"] = {common_certificates().ecdsa};
    settings_.sni["two.example"] = {common_certificates().ecdsa};
  }

  std::shared_ptr<const ServerContext> make_server() {
    return server_context(settings_, [this] { return now_; });
  }
  std::shared_ptr<const ClientContext> make_client(const ClientTlsSettings& settings = {}) {
    auto context = client_context(settings);
    SSL_CTX_set_max_proto_version(context->parts().context.get(), GetParam());
    return context;
  }
  static bool is_resumed(const std::shared_ptr<const ClientContext>& client,
                         const std::shared_ptr<const ServerContext>& server,
                         const std::string& host = "mx.example.test") {
    EnginePair pair(client, server, host);
    EXPECT_TRUE(pair.shake()) << pair.server->failure() << pair.client->failure();
    EXPECT_EQ(pair.client->info().resumed, pair.server->info().resumed);
    pair.client->write("NOOP\r\n");
    EXPECT_EQ(receive(*pair.server, pair.client->take_output()).plain, "NOOP\r\n");
    return pair.server->info().resumed;
  }

  ServerTlsSettings settings_;
  Time now_{hours(100)};
};
INSTANTIATE_TEST_SUITE_P(Versions, Resumption, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(Resumption, TheLastSessionWithAServerIsResumed) {
  auto client = make_client();
  auto server = make_server();
  EXPECT_FALSE(is_resumed(client, server));
  EXPECT_TRUE(is_resumed(client, server));
  EXPECT_TRUE(is_resumed(client, server));
  EXPECT_FALSE(is_resumed(make_client(), server));
}

TEST_P(Resumption, TheNameIsKnownInAResumedSessionToo) {
  auto client = make_client();
  auto server = make_server();
  for (bool resumed : {false, true}) {
    EnginePair pair(client, server, "one.example");
    ASSERT_TRUE(pair.shake());
    EXPECT_EQ(pair.server->info().resumed, resumed);
    EXPECT_EQ(pair.server->info().sni, "one.example");
  }
}

TEST_P(Resumption, ATicketOutlivesOneChangeOfKeysButNotTwo) {
  auto client = make_client();
  auto server = make_server();
  is_resumed(client, server);
  now_ += minutes(59);
  EXPECT_TRUE(is_resumed(client, server));
  now_ += minutes(59);  // the key is 1:58 old and has a successor
  EXPECT_TRUE(is_resumed(client, server));
  now_ += hours(2);
  EXPECT_FALSE(is_resumed(client, server));
}

TEST_P(Resumption, InTls13EachConnectionGetsATicketUnderTheNewestKey) {
  if (GetParam() != TLS1_3_VERSION) GTEST_SKIP() << "before, the client's library keeps its first ticket";
  auto client = make_client();
  auto server = make_server();
  is_resumed(client, server);
  for (int i = 0; i < 6; ++i) {
    now_ += minutes(59);
    EXPECT_TRUE(is_resumed(client, server));
  }
}

TEST_P(Resumption, AKeyGoesAfterTwoHoursEvenWhenOthersKeptItBusy) {
  auto patient = make_client();
  auto server = make_server();
  is_resumed(patient, server);
  for (int i = 0; i < 13; ++i) {
    now_ += minutes(10);
    is_resumed(make_client(), server);
  }
  EXPECT_FALSE(is_resumed(patient, server));
}

TEST_P(Resumption, ATicketIsGoodOnlyForTheListenerThatGaveIt) {
  auto client = make_client();
  auto server = make_server();
  is_resumed(client, server);
  EXPECT_FALSE(is_resumed(client, make_server()));
}

TEST_P(Resumption, ATicketIsGoodOnlyForTheNameItWasGivenUnder) {
  // Two names towards one server: the client's context is told to resume by the server, and asks for another name.
  auto server = make_server();
  auto client = make_client();
  ASSERT_FALSE(is_resumed(client, server, "one.example"));
  auto other = make_client({.name = "two.example"});
  auto stolen = client->parts().sessions.get("one.example");
  ASSERT_TRUE(stolen);
  other->parts().sessions.put("one.example", *stolen);
  EXPECT_FALSE(is_resumed(other, server, "one.example"));
  EXPECT_TRUE(is_resumed(client, server, "one.example"));
}

TEST_P(Resumption, SessionsAreKeptByServer) {
  auto client = make_client();
  auto server = make_server();
  EXPECT_FALSE(is_resumed(client, server, "192.0.2.1"));
  EXPECT_FALSE(is_resumed(client, server, "192.0.2.2"));
  EXPECT_TRUE(is_resumed(client, server, "192.0.2.1"));
}

TEST_P(Resumption, ThereIsNoEarlyDataAndOneTicket) {
  auto server = make_server();
  RawClient client;
  SSL_CTX_set_max_proto_version(client.context(), GetParam());
  static int sessions = 0;
  sessions = 0;
  SSL_CTX_set_session_cache_mode(client.context(), SSL_SESS_CACHE_CLIENT);
  SSL_CTX_sess_set_new_cb(client.context(), [](SSL*, SSL_SESSION* session) {
    ++sessions;
    EXPECT_EQ(SSL_SESSION_get_max_early_data(session), 0u);
    return 0;
  });
  auto engine = server->make_engine();
  ASSERT_TRUE(client.shake(*engine));
  char octet = 0;
  SSL_read(client.ssl(), &octet, 1);
  EXPECT_EQ(sessions, 1);
}

}  // namespace
}  // namespace sallyport::tls
