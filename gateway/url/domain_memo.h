// DomainMemo: the registrable domains of the hosts that one mail has named last. Most URLs of a mail are of a few
// hosts, and the list of suffixes is slow to ask.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/url/suffixes.h"

namespace sallyport::url {

// Of the name itself or, where that cannot be one, of what stands behind its first dots: names that are no host names
// have an owner all the same, whom their last labels tell. Empty: nobody can have registered it.
std::string registrable_domain(std::string_view host, const Suffixes& suffixes);

class DomainMemo {
 public:
  // As registrable_domain(); `suffixes` must be the same at each call. Valid until the next call.
  const std::string& of(std::string_view host, const Suffixes& suffixes) {
    Known& known = known_[std::hash<std::string_view>()(host) % known_.size()];
    if (known.host != host) {
      known.domain = registrable_domain(host, suffixes);
      known.host = host;
    }
    return known.domain;
  }

 private:
  struct Known {
    std::string host;
    std::string domain;
  };
  std::array<Known, 16> known_;
};

}  // namespace sallyport::url
