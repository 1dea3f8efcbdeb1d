// Reads BDAT chunks (RFC 3030): exactly as many octets as announced; line ends are normalised as for DATA, dots are
// left alone. One reader per message; the line state carries over from chunk to chunk (S6). Memory is never allocated
// by announced size (S31).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "gateway/smtp/content_lines.h"

namespace sallyport::smtp {

class ChunkReader {
 public:
  explicit ChunkReader(ContentLimits limits = {}) : lines_(limits) {}

  // Call it only when chunk_ended() is true.
  void begin_chunk(std::uint64_t octets);
  // Passes the part of `input` that belongs to the chunk to `sink`; gives its length in octets.
  std::size_t read(std::string_view input, ContentSink& sink);
  bool chunk_ended() const { return left_ == 0; }
  // Call it after the chunk marked LAST.
  void finish(ContentSink& sink);
  const ContentFaults& faults() const { return lines_.faults(); }

 private:
  ContentLines lines_;
  std::uint64_t left_ = 0;
};

}  // namespace sallyport::smtp
