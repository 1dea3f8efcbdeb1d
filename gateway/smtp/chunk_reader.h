// Reads the octets of BDAT chunks (RFC 3030): exactly as many as announced, line ends normalised as in DATA, dots left
// alone. One reader per message; line state runs on over chunk borders (S6). Nothing is allocated by announced size
// (S31).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/smtp/content_lines.h"

namespace sallyport::smtp {

class ChunkReader {
 public:
  explicit ChunkReader(ContentLimits limits = {}) : lines_(limits) {}

  // After the chunk before has ended.
  void begin_chunk(std::uint64_t octets);
  // Takes from `input` what belongs to the chunk; gives how many octets that were.
  std::size_t read(std::string_view input, ContentSink& sink);
  bool chunk_ended() const { return left_ == 0; }
  // After the chunk that said LAST.
  void finish(ContentSink& sink);
  const ContentFaults& faults() const { return lines_.faults(); }

 private:
  ContentLines lines_;
  std::uint64_t left_ = 0;
};

}  // namespace sallyport::smtp
