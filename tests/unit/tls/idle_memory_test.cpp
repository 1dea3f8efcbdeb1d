// What an idle TLS session costs: the promise is 16 KiB of heap.
#include <gtest/gtest.h>
#include <malloc.h>

#include <vector>

#include "gateway/tls/context_parts.h"
#include "tests/unit/tls/engine_pair.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SALLYPORT_OWN_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SALLYPORT_OWN_MALLOC 1
#endif
#endif

namespace sallyport::tls {
namespace {

#ifndef SALLYPORT_OWN_MALLOC

std::size_t heap_in_use() {
  struct mallinfo2 heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

class IdleMemory : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Versions, IdleMemory, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION));

TEST_P(IdleMemory, AnIdleServerSessionIsSmall) {
  constexpr std::size_t sessions = 200;
  auto for_server = server_context();
  std::vector<std::unique_ptr<Engine>> idle;
  idle.reserve(sessions + 1);
  std::size_t before = 0;
  while (idle.size() <= sessions) {
    // The first connection fills what the library makes once.
    if (idle.size() == 1) before = heap_in_use();
    auto for_client = client_context();
    SSL_CTX_set_max_proto_version(for_client->parts().context.get(), GetParam());
    EnginePair pair(for_client, for_server);
    ASSERT_TRUE(pair.shake());
    pair.client->write("EHLO a.example\r\n");
    receive(*pair.server, pair.client->take_output());
    pair.server->write("250 mx.example.test\r\n");
    pair.server->take_output();
    idle.push_back(std::move(pair.server));
  }
  std::size_t each = (heap_in_use() - before) / sessions;
  RecordProperty("octets_per_idle_session", static_cast<int>(each));
  EXPECT_LT(each, 16u * 1024);
}

#endif

}  // namespace
}  // namespace sallyport::tls
