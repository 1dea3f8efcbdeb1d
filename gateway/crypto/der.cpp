#include "gateway/crypto/der.h"

namespace sallyport::crypto {

namespace {

std::size_t octet_at(std::string_view octets, std::size_t i) { return static_cast<unsigned char>(octets[i]); }

struct Length {
  std::size_t octets;   // length of the content
  std::size_t written;  // length of the length field itself
};

std::optional<Length> read_length(std::string_view octets) {
  if (octets.empty()) return std::nullopt;
  const std::size_t first = octet_at(octets, 0);
  if (first < 0x80) return Length{first, 1};
  if (first == 0x81 && octets.size() >= 2 && octet_at(octets, 1) >= 0x80) return Length{octet_at(octets, 1), 2};
  if (first == 0x82 && octets.size() >= 3 && octet_at(octets, 1) > 0)
    return Length{octet_at(octets, 1) << 8 | octet_at(octets, 2), 3};
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> DerReader::take(DerTag tag) {
  if (!next_is(tag)) return std::nullopt;
  const auto length = read_length(rest_.substr(1));
  if (!length) return std::nullopt;
  const std::string_view from_content = rest_.substr(1 + length->written);
  if (length->octets > from_content.size()) return std::nullopt;
  rest_ = from_content.substr(length->octets);
  return from_content.substr(0, length->octets);
}

std::optional<std::string_view> DerReader::take_positive_integer() {
  const auto content = take(DerTag::integer);
  if (!content || content->empty() || octet_at(*content, 0) >= 0x80) return std::nullopt;
  if (octet_at(*content, 0) > 0) return content;
  // A single leading zero is allowed, and only where the number would be negative without it.
  if (content->size() < 2 || octet_at(*content, 1) < 0x80) return std::nullopt;
  return content->substr(1);
}

}  // namespace sallyport::crypto
