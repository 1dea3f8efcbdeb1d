// Which upstreams verdicts may send a tenant's mail to instead of its own: those that no other tenant has, so that
// nothing of one tenant reaches another's servers (threats.md I13).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sallyport::checks {

// Those of `upstreams`, which are the names of all, that are the tenant's own or not among `of_others`.
std::vector<std::string> redirects_of(std::string_view own, std::span<const std::string_view> of_others,
                                      std::span<const std::string> upstreams);

}  // namespace sallyport::checks
