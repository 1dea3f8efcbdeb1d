// Advice: where a policy says what of its settings can never take effect. `check` prints it; nothing else changes.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include "gateway/base/endpoint.h"
#include "gateway/settings/section.h"

namespace sallyport::policies {

class Advice {
 public:
  virtual ~Advice() = default;
  // The full path as written in files, of a key of the section: "policy.dnsbl.reject_at", or the tenant's override.
  virtual std::string path(std::string_view key) const = 0;
  // True if the key was given under exactly that path.
  virtual bool is_given(std::string_view key) const = 0;
  // True if a [[listen]] block has the address.
  virtual bool is_listened_on(const Endpoint& address) const = 0;
  // How many workers serve here; what is divided among them comes in whole parts.
  virtual std::size_t workers() const = 0;
  // A warning at the position of the first of these keys that was given. When none was, it is for nobody: a default is
  // no mistake of the administrator's.
  virtual void warn(std::initializer_list<std::string_view> keys, std::string message) = 0;
};

// One policy's word on its settings, the global ones or a tenant's own.
struct Adviser {
  const settings::Section& section;
  void (*advise)(const void* settings, Advice& advice);
};

// Advise takes (const S&, Advice&).
template <class S, auto Advise>
void advise_with(const void* settings, Advice& advice) {
  Advise(*static_cast<const S*>(settings), advice);
}

}  // namespace sallyport::policies
