// `sallyport config schema`: the JSON Schema of the configuration. It reads no file.
#pragma once

#include "gateway/cli/command.h"

namespace sallyport::cli {

struct ConfigSchemaOptions {};

int config_schema_command(const ConfigSchemaOptions& options, const Console& console);
extern const Command config_schema_entry;

}  // namespace sallyport::cli
