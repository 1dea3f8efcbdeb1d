// Fields about the content: parameters by RFC 2231, encoded words by RFC 2047 (threats.md, section 13). The input is a
// header section. What must hold: names and labels keep their bounds and are UTF-8, clean names as well.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/ensure.h"
#include "gateway/base/text.h"
#include "gateway/mime/content_fields.h"
#include "gateway/mime/limits.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  mime::HeaderReader reader;
  for (std::string_view rest = input; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!line.empty()) reader.take(line);
  }
  const mime::ContentFields fields = reader.finish();
  ensure(fields.names.size() <= mime::max_names, "more names than allowed");
  ensure(fields.boundaries.size() <= mime::max_boundaries, "more boundaries than allowed");
  for (const mime::Name& name : fields.names) {
    ensure(name.text.size() <= mime::max_name_octets, "a name is too long");
    const mime::CleanName clean = mime::clean(name.text);
    ensure(text::is_utf8(clean.text) && text::is_utf8(clean.extension), "a clean name is not UTF-8");
    ensure(clean.text.find('/') == std::string::npos && clean.text.find('\\') == std::string::npos,
           "a separator in a clean name");
  }
  mime::extensions_of(fields.names);
  return 0;
}
