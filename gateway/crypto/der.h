// DerReader: reads DER (X.690) as far as public keys from outside need it: definite lengths up to 65535, one-octet
// tags, every length in its shortest form. Never reads past the given octets; copies nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport::crypto {

enum class DerTag : std::uint8_t {
  integer = 0x02,
  bit_string = 0x03,
  null = 0x05,
  object_identifier = 0x06,
  sequence = 0x30,
};

class DerReader {
 public:
  explicit DerReader(std::string_view octets) : rest_(octets) {}

  bool at_end() const { return rest_.empty(); }
  bool next_is(DerTag tag) const {
    return !rest_.empty() && static_cast<std::uint8_t>(rest_.front()) == std::uint8_t(tag);
  }
  // Takes the next element and gives its content; nothing if it has another tag or is incomplete.
  std::optional<std::string_view> take(DerTag tag);
  // Takes the next element as a positive integer: big-endian octets without leading zeros. Nothing if it is anything
  // else, including zero and negative numbers.
  std::optional<std::string_view> take_positive_integer();

 private:
  std::string_view rest_;
};

}  // namespace sallyport::crypto
