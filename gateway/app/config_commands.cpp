#include <ostream>

#include "gateway/app/commands.h"
#include "gateway/app/exit_code.h"
#include "gateway/config/explain.h"
#include "gateway/config/load.h"

namespace sallyport::app {
namespace {

void print_errors(const config::ConfigErrors& errors, const Console& console) {
  for (const config::ConfigError& error : errors) console.err << error.to_string() << "\n";
}

}  // namespace

int config_show_command(const ConfigShowOptions& options, const Console& console) {
  const auto loaded = config::load(options.config_file, config::Disk());
  if (!loaded) {
    print_errors(loaded.error(), console);
    return exit_code::configuration;
  }
  console.out << (options.json ? config::show_json(*loaded) : config::show(*loaded));
  return exit_code::ok;
}

int config_explain_command(const ConfigExplainOptions& options, const Console& console) {
  // What a key means does not depend on a file; somebody may ask while writing the first one.
  const auto loaded = config::load(options.config_file, config::Disk());
  const auto text = config::explain(options.key, loaded ? &*loaded : nullptr);
  if (!text) {
    console.err << "sallyport: " << text.error().message << "\n";
    return exit_code::usage;
  }
  console.out << *text;
  if (!loaded) {
    print_errors(loaded.error(), console);
    console.err << "sallyport: current values are not shown, because the configuration has errors\n";
  }
  return exit_code::ok;
}

int config_schema_command(const ConfigSchemaOptions&, const Console& console) {
  console.out << config::json_schema();
  return exit_code::ok;
}

}  // namespace sallyport::app
