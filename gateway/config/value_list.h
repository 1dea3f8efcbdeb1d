// ValueList: collects the effective values while a configuration is loaded, in their order and by their paths.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/load.h"

namespace sallyport::config {

class ValueList {
 public:
  void add(Effective value);
  // Finds the value at a full path; null when there is none.
  const Effective* find(std::string_view path) const;
  const std::vector<Effective>& all() const { return values_; }
  std::vector<Effective> take() { return std::move(values_); }

  // A hash of all effective values, 16 hexadecimal digits. A tenant's override equal to the global value does not
  // change it.
  std::string hash() const;

 private:
  std::vector<Effective> values_;
  std::map<std::string, std::size_t, std::less<>> by_path_;
};

}  // namespace sallyport::config
