#include "gateway/cli/config_explain_command.h"

#include <ostream>
#include <utility>

#include "gateway/cli/configuration.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/explain.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, ConfigExplainOptions& options) {
  syntax.config_file(options.config_file);
  syntax.argument("KEY", "A key such as limits.hops, or a section such as limits", options.key);
}

}  // namespace

int config_explain_command(const ConfigExplainOptions& options, const Console& console) {
  // What a key means does not depend on a file; somebody may ask while writing the first one.
  auto loaded = config::load(options.config_file, config::Disk());
  if (loaded) *loaded = as_reader_may_see(std::move(*loaded), options.config_file);
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

const Command config_explain_entry{"config explain", "What one key, or all of a section, means",
                                   make_invocation<ConfigExplainOptions, declare, config_explain_command>};

}  // namespace sallyport::cli
