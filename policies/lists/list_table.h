// ListTable: the health of all DNS lists, by zone. All workers of the gateway have the same one: each worker's
// `Learned` holds a handle to it, and copies of a handle share the table.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "policies/lists/list_health.h"

namespace sallyport::policies {

class ListTable {
 public:
  // A new table.
  ListTable() : lists_(std::make_shared<Lists>()) {}

  // Created at the first call; valid as long as a handle lives. Any thread may call.
  ListHealth& of(const std::string& zone) const {
    std::lock_guard lock(lists_->mutex);
    return lists_->by_zone[zone];
  }
  // When the first of them should be tested again (ListHealth::retest_at()). Any thread may call.
  std::optional<Time> next_retest() const {
    std::lock_guard lock(lists_->mutex);
    std::optional<Time> next;
    for (const auto& [zone, health] : lists_->by_zone) {
      const std::optional<Time> at = health.retest_at();
      if (at && (!next || *at < *next)) next = at;
    }
    return next;
  }

 private:
  struct Lists {
    std::mutex mutex;
    std::map<std::string, ListHealth> by_zone;
  };
  std::shared_ptr<Lists> lists_;
};

}  // namespace sallyport::policies
