#include "gateway/cli/config_show_command.h"

#include <ostream>
#include <utility>

#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/explain.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ConfigShowOptions& options) {
  syntax.config_file(options.config_file);
  syntax.value({"--tenant", "NAME", "Only what counts for this tenant"}, options.tenant);
  syntax.json(options.json);
}

}  // namespace

int config_show_command(const ConfigShowOptions& options, const Console& console) {
  auto read = load_configuration(options.config_file, console);
  if (!read) return exit_code::configuration;
  const config::Loaded loaded = as_reader_may_see(std::move(*read), options.config_file);
  if (options.tenant.empty()) {
    console.out << (options.json ? config::show_json(loaded) : config::show(loaded));
    return exit_code::ok;
  }
  const auto text =
      options.json ? config::show_tenant_json(loaded, options.tenant) : config::show_tenant(loaded, options.tenant);
  if (!text) {
    console.err << "sallyport: " << text.error().message << "\n";
    return exit_code::usage;
  }
  console.out << *text;
  return exit_code::ok;
}

const Command config_show_entry{"config show", "All effective values and where each comes from",
                                make_invocation<ConfigShowOptions, declare, config_show_command>};

}  // namespace sallyport::cli
