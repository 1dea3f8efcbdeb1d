// Which names of the configuration may contain a secret, and how they are shown to those who must not read its files.
// gateway/config knows nothing of what the names mean.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace sallyport::policies {

// A collection of names (settings::Collection), by the path that it has in the configuration: "policy.dnsbl.zones.*".
struct SecretNames {
  std::string_view path;
  std::string (*in_public)(std::string_view name);
};

std::span<const SecretNames> secret_names();

}  // namespace sallyport::policies
