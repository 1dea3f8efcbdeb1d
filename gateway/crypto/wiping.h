// Wiping what OpenSSL leaves behind when it reads a key (threats.md V7).
//
// OpenSSL overwrites the numbers of a key that is freed. The text and the octets that it made them of it gives back to
// the heap as they are. So its memory is got and given back by functions of ours; while a thread holds a WipingScope,
// what OpenSSL gives back on it is overwritten first.
#pragma once

namespace sallyport::crypto {

// Once, before OpenSSL has been used. False: it has been.
bool install_wiping() noexcept;

class WipingScope {
 public:
  WipingScope() noexcept;
  WipingScope(const WipingScope&) = delete;
  WipingScope& operator=(const WipingScope&) = delete;
  ~WipingScope();
};

}  // namespace sallyport::crypto
