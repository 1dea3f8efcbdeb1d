#include "gateway/cli/drain_command.h"

#include <ostream>

#include "gateway/cli/daemon_answer.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, DrainOptions& options) { syntax.config_file(options.config_file); }

}  // namespace

int drain_command(const DrainOptions& options, const Console& console) {
  return show_answer(options.config_file, "drain", console, control::decode_done, [&console](Done) {
    console.out << "no new sessions are accepted; the gateway ends with those that are open, or when timeouts.drain is "
                   "over\n";
  });
}

const Command drain_entry{"drain", "Let the running daemon finish what is under way, and end",
                          make_invocation<DrainOptions, declare, drain_command>};

}  // namespace sallyport::cli
