// Looks up the names of the upstreams' servers for a command that has no loop yet: `run` before it serves, `check`,
// `dmarc report`.
#pragma once

#include <vector>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/config/gateway_settings.h"
#include "gateway/resolver/cache.h"
#include "gateway/upstream/name_book.h"

namespace sallyport::cli {

inline constexpr Duration names_patience = std::chrono::seconds(5);

// Waits for the answers, no longer than `patience`. `cache` keeps them. Does nothing when no server is given by name.
std::vector<upstream::NameBook::News> look_up_names(const config::Settings& settings, upstream::NameBook& names,
                                                    resolver::Cache& cache, Counters& counters, Log& log,
                                                    Duration patience = names_patience);

}  // namespace sallyport::cli
