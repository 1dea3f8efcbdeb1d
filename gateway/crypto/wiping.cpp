#include "gateway/crypto/wiping.h"

#include <malloc.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace sallyport::crypto {

namespace {

thread_local int scopes = 0;

void* get(std::size_t octets, const char*, int) { return std::malloc(octets); }

void give_back(void* memory, const char*, int) {
  if (scopes > 0 && memory != nullptr) OPENSSL_cleanse(memory, ::malloc_usable_size(memory));
  std::free(memory);
}

// A block that moves would leave a copy.
void* change(void* memory, std::size_t octets, const char* file, int line) {
  if (scopes == 0 || memory == nullptr || octets == 0) return std::realloc(memory, octets);
  void* const other = std::malloc(octets);
  if (other == nullptr) return nullptr;
  std::memcpy(other, memory, std::min(octets, ::malloc_usable_size(memory)));
  give_back(memory, file, line);
  return other;
}

}  // namespace

bool install_wiping() noexcept { return CRYPTO_set_mem_functions(get, change, give_back) == 1; }

WipingScope::WipingScope() noexcept { ++scopes; }

WipingScope::~WipingScope() { --scopes; }

}  // namespace sallyport::crypto
