#include "gateway/base/a_labels.h"

#include <idn2.h>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport {

std::optional<std::string> to_a_labels(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (!is_domain_name(domain, /*underscores=*/true, /*utf8=*/true)) return std::nullopt;
  if (text::is_ascii(domain)) return text::to_lower(domain);
  char* converted = nullptr;
  const std::string terminated(domain);
  // TR46 brings the letters' case and forms together first, as every other reader of mail does.
  if (idn2_to_ascii_8z(terminated.c_str(), &converted, IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
  std::string name = text::to_lower(converted);
  idn2_free(converted);
  // An ideographic full stop is one more dot: the name is another than the one that was looked at above.
  if (!is_domain_name(name)) return std::nullopt;
  return name;
}

}  // namespace sallyport
