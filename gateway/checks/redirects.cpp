#include "gateway/checks/redirects.h"

#include <algorithm>

namespace sallyport::checks {

std::vector<std::string> redirects_of(std::string_view own, std::span<const std::string_view> of_others,
                                      std::span<const std::string> upstreams) {
  std::vector<std::string> names;
  for (const std::string& name : upstreams) {
    const bool is_of_another = std::find(of_others.begin(), of_others.end(), name) != of_others.end();
    if (!is_of_another || name == own) names.push_back(name);
  }
  return names;
}

}  // namespace sallyport::checks
