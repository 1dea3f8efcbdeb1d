// What goes wrong in our callbacks ends the handshake, or nothing; it never passes through OpenSSL, which calls them.
#include <gtest/gtest.h>

#include <array>
#include <new>

#include "gateway/tls/context_parts.h"
#include "gateway/tls/guarded.h"
#include "tests/unit/exhaustion/injector.h"
#include "tests/unit/tls/engine_pair.h"

namespace sallyport::tls {
namespace {

struct TlsCallbacks : testing::TestWithParam<int> {
  std::shared_ptr<const ClientContext> make_client() const {
    auto context = client_context();
    SSL_CTX_set_max_proto_version(context->parts().context.get(), GetParam());
    return context;
  }
};
INSTANTIATE_TEST_SUITE_P(Versions, TlsCallbacks, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

std::shared_ptr<const ServerContext> serving_a_name(TimeSource now = steady_time) {
  ServerTlsSettings settings;
  settings.certificates = {common_certificates().ecdsa};
  settings.sni["a-name-too-long-to-be-stored-in-the-string-itself.example.test"] = {common_certificates().ecdsa};
  return server_context(settings, std::move(now));
}
constexpr const char* long_name = "a-name-too-long-to-be-stored-in-the-string-itself.example.test";

// What one of the two has said to the other, and has not been read.
struct Wires {
  std::string to_server;
  std::string to_client;
};

void take_step(Engine& engine, std::string& arrived, std::string& said) {
  std::string_view rest = arrived;
  if (engine.handshake(rest) == Engine::Status::done && !rest.empty()) {
    std::array<char, 256> octets{};
    engine.read(rest, octets);
  }
  arrived.erase(0, arrived.size() - rest.size());
  const exhaustion::Exempt exempt;
  said += engine.take_output();
}

// Each allocation of the handshake fails in its turn: ours in the callbacks, and OpenSSL's own.
TEST_P(TlsCallbacks, NoAllocationThatFailsPassesThroughTheLibrary) {
  const auto server = serving_a_name();
  bool was_complete = false;
  for (std::uint64_t number = 1; number < 20000 && !was_complete; ++number) {
    const auto client = make_client();
    EnginePair pair(client, server, long_name);
    Wires wires;
    std::uint64_t failures = 0;
    EXPECT_NO_THROW({
      exhaustion::Failing failing({.first = number});
      for (int flight = 0; flight < 4; ++flight) {
        take_step(*pair.client, wires.to_client, wires.to_server);
        take_step(*pair.server, wires.to_server, wires.to_client);
      }
      failures = failing.failures();
    }) << "allocation "
       << number;
    was_complete = failures == 0;
    if (was_complete) EXPECT_TRUE(pair.client->is_established() && pair.server->is_established());
  }
  EXPECT_TRUE(was_complete) << "there are more allocations than were tried";
}

// The clock of the ticket keys throws.
TEST_P(TlsCallbacks, WhatTheTicketKeysThrowEndsTheHandshake) {
  EnginePair pair(make_client(), serving_a_name([]() -> Time { throw std::bad_alloc(); }));
  bool shaken = true;
  EXPECT_NO_THROW(shaken = pair.shake());
  EXPECT_FALSE(shaken);
  EXPECT_TRUE(pair.server->has_failed());
}

// close_notify before the handshake is complete is no end that could be waited for.
TEST_P(TlsCallbacks, AnEndInTheMiddleOfTheHandshakeIsAFailure) {
  auto server = serving_a_name()->make_engine();
  constexpr std::string_view close_notify("\x15\x03\x01\x00\x02\x01\x00", 7);
  std::string_view octets = close_notify;
  EXPECT_EQ(server->handshake(octets), Engine::Status::failed);
  EXPECT_FALSE(server->is_established());
}

TEST(Guarded, LeavesTheQueueOfErrorsAsItWas) {
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_EQ(guarded(-1,
                    [] {
                      ERR_raise(ERR_LIB_USER, 2);
                      return 5;
                    }),
            5);
  EXPECT_EQ(guarded(-1,
                    []() -> int {
                      ERR_raise(ERR_LIB_USER, 3);
                      throw std::bad_alloc();
                    }),
            -1);
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 1);
  EXPECT_EQ(ERR_get_error(), 0u);
}

}  // namespace
}  // namespace sallyport::tls
