// Gatherings: owns the gatherings of one connection or one mail. Each is created when it is first needed.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "policies/api/gathering.h"

namespace sallyport::checks {

class Gatherings {
 public:
  // The gathering of this gatherer; created at the first call. Valid until clear().
  policies::Gathering& of(const policies::Gatherer& gatherer) {
    for (auto& [maker, gathering] : begun_) {
      if (maker == &gatherer) return *gathering;
    }
    return *begun_.emplace_back(&gatherer, gatherer.begin()).second;
  }
  void recipient_answered(bool accepted) {
    for (auto& [maker, gathering] : begun_) gathering->recipient_answered(accepted);
  }
  void clear() { begun_.clear(); }

 private:
  std::vector<std::pair<const policies::Gatherer*, std::unique_ptr<policies::Gathering>>> begun_;
};

}  // namespace sallyport::checks
