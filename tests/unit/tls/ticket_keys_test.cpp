// What is left of ticket keys in memory (threats.md V7).
#include "gateway/tls/ticket_keys.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <utility>

namespace sallyport::tls {
namespace {

// Keys at a place that can be looked at when they are gone.
class TicketKeysTest : public testing::Test {
 protected:
  using Name = std::array<unsigned char, 16>;
  static constexpr std::size_t secret_octets = 64;  // which lie behind a key's name

  ~TicketKeysTest() override { destroy(); }
  void destroy() {
    if (keys != nullptr) std::destroy_at(std::exchange(keys, nullptr));
  }
  // Makes a ticket; gives the name of the key that sealed it.
  Name seal() {
    Name name{};
    std::array<unsigned char, 16> iv{};
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> cipher(EVP_CIPHER_CTX_new(),
                                                                                 EVP_CIPHER_CTX_free);
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac(EVP_MAC_fetch(nullptr, "HMAC", nullptr), EVP_MAC_free);
    const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> mac(EVP_MAC_CTX_new(hmac.get()), EVP_MAC_CTX_free);
    EXPECT_EQ(keys->seal(name.data(), iv.data(), cipher.get(), mac.get()), 1);
    return name;
  }
  // Where the key's secrets lie; the end of the place when no key has the name.
  unsigned char* secrets_of(const Name& name) {
    const auto found = std::search(place.begin(), place.end(), name.begin(), name.end());
    return found == place.end() ? place.end() : found + static_cast<std::ptrdiff_t>(name.size());
  }
  static bool is_wiped(const unsigned char* secrets) {
    return std::all_of(secrets, secrets + secret_octets, [](unsigned char octet) { return octet == 0; });
  }

  Time now{std::chrono::hours(100)};
  alignas(TicketKeys) std::array<unsigned char, sizeof(TicketKeys)> place{};
  TicketKeys* keys = new (place.data()) TicketKeys([this] { return now; });
};

TEST_F(TicketKeysTest, AreWipedWithTheContextThatHadThem) {
  const Name first = seal();
  now += TicketKeys::period;
  const Name second = seal();
  ASSERT_NE(first, second);
  for (const Name& name : {first, second}) {
    ASSERT_NE(secrets_of(name), place.end()) << "the former one opens tickets still";
    EXPECT_FALSE(is_wiped(secrets_of(name)));
  }
  destroy();
  for (const Name& name : {first, second}) {
    ASSERT_NE(secrets_of(name), place.end());
    EXPECT_TRUE(is_wiped(secrets_of(name)));
  }
}

TEST_F(TicketKeysTest, AreGoneWhenTheirTimeIsOver) {
  const Name first = seal();
  now += TicketKeys::period;
  const Name second = seal();
  now += TicketKeys::period;
  seal();
  EXPECT_EQ(secrets_of(first), place.end()) << "another one lies there";
  now += 3 * TicketKeys::period;
  seal();
  const unsigned char* const left = secrets_of(second);
  EXPECT_TRUE(left == place.end() || is_wiped(left));
}

}  // namespace
}  // namespace sallyport::tls
