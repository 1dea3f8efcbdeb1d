// The PROXY header: incomplete until it is whole, then the same whatever follows; bounded in both versions.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/smtp/proxy_header.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

constexpr std::size_t most_octets = 16 + 4096;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto whole = read_proxy_header(input);
  if (!whole) {
    ensure(whole.error() == ProxyError::invalid || size < most_octets, "more asked for than a header can have");
    // What cannot become a header does not by getting longer.
    if (whole.error() == ProxyError::invalid) {
      const auto longer = read_proxy_header(std::string(input) + "\r\n");
      ensure(!longer && longer.error() == ProxyError::invalid, "invalid, and then not");
    }
    return 0;
  }
  ensure(whole->consumed > 0 && whole->consumed <= size && whole->consumed <= most_octets, "consumed out of bounds");
  for (std::size_t part = 0; part < whole->consumed; ++part) {
    const auto shorter = read_proxy_header(input.substr(0, part));
    ensure(!shorter && shorter.error() == ProxyError::incomplete, "understood before it was whole");
  }
  const auto exact = read_proxy_header(input.substr(0, whole->consumed));
  ensure(exact && exact->source == whole->source && exact->consumed == whole->consumed, "it depends on what follows");
  return 0;
}
