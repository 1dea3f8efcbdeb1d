#include "gateway/config/value_list.h"

#include <cstdio>
#include <utility>

#include "gateway/config/key_path.h"

namespace sallyport::config {

void ValueList::add(Effective value) {
  by_path_.emplace(value.path, values_.size());
  values_.push_back(std::move(value));
}

const Effective* ValueList::find(std::string_view path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &values_[found->second];
}

std::string ValueList::hash() const {
  // FNV-1a: tells configurations written by people apart; it does not resist somebody who searches for collisions.
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  // In the order of the paths, because the order of names in the files has no meaning.
  for (const auto& [path, place] : by_path_) {
    const Effective& value = values_[place];
    if (!value.tenant.empty()) {
      const Effective* for_all = find(full_path(value.key->path, value.which));
      if (for_all != nullptr && for_all->toml == value.toml) continue;
    }
    mix(value.path);
    mix(" = ");
    mix(value.toml);
    mix("\n");
  }
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

}  // namespace sallyport::config
