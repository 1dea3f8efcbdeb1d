#include "gateway/cli/stats_command.h"

#include <ostream>

#include "gateway/cli/daemon_answer.h"
#include "gateway/control/protocol.h"

namespace sallyport::cli {
namespace {

void declare(Syntax& syntax, StatsOptions& options) {
  syntax.config_file(options.config_file);
  syntax.json(options.json);
}

}  // namespace

int stats_command(const StatsOptions& options, const Console& console) {
  return show_answer(options.config_file, "stats", console, control::decode_stats, [&](const auto& stats) {
    if (options.json) {
      console.out << control::stats_json(stats) << "\n";
    } else {
      for (const auto& [name, value] : stats) console.out << name << " " << value << "\n";
    }
  });
}

const Command stats_entry{"stats", "The counters of the running daemon",
                          make_invocation<StatsOptions, declare, stats_command>};

}  // namespace sallyport::cli
