#include "policies/milters/scarce_connections.h"

namespace sallyport::policies {

void find_scarce_connections(const MiltersSettings& settings, Advice& advice) {
  const std::uint64_t workers = advice.workers();
  for (const MilterSettings& milter : settings.milters) {
    const std::uint64_t most = milter.max_connections;
    if (settings.mode_of(milter) == Mode::off || most / 2 >= workers) continue;
    std::string message = "max_connections = " + std::to_string(most) + " of the milter " +
                          settings::quote(milter.shown_name()) + " is less than two for each of the " +
                          std::to_string(workers) +
                          " workers: one client whose mails take it long can hold up all that "
                          "a worker serves";
    if (most < workers)
      message += "; and as each worker has one, there are up to " + std::to_string(workers) + " connections";
    advice.warn({"milters"}, std::move(message));
  }
}

}  // namespace sallyport::policies
