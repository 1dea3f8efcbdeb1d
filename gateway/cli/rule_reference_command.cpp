#include "gateway/cli/rule_reference_command.h"

#include <ostream>

#include "gateway/cli/exit_code.h"
#include "lua/engine/reference.h"

namespace sallyport::cli {
namespace {

struct NoOptions {};

void declare(Syntax&, NoOptions&) {}

int print_reference(const NoOptions&, const Console& console) {
  console.out << lua::reference_page();
  return exit_code::ok;
}

int print_stubs(const NoOptions&, const Console& console) {
  console.out << lua::editor_stubs();
  return exit_code::ok;
}

}  // namespace

const Command rule_reference_entry{"rule reference", "What Lua rules can call and read, as Markdown",
                                   make_invocation<NoOptions, declare, print_reference>};
const Command rule_stubs_entry{"rule stubs", "The same for editors with the Lua language server",
                               make_invocation<NoOptions, declare, print_stubs>};

}  // namespace sallyport::cli
