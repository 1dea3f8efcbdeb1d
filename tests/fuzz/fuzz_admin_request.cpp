// What clients of the admin process send: read in any pieces it is the same, and the answer has nothing of it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "gateway/admin/answers.h"

namespace {

using namespace sallyport::admin;

std::vector<RequestReader::Outcome> read(std::string_view octets, std::size_t piece) {
  RequestReader reader;
  std::vector<RequestReader::Outcome> outcomes;
  while (outcomes.size() < 1000) {
    auto outcome = reader.next();
    if (!std::holds_alternative<NeedsMore>(outcome)) {
      outcomes.push_back(outcome);
      if (std::holds_alternative<HttpRefusal>(outcome)) break;
      continue;
    }
    if (octets.empty()) break;
    reader.feed(octets.substr(0, piece));
    octets.remove_prefix(std::min(piece, octets.size()));
  }
  return outcomes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  const auto whole = read(octets, size);
  if (read(octets, 1) != whole) std::abort();
  const GatewayState state = sallyport::control::State{};
  for (const auto& outcome : whole) {
    const auto* request = std::get_if<HttpRequest>(&outcome);
    const HttpResponse response = request ? answer(*request, state) : answer(std::get<HttpRefusal>(outcome));
    const bool is_known = request && needs_state(*request);
    if ((response.status == 200) != is_known) std::abort();
    if (response.to_text().size() > 2000) std::abort();
  }
  return 0;
}
