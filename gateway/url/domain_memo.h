// DomainMemo: the registrable domains of the hosts that one mail names. Most URLs of a mail are of a few hosts, and the
// list of suffixes is slow to ask. Bounded: beyond so many hosts it begins anew.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "gateway/url/suffixes.h"

namespace sallyport::url {

// Of the name itself or, where that cannot be one, of what stands behind its first dots: names that are no host names
// have an owner all the same, whom their last labels tell. Empty: nobody can have registered it.
std::string registrable_domain(std::string_view host, const Suffixes& suffixes);

class DomainMemo {
 public:
  // As registrable_domain(); `suffixes` must be the same at each call. Valid until the next call.
  const std::string& of(std::string_view host, const Suffixes& suffixes) {
    const auto known = domains_.find(host);
    if (known != domains_.end()) return known->second;
    if (domains_.size() >= most_hosts) domains_.clear();
    return domains_.emplace(std::string(host), registrable_domain(host, suffixes)).first->second;
  }

 private:
  static constexpr std::size_t most_hosts = 100;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  // Who chooses names that collide gets no more than a hundred of them compared.
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> domains_;
};

}  // namespace sallyport::url
