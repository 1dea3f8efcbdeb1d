// What tests of a message need again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/mail/message.h"

namespace sallyport::mail {

inline void append_in_pieces(Message& message, std::string_view octets, std::size_t piece) {
  for (std::size_t at = 0; at < octets.size(); at += piece) message.append(octets.substr(at, piece));
}

// The whole body, or "<failed>".
inline std::string body_of(const Message& message) {
  std::string body;
  for (auto pieces = message.body();;) {
    auto piece = pieces.next();
    if (!piece) return "<failed>";
    if (piece->empty()) return body;
    body += *piece;
  }
}

// Octets that repeat nowhere near a block's length, so that a piece out of place is seen.
inline std::string some_octets(std::size_t count) {
  std::string octets(count, '\0');
  std::uint32_t state = 1;
  for (char& c : octets) {
    state = state * 1664525 + 1013904223;
    c = static_cast<char>('a' + (state >> 24) % 26);
  }
  return octets;
}

}  // namespace sallyport::mail
