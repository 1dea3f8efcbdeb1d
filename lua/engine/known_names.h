// The names that rules may name: the checks of this gateway (sp.accept, sp.override), its upstreams (sp.redirect).
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/text.h"

namespace sallyport::lua {

class KnownNames {
 public:
  // `what` they are the names of: "check". Without names every name is known, as in tests of the engine alone.
  explicit KnownNames(std::string_view what, std::vector<std::string> names = {})
      : what_(what), names_(std::move(names)) {}

  bool has(std::string_view name) const {
    return names_.empty() || std::find(names_.begin(), names_.end(), name) != names_.end();
  }
  // "there is no check 'dnsbll'; did you mean 'dnsbl'?"
  std::string complaint_about(std::string_view name) const {
    const std::string_view near = text::did_you_mean(name, names_);
    return "there is no " + std::string(what_) + " '" + text::printable(name, 64) + "'" +
           (near.empty() ? std::string() : "; did you mean '" + std::string(near) + "'?");
  }

 private:
  std::string_view what_;  // a constant
  std::vector<std::string> names_;
};

}  // namespace sallyport::lua
