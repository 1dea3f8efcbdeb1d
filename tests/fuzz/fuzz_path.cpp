// Paths of MAIL and RCPT. The first octet chooses: bit 0 the kind, bit 1 SMTPUTF8. A path that was understood is
// bounded and clean, and its canonical form reads back as the same path.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/smtp/octets.h"
#include "gateway/smtp/path.h"

namespace {

using namespace sallyport;
using namespace sallyport::smtp;

void check(std::string_view text, PathKind kind, bool utf8) {
  const auto parsed = parse_path(text, kind, utf8);
  if (!parsed) {
    ensure(parsed.error() != PathError::bad_utf8 || utf8, "UTF-8 judged where none is allowed");
    return;
  }
  ensure(text.ends_with(parsed->rest), "the rest is not the text's");
  const std::string canonical = parsed->path.to_string();
  ensure(canonical.size() + 2 <= 256, "path over its limit");
  ensure(std::none_of(canonical.begin(), canonical.end(), text::is_control), "control octets in a path");
  ensure(utf8 ? text::is_utf8(canonical) : text::is_ascii(canonical), "octets that were not allowed");
  ensure(parsed->path.needs_utf8() == has_8bit(canonical), "needs_utf8");
  ensure(kind == PathKind::reverse || !parsed->path.is_null(), "null path as a recipient");
  ensure(!parsed->path.domain.empty() || parsed->path.is_null() || parsed->path.is_postmaster(), "no domain");

  const auto again = parse_path("<" + canonical + ">", kind, utf8);
  ensure(again && again->path == parsed->path && again->rest.empty(), "the canonical form is another path");
  ensure(again->path.to_string() == canonical, "the canonical form is not canonical");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  check(text, (data[0] & 1) != 0 ? PathKind::forward : PathKind::reverse, (data[0] & 2) != 0);
  return 0;
}
