#include "gateway/state/server_memory.h"

#include <chrono>
#include <exception>
#include <utility>

#include "gateway/state/clock_trust.h"

namespace sallyport::state {

namespace {

std::int64_t seconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

// By a clock that disagrees with what was written last nothing expires, and what seems to be years old never does: it
// is little, and the clock may be wrong. Nor does anything while another process holds the file: the next start has
// time.
Result<Done> expire(Database& database, WallTime now) {
  auto latest = database.prepare("SELECT max(seen_at) FROM upstream_server");
  if (!latest) return std::move(latest).error();
  auto row = latest->step();
  if (!row) return std::move(row).error();
  const WallTime last_known{std::chrono::seconds(latest->number(0))};
  latest->reset();
  if (!follows_on(now, last_known)) return Done{};
  auto old = database.prepare("DELETE FROM upstream_server WHERE seen_at < ? AND seen_at > ?");
  if (!old) return std::move(old).error();
  const WallTime too_old = now - std::chrono::days(365);
  auto done = old->bind(seconds_of(now - ServerMemory::keep_for)).bind(seconds_of(too_old)).run();
  if (!done && !database.was_locked()) return done;
  return Done{};
}

// One that is there is noted anew each day.
constexpr auto recent = std::chrono::hours(25);

Result<std::vector<RememberedServer>> read_since(Database& database, std::int64_t seconds) {
  auto rows = database.prepare(
      "SELECT upstream, address, name, offers FROM upstream_server WHERE seen_at >= ? ORDER BY seen_at DESC");
  if (!rows) return std::move(rows).error();
  rows->bind(seconds);
  std::vector<RememberedServer> servers;
  while (true) {
    auto row = rows->step();
    if (!row) return std::move(row).error();
    if (!*row) return servers;
    servers.push_back({rows->text(0), rows->text(1), rows->text(2), rows->text(3)});
  }
}

}  // namespace

Result<std::vector<RememberedServer>> ServerMemory::read(Database& database, WallTime now) {
  auto expired = expire(database, now);
  if (!expired) return std::move(expired).error();
  return read_since(database, 0);
}

Result<std::vector<RememberedServer>> ServerMemory::read_recent(Database& database, WallTime now) {
  return read_since(database, seconds_of(now - recent));
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
