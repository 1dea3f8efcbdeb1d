#include "gateway/base/idna.h"

#include <idn2.h>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport {

std::optional<std::string> to_a_labels(std::string_view name) {
  if (text::is_ascii(name)) {
    if (!is_domain_name(name)) return std::nullopt;
    return text::to_lower(name);
  }
  if (!is_domain_name(name, true, true)) return std::nullopt;
  char* converted = nullptr;
  // Nontransitional: "faß.example" is a name of its own, as it is for registries (UTS 46, 4).
  const int flags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;
  const int status = idn2_to_ascii_8z(std::string(name).c_str(), &converted, flags);
  if (status != IDN2_OK) return std::nullopt;
  const std::string a_labels = text::to_lower(converted);
  idn2_free(converted);
  if (!is_domain_name(a_labels)) return std::nullopt;
  return a_labels;
}

}  // namespace sallyport
