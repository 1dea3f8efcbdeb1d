// `sallyport lists`: the DNS lists of the running daemon, each with its state, since when, and why.
#pragma once

#include <string>

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ListsOptions {
  std::string config_file = default_config_file;
  bool json = false;
};

int lists_command(const ListsOptions& options, const Console& console);
extern const Command lists_entry;

}  // namespace sallyport::cli
