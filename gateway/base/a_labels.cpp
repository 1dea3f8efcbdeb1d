#include "gateway/base/a_labels.h"

#include <idn2.h>

#include <vector>

#include "gateway/base/domain_name.h"
#include "gateway/base/text.h"

namespace sallyport {

std::optional<std::string> to_a_labels(std::string_view domain) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (!is_domain_name(domain, /*underscores=*/true, /*utf8=*/true)) return std::nullopt;
  if (text::is_ascii(domain)) return text::to_lower(domain);
  char* converted = nullptr;
  const std::string terminated(domain);
  // UTS #46 first unifies case and forms of the letters, as other mail software does.
  if (idn2_to_ascii_8z(terminated.c_str(), &converted, IDN2_NONTRANSITIONAL) != IDN2_OK) return std::nullopt;
  std::string name = text::to_lower(converted);
  idn2_free(converted);
  // Checked again, because an ideographic full stop becomes a dot and so changes the labels.
  if (!is_domain_name(name)) return std::nullopt;
  return name;
}

std::string to_u_labels(std::string_view domain) {
  constexpr std::size_t most_label_octets = 63;
  std::vector<std::string> labels;
  for (const std::string_view label : text::split(domain, '.')) {
    std::string& read = labels.emplace_back(label);
    if (label.size() > most_label_octets || !text::equals_ignoring_case(label.substr(0, 4), "xn--")) continue;
    char* converted = nullptr;
    if (idn2_to_unicode_8z8z(read.c_str(), &converted, 0) != IDN2_OK) continue;
    read = converted;
    idn2_free(converted);
  }
  return text::join(labels, ".");
}

}  // namespace sallyport
