#include "gateway/config/in_public.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "gateway/base/text.h"
#include "gateway/config/key_path.h"
#include "policies/in_public.h"

namespace sallyport::config {

namespace {

using Segments = std::vector<std::string>;

// Where in a path the name stands that may contain a secret, and how it is shown.
struct SecretName {
  std::size_t segment;
  std::string (*in_public)(std::string_view);
};

// True if the segments from `first` on begin as the collection's path says.
bool lies_in(const Segments& segments, std::size_t first, const std::vector<std::string_view>& collection) {
  if (segments.size() < first + collection.size()) return false;
  for (std::size_t i = 0; i < collection.size(); ++i) {
    if (collection[i] != "*" && collection[i] != segments[first + i]) return false;
  }
  return true;
}

std::optional<SecretName> find_secret(const Segments& segments) {
  const std::size_t first = segments.size() > 2 && segments[0] == "tenants" ? 2 : 0;
  for (const policies::SecretNames& collection : policies::secret_names()) {
    const std::vector<std::string_view> path = text::split(collection.path, '.');
    if (lies_in(segments, first, path)) return SecretName{first + path.size() - 1, collection.in_public};
  }
  return std::nullopt;
}

std::string joined(const Segments& segments) {
  std::string path;
  for (const std::string& segment : segments) {
    if (!path.empty()) path += '.';
    path += key_segment(segment);
  }
  return path;
}

// Gives each name its public one, and no two names the same.
class PublicNames {
 public:
  const std::string& of(const std::string& name, std::string (*in_public)(std::string_view)) {
    const auto known = names_.find(name);
    if (known != names_.end()) return known->second;
    std::string shown = in_public(name);
    const unsigned place = ++used_[shown];
    if (place > 1) shown += '#' + std::to_string(place);
    return names_.emplace(name, std::move(shown)).first->second;
  }

 private:
  std::map<std::string, std::string> names_;
  std::map<std::string, unsigned> used_;
};

}  // namespace

std::string path_in_public(std::string_view path) {
  std::optional<Segments> segments = split_path(path);
  if (!segments) return std::string(path);
  const auto secret = find_secret(*segments);
  if (!secret) return std::string(path);
  (*segments)[secret->segment] = secret->in_public((*segments)[secret->segment]);
  return joined(*segments);
}

std::string name_in_public(std::string_view collection, std::string_view name) {
  for (const policies::SecretNames& names : policies::secret_names()) {
    if (names.path == collection) return names.in_public(name);
  }
  return std::string(name);
}

Loaded in_public(Loaded loaded) {
  PublicNames names;
  for (Effective& value : loaded.values) {
    std::optional<Segments> segments = split_path(value.path);
    const auto secret = segments ? find_secret(*segments) : std::nullopt;
    if (!secret) continue;
    std::string& name = (*segments)[secret->segment];
    const std::string shown = names.of(name, secret->in_public);
    for (Place& place : value.which) {
      if (place.name == name) place.name = shown;
    }
    name = shown;
    value.path = joined(*segments);
  }
  return loaded;
}

}  // namespace sallyport::config
