#include "gateway/tls/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>

#include "gateway/base/ensure.h"

namespace sallyport::tls {

namespace {

template <std::size_t n>
void fill_random(std::array<unsigned char, n>& octets) {
  ensure(RAND_bytes(octets.data(), static_cast<int>(n)) == 1, "TicketKeys: no random octets");
}

}  // namespace

TicketKeys::TicketKeys(std::function<Time()> now)
    : now_(std::move(now)), aes_(made(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr))) {}

TicketKeys::~TicketKeys() {
  wipe(current_);
  wipe(previous_);
}

void TicketKeys::wipe(Key& key) {
  OPENSSL_cleanse(key.cipher.data(), key.cipher.size());
  OPENSSL_cleanse(key.mac.data(), key.mac.size());
  key.exists = false;
}

void TicketKeys::rotate() {
  Time now = now_();
  // After a long time without handshakes the current key may be too old even to become the previous one.
  if (previous_.exists && now - previous_.born >= 2 * period) wipe(previous_);
  if (current_.exists && now - current_.born < period) return;
  if (current_.exists && now - current_.born < 2 * period) previous_ = current_;
  fill_random(current_.name);
  fill_random(current_.cipher);
  fill_random(current_.mac);
  current_.born = now;
  current_.exists = true;
}

bool TicketKeys::set_mac(EVP_MAC_CTX* mac, Key& key) {
  char sha256[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key.mac.data(), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
      OSSL_PARAM_construct_end(),
  };
  return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

int TicketKeys::seal(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  std::scoped_lock lock(mutex_);
  rotate();
  if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes_.get())) != 1) return -1;
  std::copy(current_.name.begin(), current_.name.end(), name);
  bool ready =
      EVP_EncryptInit_ex2(cipher, aes_.get(), current_.cipher.data(), iv, nullptr) == 1 && set_mac(mac, current_);
  return ready ? 1 : -1;
}

int TicketKeys::open(const unsigned char* name, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) {
  std::scoped_lock lock(mutex_);
  rotate();
  auto is_named = [name](const Key& key) { return key.exists && std::equal(key.name.begin(), key.name.end(), name); };
  bool is_current = is_named(current_);
  if (!is_current && !is_named(previous_)) return 0;
  Key& key = is_current ? current_ : previous_;
  bool ready = EVP_DecryptInit_ex2(cipher, aes_.get(), key.cipher.data(), iv, nullptr) == 1 && set_mac(mac, key);
  if (!ready) return -1;
  return is_current ? 1 : 2;
}

}  // namespace sallyport::tls
