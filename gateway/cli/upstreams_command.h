// `sallyport upstreams`: the servers behind the running daemon, with their states.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct UpstreamsOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

int upstreams_command(const UpstreamsOptions& options, const Console& console);
extern const Command upstreams_entry;

}  // namespace sallyport::cli
