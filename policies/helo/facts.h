// What was found out about the name in the client's HELO or EHLO.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "policies/api/facts.h"

namespace sallyport {

namespace policies {

enum class HeloFinding : std::uint8_t {
  ok,
  bare_ip,
  literal_of_another,
  not_fully_qualified,
  localhost,
  own_name,
  bad_syntax,
};

}  // namespace policies

template <>
inline constexpr auto words_of<policies::HeloFinding> = std::to_array<std::string_view>(
    {"ok", "bare_ip", "literal_of_another", "not_fully_qualified", "localhost", "own_name", "bad_syntax"});

namespace policies {

struct HeloFacts {
  using Finding = HeloFinding;
  Finding finding = Finding::ok;

  template <class V>
  void fields(V& visit) {
    visit("finding", finding);
  }
};

extern const FactsType helo_facts;
template <>
inline const FactsType& type_of<HeloFacts>() {
  return helo_facts;
}

}  // namespace policies

}  // namespace sallyport
