// ListTable: the health of all DNS lists, by zone. All workers of the gateway have the same one: each worker's
// `Learned` holds a handle to it, and copies of a handle share the table.
#pragma once

#include <map>
#include <memory>
#include <mutex>
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

 private:
  struct Lists {
    std::mutex mutex;
    std::map<std::string, ListHealth> by_zone;
  };
  std::shared_ptr<Lists> lists_;
};

}  // namespace sallyport::policies
