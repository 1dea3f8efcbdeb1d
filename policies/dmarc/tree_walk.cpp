#include "policies/dmarc/tree_walk.h"

#include <algorithm>

namespace sallyport::policies {

namespace {

std::size_t count_labels(std::string_view domain) {
  return 1 + static_cast<std::size_t>(std::count(domain.begin(), domain.end(), '.'));
}

std::string_view without_first_label(std::string_view domain) {
  const std::size_t dot = domain.find('.');
  return dot == std::string_view::npos ? std::string_view() : domain.substr(dot + 1);
}

// The last `labels` labels of `domain`, which has more.
std::string_view last_labels(std::string_view domain, std::size_t labels) {
  while (count_labels(domain) > labels) domain = without_first_label(domain);
  return domain;
}

}  // namespace

std::vector<std::string_view> tree_walk_names(std::string_view domain) {
  std::vector<std::string_view> names{domain};
  constexpr std::size_t most_below = max_tree_walk_names - 1;
  for (std::string_view name = last_labels(without_first_label(domain), most_below); !name.empty();
       name = without_first_label(name)) {
    names.push_back(name);
  }
  return names;
}

std::string one_label_below(std::string_view domain, std::string_view top) {
  return std::string(last_labels(domain, count_labels(top) + 1));
}

std::string organizational_domain(std::string_view domain, const std::vector<FoundRecord>& found) {
  using PublicSuffix = DmarcRecord::PublicSuffix;
  for (const FoundRecord& at : found) {
    if (at.record.public_suffix == PublicSuffix::no) return at.domain;
    if (at.record.public_suffix == PublicSuffix::yes && at.domain != domain) return one_label_below(domain, at.domain);
  }
  return found.empty() ? std::string(domain) : found.back().domain;
}

}  // namespace sallyport::policies
