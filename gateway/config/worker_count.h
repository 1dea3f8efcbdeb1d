// How many workers serve with a configuration.
#pragma once

#include <algorithm>
#include <cstddef>
#include <thread>

#include "gateway/config/gateway_settings.h"

namespace sallyport::config {

// One for each core unless `workers` says otherwise; one at the least.
inline std::size_t worker_count(const Settings& settings) {
  if (settings.workers != 0) return static_cast<std::size_t>(settings.workers);
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace sallyport::config
