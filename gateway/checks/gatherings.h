// Gatherings: owns the gatherings of one connection or one mail. Each is created when it is first needed.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "policies/api/gathering.h"

namespace sallyport::checks {

class Gatherings {
 public:
  // Those of a connection.
  Gatherings() = default;
  // Those of its mails. `of_connection` outlives this.
  explicit Gatherings(Gatherings& of_connection) : of_connection_(&of_connection) {}

  // The gathering of this gatherer; created at the first call. Valid until clear().
  policies::Gathering& of(const policies::Gatherer& gatherer) {
    if (policies::Gathering* begun = find(gatherer)) return *begun;
    auto gathering = of_connection_ ? gatherer.begin_mail(of_connection_->find(gatherer)) : gatherer.begin();
    return *begun_.emplace_back(&gatherer, std::move(gathering)).second;
  }
  // The same, where it was created before; else null.
  policies::Gathering* find(const policies::Gatherer& gatherer) const {
    for (const auto& [maker, gathering] : begun_) {
      if (maker == &gatherer) return gathering.get();
    }
    return nullptr;
  }
  void recipient_answered(bool accepted) {
    for (auto& [maker, gathering] : begun_) gathering->recipient_answered(accepted);
  }
  void content_judged() {
    for (auto& [maker, gathering] : begun_) gathering->content_judged();
  }
  void clear() { begun_.clear(); }

 private:
  Gatherings* of_connection_ = nullptr;
  std::vector<std::pair<const policies::Gatherer*, std::unique_ptr<policies::Gathering>>> begun_;
};

}  // namespace sallyport::checks
