// How facts and explanations show DNS lists: the public names of a policy's lists, which list a name in facts means,
// and why a list gave no usable answer, in words. Shared by the policies that ask lists.
//
// `Zones` is a policy's settings of its lists by zone, a std::map whose values have the configured `name` of the list.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "policies/lists/list_answer.h"
#include "policies/lists/list_name.h"

namespace sallyport::policies {

// A list as it was asked.
struct ShownList {
  std::string name;  // in public
  std::string zone;  // not in a record
};

// The lists' public names by zone: the configured one, else public_zone_name(). Where two lists would have the same,
// the second is "list.example#2".
template <class Zones>
std::map<std::string, std::string> list_names(const Zones& zones) {
  std::map<std::string, std::string> names;
  std::map<std::string, unsigned> used;
  for (const auto& [zone, of_zone] : zones) {
    std::string name = of_zone.name.empty() ? public_zone_name(zone) : of_zone.name;
    const unsigned place = ++used[name];
    if (place > 1) name += '#' + std::to_string(place);
    names.emplace(zone, std::move(name));
  }
  return names;
}

// The list that the facts mean, found by its zone, or by its name in facts from a record; `zones.end()` when these
// settings do not have it.
template <class Zones>
typename Zones::const_iterator find_list(const ShownList& list, const Zones& zones) {
  if (!list.zone.empty()) return zones.find(list.zone);
  for (const auto& [zone, name] : list_names(zones)) {
    if (name == list.name) return zones.find(zone);
  }
  return zones.end();
}

// `codes` are those that are errors, for list_error.
std::string describe(ListFailure why, const std::vector<std::string>& codes);

}  // namespace sallyport::policies
