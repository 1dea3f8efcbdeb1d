// TicketKeys: the keys that encrypt session tickets (RFC 5077; RFC 8446, 4.6.1; threats.md T8).
//
// They are in memory only. A new key is made every hour, at the first handshake after it is due; the previous key still
// decrypts tickets for another hour. Keys are wiped when dropped. Thread-safe.
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

  // The two halves of the callback of SSL_CTX_set_tlsext_ticket_key_evp_cb (see there for names, IVs and return
  // values). seal() returns 1, or -1 on failure. open() returns 0 if no key has that name, 1 if the ticket is good, 2
  // if it is good but should be replaced, -1 on failure.
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
