// The lists that tests of URLs read names with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/url/url.h"

namespace sallyport::url {

inline const Suffixes& suffixes() {
  static const PublicSuffixList registrable;
  static const TopLevelDomains top;
  static const Suffixes both{registrable, top};
  return both;
}

// The text of what is read; "" for no URL.
inline std::string text_of(std::string_view written) {
  const auto url = read_url(written, suffixes());
  return url ? url->text : std::string();
}

}  // namespace sallyport::url
