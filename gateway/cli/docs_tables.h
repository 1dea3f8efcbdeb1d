// The tables behind the manual pages as JSON, for whatever makes documentation of another kind of them (./dev docs).
#pragma once

#include <span>
#include <string>

#include "gateway/cli/command_description.h"

namespace sallyport::cli {

// {"version", "commands": [{"name", "about", "reads_configuration", "options", "arguments"}], "groups": [{"name",
// "about"}], "exit_statuses": [{"status", "meaning"}]}, in the order of --help.
std::string commands_json(std::span<const CommandDescription> commands);

// {"settings": [{"key", "about", "type", "expects", "default", ...}], "collections": [{"path", "about"}]}, in the order
// of sallyport.toml(5). Defaults are TOML, null where there is none.
std::string settings_json();

// {"replies": [{"code", "dsn", "text", "kind", "when", "remedy", "ends_session"}]}: all that the gateway answers to
// clients by itself, by code. "{}" in a text stands for what the reply names.
std::string replies_json();

}  // namespace sallyport::cli
