// KeyedHash: a keyed hash of DNS questions (SipHash-1-3) for hash tables whose keys come from outside: without the key
// nobody can choose names that collide (threats.md I6, R17).
#pragma once

#include <cstdint>

#include "gateway/dns/question.h"

namespace sallyport::resolver {

class KeyedHash {
 public:
  KeyedHash(std::uint64_t key0, std::uint64_t key1) : key0_(key0), key1_(key1) {}
  std::uint64_t operator()(const dns::Question& question) const noexcept;

 private:
  std::uint64_t key0_;
  std::uint64_t key1_;
};

}  // namespace sallyport::resolver
