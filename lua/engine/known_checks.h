// The names of the checks that sp.accept{ skip = } may name: those of all policies of this gateway.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::lua {

class KnownChecks {
 public:
  // Without names every name is taken for that of a check, as in tests of the engine alone.
  KnownChecks() = default;
  explicit KnownChecks(std::vector<std::string> names) : names_(std::move(names)) {}

  bool has(std::string_view check) const {
    return names_.empty() || std::find(names_.begin(), names_.end(), check) != names_.end();
  }
  // "there is no check 'dnsbll'; did you mean 'dnsbl'?"
  std::string complaint_about(std::string_view check) const {
    const std::string_view near = text::did_you_mean(check, names_);
    return "there is no check '" + text::printable(check, 64) + "'" +
           (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?");
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace sallyport::lua
