#include "gateway/state/schema.h"

#include <array>
#include <string>

#include "gateway/state/database.h"

namespace sallyport::state {

namespace {

// PRAGMA application_id: "SLPT"; distinguishes our file from another program's.
constexpr std::int64_t our_application_id = 0x534c5054;

// Entry n-1 is the step to version n. Released steps must never be changed.
constexpr std::array<const char*, 4> steps{
    // DMARC aggregate reports. All columns except the count are the primary key, so equal mails are one row. dmarc_sent
    // records what has been sent to whom.
    R"(
    CREATE TABLE dmarc_row (
      day INTEGER NOT NULL,            -- since 1970-01-01, UTC
      policy_domain TEXT NOT NULL,
      record TEXT NOT NULL,
      discovery TEXT NOT NULL,
      source_ip TEXT NOT NULL,
      header_from TEXT NOT NULL,
      envelope_from TEXT NOT NULL,
      disposition TEXT NOT NULL,
      dkim INTEGER NOT NULL,
      spf INTEGER NOT NULL,
      reasons TEXT NOT NULL,           -- lines of type TAB comment
      signatures TEXT NOT NULL,        -- lines of domain TAB selector TAB result
      spf_check TEXT NOT NULL,         -- domain TAB result, or empty
      count INTEGER NOT NULL,
      PRIMARY KEY (day, policy_domain, record, discovery, source_ip, header_from, envelope_from, disposition, dkim, spf,
                   reasons, signatures, spf_check)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE dmarc_sent (
      day INTEGER NOT NULL,
      report_id TEXT NOT NULL,
      destination TEXT NOT NULL,
      sent_at INTEGER NOT NULL,        -- seconds since 1970
      PRIMARY KEY (day, report_id, destination)
    ) WITHOUT ROWID, STRICT;
    )",
    // What the servers behind us have offered last (server_memory.h).
    R"(
    CREATE TABLE upstream_server (
      upstream TEXT NOT NULL,
      address TEXT NOT NULL,
      name TEXT NOT NULL,
      offers TEXT NOT NULL,            -- lines of an EHLO reply
      seen_at INTEGER NOT NULL,        -- seconds since 1970
      PRIMARY KEY (upstream, address)
    ) WITHOUT ROWID, STRICT;
    )",
    // When a row was counted last: a report of the day tells of the record that was seen last.
    R"(
    ALTER TABLE dmarc_row ADD COLUMN seen_at INTEGER NOT NULL DEFAULT 0;  -- milliseconds since 1970
    )",
    // What rules remember (mail_memory.h). Times are milliseconds since 1970.
    R"(
    CREATE TABLE rule_memory (
      tenant TEXT NOT NULL,
      key TEXT NOT NULL,               -- fingerprint, hexadecimal
      origin INTEGER NOT NULL,         -- of the client's network, a keyed hash
      expires_at INTEGER NOT NULL,
      moment INTEGER NOT NULL,
      begun_at INTEGER NOT NULL,
      used_at INTEGER NOT NULL,
      established INTEGER NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (tenant, key)
    ) WITHOUT ROWID, STRICT;
    CREATE TABLE rule_memory_key (
      words TEXT NOT NULL,             -- of the fingerprints, hexadecimal
      batch INTEGER NOT NULL           -- how many transactions with changes have been kept
    ) STRICT;
    )",
};

Result<std::int64_t> ask_number(Database& database, std::string_view sql) {
  auto statement = database.prepare(sql);
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  return *row ? statement->number(0) : 0;
}

Result<Done> check_sound(Database& database) {
  auto statement = database.prepare("PRAGMA quick_check(1)");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  if (*row && statement->text(0) == "ok") return Done{};
  return Failure{database.path() +
                 ": the database is damaged: " + (*row ? statement->text(0) : std::string("no answer"))};
}

Result<Done> migrate(Database& database, std::int64_t version) {
  for (std::size_t next = static_cast<std::size_t>(version); next < steps.size(); ++next) {
    auto done = database.execute(steps[next]);
    if (!done) return done;
  }
  const std::string mark = "PRAGMA application_id = " + std::to_string(our_application_id) +
                           "; PRAGMA user_version = " + std::to_string(steps.size());
  return database.execute(mark.c_str());
}

// Checks that the file is ours or new; gives its version.
Result<std::int64_t> version_of(Database& database) {
  auto application = ask_number(database, "PRAGMA application_id");
  if (!application) return application;
  auto tables = ask_number(database, "SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables;
  if (*application != our_application_id && (*application != 0 || *tables != 0))
    return Failure{database.path() + ": this is the database of another program; move it away"};
  auto version = ask_number(database, "PRAGMA user_version");
  if (!version) return version;
  if (*version < 0 || static_cast<std::size_t>(*version) > steps.size())
    return Failure{database.path() + ": written by a newer version of this program (its tables are version " +
                   std::to_string(*version) + ", this one knows " + std::to_string(steps.size()) + ")"};
  return version;
}

}  // namespace

bool is_of_no_version_of_ours(Database& database) {
  const auto application = ask_number(database, "PRAGMA application_id");
  const auto version = ask_number(database, "PRAGMA user_version");
  if (!application || !version || *application != our_application_id) return false;
  return *version < 0 || static_cast<std::size_t>(*version) > steps.size();
}

Result<Done> prepare_schema(Database& database) {
  auto version = version_of(database);
  if (!version) return std::move(version).error();
  auto sound = check_sound(database);
  if (!sound) return sound;
  // With synchronous = NORMAL a power failure can undo the last commits, which makes counts too low but never damages
  // the file.
  auto mode = database.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  if (!mode || static_cast<std::size_t>(*version) == steps.size()) return mode;

  auto transaction = DatabaseTransaction::begin(database);
  if (!transaction) return std::move(transaction).error();
  version = version_of(database);  // another process may have upgraded it meanwhile
  if (!version) return std::move(version).error();
  auto migrated = migrate(database, *version);
  if (!migrated) return migrated;
  return transaction->commit();
}

}  // namespace sallyport::state
