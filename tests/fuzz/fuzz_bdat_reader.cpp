// Content in BDAT chunks: one chunk, and chunks and pieces that the first eight octets choose, against the model of the
// unit tests; and what comes out can always be framed as DATA.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
#include "gateway/smtp/octets.h"
#include "tests/unit/smtp/content_model.h"
#include "tests/unit/smtp/content_runs.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

constexpr std::size_t head_octets = 8;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < head_octets) return 0;
  const std::string content(reinterpret_cast<const char*>(data + head_octets), size - head_octets);
  std::vector<std::size_t> chunks;
  for (std::size_t i = 0; i < head_octets - 1; ++i) chunks.push_back(data[i]);  // empty ones too
  const std::size_t piece = 1 + std::size_t{data[head_octets - 1]};
  const ContentLimits limits{.max_line_octets = 100};

  const Outcome expected = model_chunks(content, limits.max_line_octets);
  ensure(read_chunks(content, {}, content.size(), limits) == expected, "whole: not what the model says");
  ensure(read_chunks(content, chunks, piece, limits) == expected, "cut: not what the model says");
  ensure(read_chunks(content, octet_by_octet(content), 1, limits) == expected, "octets: not what the model says");

  if (has_nul(content)) return 0;
  const Outcome again = read_data(frame(expected.content), {});
  ensure(again.ended && again.content == expected.content, "as DATA it reads otherwise");
  return 0;
}
