// The keys that session tickets are sealed with (RFC 5077; RFC 8446, 4.6.1; threats.md T8).
//
// They live in memory only. A new one is made every hour, at the first handshake after it; its one predecessor still
// opens tickets, for an hour more. All are wiped when they go. May be used by several threads.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <mutex>

#include "gateway/base/units.h"
#include "gateway/tls/openssl.h"

namespace sallyport::tls {

class TicketKeys {
 public:
  static constexpr Duration period = std::chrono::hours(1);

  explicit TicketKeys(std::function<Time()> now);
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;
  ~TicketKeys();

  // For SSL_CTX_set_tlsext_ticket_key_evp_cb, whose promises about names, IVs and return values they keep: seal() gives
  // 1, or -1 after a failure; open() gives 0 when no key has that name, 2 when the ticket is good but shall be
  // replaced.
  int seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);
  int open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac);

 private:
  struct Key {
    std::array<unsigned char, 16> name{};
    std::array<unsigned char, 32> cipher{};
    std::array<unsigned char, 32> mac{};
    Time born{};
    bool exists = false;
  };
  void rotate();
  static void wipe(Key& key);
  static bool set_mac(EVP_MAC_CTX* mac, Key& key);

  std::function<Time()> now_;
  OwnedCipher aes_;
  std::mutex mutex_;
  Key current_;
  Key previous_;
};

}  // namespace sallyport::tls
