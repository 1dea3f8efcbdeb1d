// All commands of this folder, in the order of --help. A new command is its file and a line in this list.
#pragma once

#include <span>
#include <string_view>

#include "gateway/cli/command.h"

namespace sallyport::cli {

std::span<const Command* const> command_list();

// The line of --help for the first word of commands that have two. Every such word has one.
std::string_view group_about(std::string_view group);

}  // namespace sallyport::cli
