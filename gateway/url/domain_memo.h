// DomainMemo: the registrable domains of the hosts that one mail names. Most URLs of a mail are of a few hosts, and the
// list of suffixes is slow to ask. Bounded: beyond so many hosts it begins anew.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "gateway/url/suffixes.h"

namespace sallyport::url {

// Of the name itself or, where that cannot be one, of what stands behind its first dots: names that are no host names
// have an owner all the same, whom their last labels tell. Empty: nobody can have registered it.
std::string registrable_domain(std::string_view host, const Suffixes& suffixes);

class DomainMemo {
 public:
  struct Host {
    std::string domain;     // as registrable_domain()
    bool is_plain = false;  // read_url() has found it written as its text will be
  };

  // Null for a host that is not known. Valid until the next call of of().
  const Host* find(std::string_view host) const {
    const auto known = hosts_.find(host);
    return known == hosts_.end() ? nullptr : &known->second;
  }
  // As registrable_domain(); `suffixes` must be the same at each call. Valid until the next call.
  const std::string& of(std::string_view host, const Suffixes& suffixes, bool is_plain = false) {
    if (const auto known = hosts_.find(host); known != hosts_.end()) {
      known->second.is_plain |= is_plain;
      return known->second.domain;
    }
    if (hosts_.size() >= most_hosts) hosts_.clear();
    Host found{registrable_domain(host, suffixes), is_plain};
    return hosts_.emplace(std::string(host), std::move(found)).first->second.domain;
  }

 private:
  static constexpr std::size_t most_hosts = 100;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  // Who chooses names that collide gets no more than a hundred of them compared.
  std::unordered_map<std::string, Host, Hash, std::equal_to<>> hosts_;
};

}  // namespace sallyport::url
