// Charsets that a stranger names, and his octets in them (threats.md, section 13). The input is the name, a NUL, and
// the octets. What must hold: the text is UTF-8, no longer than was allowed, and its normal form is normal.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/charset.h"
#include "gateway/base/ensure.h"
#include "gateway/base/text.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  const std::string_view name = input.substr(0, end);
  const std::string_view octets = end == std::string_view::npos ? std::string_view() : input.substr(end + 1);
  for (const std::size_t most : {std::size_t{0}, std::size_t{7}, std::size_t{4096}}) {
    const auto converted = to_utf8(octets, name, most);
    if (!converted) break;
    ensure(is_known_charset(name), "a charset that is not known was converted");
    ensure(text::is_utf8(converted->utf8), "converted text is not UTF-8");
    ensure(converted->utf8.size() <= most, "converted text is longer than allowed");
    const std::string normal = to_normal_form(converted->utf8);
    ensure(text::is_utf8(normal) && to_normal_form(normal) == normal, "a normal form that is not normal");
  }
  return 0;
}
