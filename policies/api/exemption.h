// Exemption: why a client is not subject to limits or not looked up in DNS lists (threats.md S41).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/address.h"
#include "policies/api/transaction.h"
#include "policies/api/verdict.h"

namespace sallyport {

namespace policies {

enum class Exemption : std::uint8_t {
  none,
  trusted,  // the client is in trusted.networks
  skipped,  // the client is in the policy's own `skip`
};

// `skip` are the networks that the policy's settings exempt.
Exemption exemption_of(const Client& client, const std::vector<IpNetwork>& skip);

// "trusted.networks has the client", or "policy.rate.skip has the client"; for log and explain. Nothing for none.
std::string describe(Exemption exemption, std::string_view policy);

// The verdict that records it: it changes nothing and is shown as the symbol "rate:trusted" or "rate:skipped". It says
// nothing for none.
Verdict verdict_of(Exemption exemption, std::string_view policy);

}  // namespace policies

template <>
inline constexpr auto words_of<policies::Exemption> = std::to_array<std::string_view>({"none", "trusted", "skipped"});

}  // namespace sallyport
