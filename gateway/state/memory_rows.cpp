#include "gateway/state/memory_rows.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "gateway/state/clock_trust.h"

namespace sallyport::state {

namespace {

constexpr std::size_t word_digits = 16;

std::string hex_of(std::uint64_t first, std::uint64_t second) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const std::uint64_t word : {first, second}) {
    for (int shift = 60; shift >= 0; shift -= 4) text += digits[(word >> shift) & 0xf];
  }
  return text;
}

bool from_hex(std::string_view text, std::uint64_t& first, std::uint64_t& second) {
  if (text.size() != 2 * word_digits) return false;
  const auto read = [](std::string_view digits, std::uint64_t& word) {
    const char* const end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, word, 16).ptr == end;
  };
  return read(text.substr(0, word_digits), first) && read(text.substr(word_digits), second);
}

std::int64_t milliseconds_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// A time of one clock by the other one.
std::int64_t to_row(Time time, const Moment& now) {
  return milliseconds_of(now.wall) + std::chrono::duration_cast<std::chrono::milliseconds>(time - now.steady).count();
}
Time from_row(std::int64_t milliseconds, const Moment& now) {
  // No rule remembers for longer; a file may say anything.
  constexpr std::int64_t most = std::int64_t{1000} * 60 * 60 * 24 * 366;
  const std::int64_t away = std::clamp(milliseconds - milliseconds_of(now.wall), -most, most);
  return now.steady + std::chrono::milliseconds(away);
}

Result<std::int64_t> last_use(Database& database) {
  auto latest = database.prepare("SELECT max(used_at) FROM rule_memory");
  if (!latest) return std::move(latest).error();
  auto row = latest->step();
  if (!row) return std::move(row).error();
  return latest->number(0);
}

}  // namespace

Result<HashKey> memory_hash_key(Database& database, const HashKey& ours) {
  auto kept = database.prepare("SELECT words FROM rule_memory_key");
  if (!kept) return std::move(kept).error();
  auto row = kept->step();
  if (!row) return std::move(row).error();
  HashKey key{};
  if (*row && from_hex(kept->text(0), key[0], key[1])) return key;
  kept->reset();
  auto cleared = database.execute("DELETE FROM rule_memory_key; DELETE FROM rule_memory");
  if (!cleared) return std::move(cleared).error();
  auto added = database.prepare("INSERT INTO rule_memory_key (words, batch) VALUES (?, 0)");
  if (!added) return std::move(added).error();
  auto done = added->bind(hex_of(ours[0], ours[1])).run();
  if (!done) return std::move(done).error();
  return ours;
}

Result<std::int64_t> memory_batch(Database& database) {
  auto kept = database.prepare("SELECT batch FROM rule_memory_key");
  if (!kept) return std::move(kept).error();
  auto row = kept->step();
  if (!row) return std::move(row).error();
  return *row ? kept->number(0) : 0;
}

Result<Done> set_memory_batch(Database& database, std::int64_t batch) {
  auto change = database.prepare("UPDATE rule_memory_key SET batch = ?");
  if (!change) return std::move(change).error();
  return change->bind(batch).run();
}

Result<bool> read_memory(Database& database, Moment now,
                         const std::function<void(const std::string& tenant, MemoryEntry entry)>& take) {
  auto last = last_use(database);
  if (!last) return std::move(last).error();
  const WallTime last_known{std::chrono::milliseconds(*last)};
  const bool is_shifted = *last != 0 && !follows_on(now.wall, last_known);
  if (is_shifted) now.wall = last_known;
  auto rows = database.prepare(
      "SELECT tenant, key, origin, expires_at, moment, begun_at, used_at, established, value FROM rule_memory "
      "WHERE expires_at > ? ORDER BY established, used_at");
  if (!rows) return std::move(rows).error();
  rows->bind(milliseconds_of(now.wall));
  while (true) {
    auto row = rows->step();
    if (!row) return std::move(row).error();
    if (!*row) break;
    MemoryEntry entry;
    if (!from_hex(rows->text(1), entry.key.low, entry.key.high)) continue;
    entry.origin = static_cast<std::uint64_t>(rows->number(2));
    entry.expires = from_row(rows->number(3), now);
    entry.moment = from_row(rows->number(4), now);
    entry.begun = from_row(rows->number(5), now);
    entry.used = from_row(rows->number(6), now);
    entry.is_established = rows->number(7) != 0;
    entry.value = rows->text(8);
    take(rows->text(0), std::move(entry));
  }
  if (is_shifted) return true;
  // Their time is over, and the clock is the one they were written by.
  auto over = database.prepare("DELETE FROM rule_memory WHERE expires_at <= ?");
  if (!over) return std::move(over).error();
  auto deleted = over->bind(milliseconds_of(now.wall)).run();
  if (!deleted) return std::move(deleted).error();
  return false;
}

Result<Done> write_memory(Database& database, Moment now, const std::string& tenant,
                          const MemoryTable::Changes& changes) {
  auto removal = database.prepare("DELETE FROM rule_memory WHERE tenant = ? AND key = ?");
  if (!removal) return std::move(removal).error();
  for (const Fingerprint& key : changes.removed) {
    auto done = removal->bind(tenant).bind(hex_of(key.low, key.high)).run();
    if (!done) return done;
  }
  auto row = database.prepare(
      "INSERT OR REPLACE INTO rule_memory (tenant, key, origin, expires_at, moment, begun_at, used_at, established, "
      "value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  if (!row) return std::move(row).error();
  for (const MemoryEntry& entry : changes.entries) {
    row->bind(tenant).bind(hex_of(entry.key.low, entry.key.high)).bind(static_cast<std::int64_t>(entry.origin));
    row->bind(to_row(entry.expires, now));
    row->bind(to_row(entry.moment, now)).bind(to_row(entry.begun, now)).bind(to_row(entry.used, now));
    auto done = row->bind(std::int64_t{entry.is_established}).bind(entry.value).run();
    if (!done) return done;
  }
  return Done{};
}

}  // namespace sallyport::state
