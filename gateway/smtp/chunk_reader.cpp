#include "gateway/smtp/chunk_reader.h"

#include <algorithm>

#include "gateway/base/ensure.h"

namespace sallyport::smtp {

void ChunkReader::begin_chunk(std::uint64_t octets) {
  ensure(chunk_ended(), "ChunkReader: a chunk begins inside another");
  left_ = octets;
}

std::size_t ChunkReader::read(std::string_view input, ContentSink& sink) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  lines_.append(input.substr(0, taken), sink);
  left_ -= taken;
  return taken;
}

void ChunkReader::finish(ContentSink& sink) {
  ensure(chunk_ended(), "ChunkReader: finished inside a chunk");
  lines_.finish(sink);
}

}  // namespace sallyport::smtp
