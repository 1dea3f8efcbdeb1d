// Content after DATA: whole, in cuts that the first eight octets choose, and octet by octet, against the model of the
// unit tests; then out through BodyWriter and in again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/ensure.h"
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
  const std::string stream = content + "\r\n.\r\nNOOP\r\n";
  std::vector<std::size_t> cuts;
  for (std::size_t at = 0; at < stream.size(); at += cuts.back())
    cuts.push_back(1 + std::size_t{data[cuts.size() % head_octets]});
  const ContentLimits limits{.max_line_octets = 100};

  const Outcome expected = model_data(stream, limits.max_line_octets);
  ensure(expected.ended, "the model saw no end");
  ensure(read_data(stream, {}, limits) == expected, "whole: not what the model says");
  ensure(read_data(stream, cuts, limits) == expected, "cut: not what the model says");
  ensure(read_data(stream, octet_by_octet(stream), limits) == expected, "octet by octet: not what the model says");

  if (expected.faults.nul) return 0;
  const std::string wire = frame(expected.content);
  ensure(frame(expected.content, cuts[0]) == wire, "framing depends on the cuts");
  const Outcome again = read_data(wire, cuts);
  ensure(again.ended && again.consumed == wire.size() && again.content == expected.content,
         "framed, it reads otherwise");
  ensure(!again.faults.bare_lf && !again.faults.bare_cr && !again.faults.eod_lookalike, "framed, it has faults");
  return 0;
}
