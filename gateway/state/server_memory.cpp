#include "gateway/state/server_memory.h"

#include <chrono>
#include <exception>
#include <utility>

namespace sallyport::state {

namespace {

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

Result<std::vector<RememberedServer>> ServerMemory::read(Database& database, WallTime now) {
  auto old = database.prepare("DELETE FROM upstream_server WHERE seen_at < ?");
  if (!old) return std::move(old).error();
  auto done = old->bind(seconds_of(now - keep_for)).run();
  if (!done) return std::move(done).error();

  auto rows = database.prepare("SELECT upstream, address, name, offers FROM upstream_server ORDER BY seen_at DESC");
  if (!rows) return std::move(rows).error();
  std::vector<RememberedServer> servers;
  while (true) {
    auto row = rows->step();
    if (!row) return std::move(row).error();
    if (!*row) return servers;
    servers.push_back({rows->text(0), rows->text(1), rows->text(2), rows->text(3)});
  }
}

void ServerMemory::remember(RememberedServer server, WallTime seen) noexcept {
  try {
    store_.submit([server = std::move(server), seen = seconds_of(seen)](Database& database) -> Result<Done> {
      auto row = database.prepare(
          "INSERT OR REPLACE INTO upstream_server (upstream, address, name, offers, seen_at) VALUES (?, ?, ?, ?, ?)");
      if (!row) return std::move(row).error();
      return row->bind(server.upstream).bind(server.address).bind(server.name).bind(server.offers).bind(seen).run();
    });
  } catch (const std::exception&) {
    // No memory: it is remembered when the server has been seen again.
  }
}

}  // namespace sallyport::state
