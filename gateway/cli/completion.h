// Completion of the command line, as scripts for bash, zsh and fish that are made of the command table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "gateway/base/result.h"
#include "gateway/cli/command_description.h"

namespace sallyport::cli {

// The failure names the shells that there are.
Result<std::string> completion_script(std::string_view shell, std::span<const CommandDescription> commands);

}  // namespace sallyport::cli
