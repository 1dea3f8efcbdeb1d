// Upstreams with client_info = "tproxy", and what they take of the process that starts: the right to make sockets that
// connect from clients' addresses.
#pragma once

#include <string>

#include "gateway/config/config_error.h"
#include "gateway/config/load.h"

namespace sallyport::cli {

bool has_transparent_upstreams(const config::Settings& settings);
// The message once for each of them, at its place.
config::ConfigErrors at_transparent_upstreams(const config::Loaded& loaded, const std::string& config_file,
                                              const std::string& message);
// One error for each of them when this process may not make such sockets. It tries.
config::ConfigErrors find_missing_rights(const config::Loaded& loaded, const std::string& config_file);

}  // namespace sallyport::cli
