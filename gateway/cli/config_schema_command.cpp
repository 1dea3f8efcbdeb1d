#include "gateway/cli/config_schema_command.h"

#include <ostream>

#include "gateway/cli/exit_code.h"
#include "gateway/config/explain.h"

namespace sallyport::cli {
namespace {

void declare(Syntax&, ConfigSchemaOptions&) {}

}  // namespace

int config_schema_command(const ConfigSchemaOptions&, const Console& console) {
  console.out << config::json_schema();
  return exit_code::ok;
}

const Command config_schema_entry{"config schema", "The JSON Schema of the configuration",
                                  make_invocation<ConfigSchemaOptions, declare, config_schema_command>};

}  // namespace sallyport::cli
