// What became of each tenant's mail, for the metrics. Any thread.
//
// Names come from the configurations that have been served by (a mail has a tenant only if a configuration names it),
// so peers cannot make the table grow (threats.md R15). What a tenant had stays, also over a reload that leaves it out
// for a while.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "gateway/base/fields.h"
#include "gateway/record/mail_record.h"

namespace sallyport::record {

struct TenantFigures {
  static constexpr std::size_t outcomes = words_of<Outcome>.size();

  std::array<std::atomic<std::uint64_t>, outcomes> mails{};
  std::atomic<std::uint64_t> refused_recipients = 0;
  std::atomic<std::uint64_t> octets = 0;  // of content that came to its end
};

class TenantTable {
 public:
  // Made at the first call; lives as long as the table.
  TenantFigures& of(std::string_view tenant) {
    const std::lock_guard lock(mutex_);
    const auto known = figures_.find(tenant);
    if (known != figures_.end()) return *known->second;
    return *figures_.emplace(tenant, std::make_unique<TenantFigures>()).first->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<TenantFigures>, std::less<>> figures_;
};

}  // namespace sallyport::record
