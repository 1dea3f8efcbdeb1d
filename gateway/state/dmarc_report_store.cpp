#include "gateway/state/dmarc_report_store.h"

#include <algorithm>
#include <chrono>
#include <new>
#include <utility>

#include "gateway/base/text.h"

namespace sallyport::state {

namespace {

using io::DmarcObservation;

constexpr Day most_overdue = 4;  // of the oldest row of a store whose clock is right

// A list is stored in one column: one line per element, its fields separated by tabs. Controls in a field become
// spaces, so no field contains either.
void append_field(std::string& packed, std::string_view field, char end) {
  for (const char c : field) packed += text::is_control(c) ? ' ' : c;
  packed += end;
}

std::string pack(const std::vector<DmarcObservation::Reason>& reasons) {
  std::string packed;
  for (const auto& reason : reasons) {
    append_field(packed, reason.type, '\t');
    append_field(packed, reason.comment, '\n');
  }
  return packed;
}

std::string pack(const std::vector<DmarcObservation::Signature>& signatures) {
  std::string packed;
  for (const auto& signature : signatures) {
    append_field(packed, signature.domain, '\t');
    append_field(packed, signature.selector, '\t');
    append_field(packed, signature.result, '\n');
  }
  return packed;
}

std::string pack(const std::optional<DmarcObservation::Spf>& spf) {
  std::string packed;
  if (!spf) return packed;
  append_field(packed, spf->domain, '\t');
  append_field(packed, spf->result, '\n');
  return packed;
}

// The lines of a packed column. A line with a different number of fields was not written by pack() and is skipped.
std::vector<std::vector<std::string_view>> unpack(std::string_view packed, std::size_t fields) {
  std::vector<std::vector<std::string_view>> lines;
  for (const std::string_view line : text::split(packed, '\n')) {
    auto parts = text::split(line, '\t');
    if (parts.size() == fields) lines.push_back(std::move(parts));
  }
  return lines;
}

io::DmarcReportRow read_row(const Statement& row, const DmarcReportKey& key) {
  io::DmarcReportRow read;
  DmarcObservation& mail = read.mail;
  mail.policy_domain = key.policy_domain;
  mail.record = key.record;
  mail.discovery = key.discovery;
  mail.source_ip = IpAddress::parse(row.text(0)).value_or(IpAddress());
  mail.header_from = row.text(1);
  mail.envelope_from = row.text(2);
  mail.disposition = row.text(3);
  mail.dkim = row.number(4) != 0;
  mail.spf = row.number(5) != 0;
  const std::string reasons = row.text(6);
  for (const auto& fields : unpack(reasons, 2))
    mail.reasons.push_back({std::string(fields[0]), std::string(fields[1])});
  const std::string signatures = row.text(7);
  for (const auto& fields : unpack(signatures, 3))
    mail.signatures.push_back({std::string(fields[0]), std::string(fields[1]), std::string(fields[2])});
  const std::string spf = row.text(8);
  for (const auto& fields : unpack(spf, 2))
    mail.spf_check = DmarcObservation::Spf{std::string(fields[0]), std::string(fields[1])};
  read.count = static_cast<std::uint64_t>(row.number(9));
  return read;
}

// Of the text that a row holds and others choose; as measure() counts it.
std::int64_t octets_of(const DmarcObservation& mail) {
  const std::size_t octets = mail.policy_domain.size() + mail.record.size() + mail.header_from.size() +
                             mail.envelope_from.size() + pack(mail.reasons).size() + pack(mail.signatures).size() +
                             pack(mail.spf_check).size();
  return static_cast<std::int64_t>(octets);
}

void bind_row(Statement& statement, Day day, const DmarcObservation& mail) {
  statement.bind(day)
      .bind(mail.policy_domain)
      .bind(mail.record)
      .bind(mail.discovery)
      .bind(mail.source_ip.to_string())
      .bind(mail.header_from)
      .bind(mail.envelope_from)
      .bind(mail.disposition)
      .bind(std::int64_t{mail.dkim})
      .bind(std::int64_t{mail.spf})
      .bind(pack(mail.reasons))
      .bind(pack(mail.signatures))
      .bind(pack(mail.spf_check));
}

}  // namespace

Day day_of(WallTime time) { return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count(); }

DmarcReportStore::DmarcReportStore(Store& store, Counters& counters, Options options)
    : store_(store), counters_(counters), options_(options) {}

DmarcReportStore::~DmarcReportStore() { store_.flush(); }

void DmarcReportStore::observed(DmarcObservation mail, WallTime at) noexcept {
  try {
    store_.submit([this, mail = std::move(mail), at](Database& database) { return write(database, mail, at); });
  } catch (const std::bad_alloc&) {
    counters_.add(Fault::state);
  }
}

Result<Done> DmarcReportStore::write(Database& database, const DmarcObservation& mail, WallTime at) {
  const Day day = day_of(at);
  const std::int64_t seen_at = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
  if (!found_) {
    auto measured = measure(database);
    if (!measured) return measured;
  }
  // A mail that ends after others of a later day does not begin a new day.
  const bool is_relied_on = clock_.may_expire(at, options_.steady(), fits_what_was_found(at));
  if (is_relied_on && day > expired_on_) {
    auto expired = expire(database, day);
    if (!expired) return expired;
  }
  auto known = database.prepare(
      "UPDATE dmarc_row SET count = count + 1, seen_at = max(seen_at, ?) WHERE day = ? AND policy_domain = ? AND "
      "record = ? AND discovery = ? AND "
      "source_ip = ? AND header_from = ? AND envelope_from = ? AND disposition = ? AND dkim = ? AND spf = ? AND "
      "reasons = ? AND signatures = ? AND spf_check = ?");
  if (!known) return std::move(known).error();
  known->bind(seen_at);
  bind_row(*known, day, mail);
  auto counted = known->run();
  if (!counted || database.changes() > 0) return counted;
  const std::int64_t octets = octets_of(mail);
  if (rows_ >= options_.most_rows || octets_ + octets > options_.most_octets) {
    counters_.add(Fault::state);
    return Done{};
  }
  auto added = database.prepare("INSERT INTO dmarc_row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)");
  if (!added) return std::move(added).error();
  bind_row(*added, day, mail);
  added->bind(seen_at);
  ++rows_;
  octets_ += octets;
  return added->run();
}

// As a store that is used day by day has nothing that is long overdue, a wrong clock is told by that, too: its own rows
// of another time would make it plausible.
bool DmarcReportStore::fits_what_was_found(WallTime at) const {
  if (found_->is_empty) return true;
  const Day overdue = day_of(at) - options_.keep_days - found_->first_day;
  return follows_on(at, found_->last_seen) && overdue <= most_overdue;
}

Result<Done> DmarcReportStore::expire(Database& database, Day day) {
  for (const char* sql : {"DELETE FROM dmarc_row WHERE day < ?", "DELETE FROM dmarc_sent WHERE day < ?"}) {
    auto old = database.prepare(sql);
    if (!old) return std::move(old).error();
    auto deleted = old->bind(day - options_.keep_days).run();
    if (!deleted) return deleted;
  }
  expired_on_ = day;
  return measure(database);
}

Result<Done> DmarcReportStore::measure(Database& database) {
  auto statement = database.prepare(
      "SELECT count(*), coalesce(max(seen_at), 0), coalesce(min(day), 0), coalesce(sum(length(CAST(policy_domain AS "
      "BLOB)) + "
      "length(CAST(record AS BLOB)) + "
      "length(CAST(header_from AS BLOB)) + length(CAST(envelope_from AS BLOB)) + length(CAST(reasons AS BLOB)) + "
      "length(CAST(signatures AS BLOB)) + "
      "length(CAST(spf_check AS BLOB))), 0) FROM dmarc_row");
  if (!statement) return std::move(statement).error();
  auto row = statement->step();
  if (!row) return std::move(row).error();
  rows_ = statement->number(0);
  octets_ = statement->number(3);
  if (!found_) {
    found_ = Found{rows_ == 0, WallTime(std::chrono::milliseconds(statement->number(1))), statement->number(2)};
  }
  return Done{};
}

Result<std::vector<DmarcReportKey>> dmarc_report_keys(Database& database, Day day) {
  auto statement = database.prepare(
      // SQLite takes the other columns from the row that has the maximum.
      "SELECT policy_domain, record, discovery, max(seen_at) FROM dmarc_row WHERE day = ? GROUP BY policy_domain "
      "ORDER BY policy_domain");
  if (!statement) return std::move(statement).error();
  statement->bind(day);
  std::vector<DmarcReportKey> keys;
  while (true) {
    auto row = statement->step();
    if (!row) return std::move(row).error();
    if (!*row) return keys;
    keys.push_back({statement->text(0), statement->text(1), statement->text(2)});
  }
}

Result<Done> read_dmarc_rows(Database& database, Day day, const DmarcReportKey& key,
                             const std::function<void(io::DmarcReportRow)>& take) {
  auto statement = database.prepare(
      "SELECT source_ip, header_from, envelope_from, disposition, dkim, spf, reasons, signatures, spf_check, "
      "sum(count) FROM dmarc_row WHERE day = ? AND policy_domain = ? GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9");
  if (!statement) return std::move(statement).error();
  statement->bind(day).bind(key.policy_domain);
  while (true) {
    auto row = statement->step();
    if (!row) return std::move(row).error();
    if (!*row) return Done{};
    take(read_row(*statement, key));
  }
}

Result<bool> dmarc_was_sent(Database& database, Day day, const std::string& report_id, const std::string& destination) {
  auto statement = database.prepare("SELECT 1 FROM dmarc_sent WHERE day = ? AND report_id = ? AND destination = ?");
  if (!statement) return std::move(statement).error();
  return statement->bind(day).bind(report_id).bind(destination).step();
}

Result<bool> claim_dmarc_report(Database& database, Day day, const std::string& report_id,
                                const std::string& destination, WallTime at) {
  auto statement = database.prepare("INSERT OR IGNORE INTO dmarc_sent VALUES (?, ?, ?, ?)");
  if (!statement) return std::move(statement).error();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
  auto done = statement->bind(day).bind(report_id).bind(destination).bind(std::int64_t{seconds}).run();
  if (!done) return std::move(done).error();
  return database.changes() == 0;
}

Result<Done> release_dmarc_report(Database& database, Day day, const std::string& report_id,
                                  const std::string& destination) {
  auto statement = database.prepare("DELETE FROM dmarc_sent WHERE day = ? AND report_id = ? AND destination = ?");
  if (!statement) return std::move(statement).error();
  return statement->bind(day).bind(report_id).bind(destination).run();
}

}  // namespace sallyport::state
