#include "gateway/state/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "gateway/base/ensure.h"
#include "gateway/state/schema.h"

namespace sallyport::state {

namespace {

constexpr int busy_patience_ms = 5000;
constexpr std::size_t most_kept_statements = 32;  // more than the program has for its queries

Failure failure(const std::string& path, std::string_view what) { return Failure{path + ": " + std::string(what)}; }

}  // namespace

void Statement::GiveBack::operator()(sqlite3_stmt* statement) const noexcept { database->keep(statement); }

Statement& Statement::bind(std::int64_t value) {
  ensure(sqlite3_bind_int64(statement_.get(), ++bound_, value) == SQLITE_OK,
         "Statement: a value that is not asked for");
  return *this;
}

Statement& Statement::bind(std::string_view text) {
  const int status = sqlite3_bind_text64(statement_.get(), ++bound_, text.data() == nullptr ? "" : text.data(),
                                         text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (status == SQLITE_NOMEM) throw std::bad_alloc();
  ensure(status == SQLITE_OK, "Statement: a value that is not asked for, or is far too long");
  return *this;
}

Result<bool> Statement::step() {
  const int status = database().noted(sqlite3_step(statement_.get()));
  if (status == SQLITE_ROW) return true;
  if (status == SQLITE_DONE) {
    reset();
    return false;
  }
  Failure why = failure(database().path_, sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
  reset();
  return why;
}

Result<Done> Statement::run() {
  auto row = step();
  if (!row) return std::move(row).error();
  ensure(!*row, "Statement: a row nobody wants");
  return Done{};
}

void Statement::reset() {
  sqlite3_reset(statement_.get());  // its return value only repeats the status of the last step
  bound_ = 0;
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const unsigned char* octets = sqlite3_column_text(statement_.get(), column);
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return octets ? std::string(reinterpret_cast<const char*>(octets), static_cast<std::size_t>(length)) : std::string();
}

void Database::Close::operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }

void Database::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

Database::Database(sqlite3* connection, std::string path) : path_(std::move(path)), connection_(connection) {
  kept_.reserve(most_kept_statements);  // so that keep() allocates nothing
}

Database::~Database() = default;

Result<std::unique_ptr<Database>, DatabaseFailure> Database::open(const std::string& path, Missing missing) {
  sqlite3* connection = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (missing == Missing::create ? SQLITE_OPEN_CREATE : 0);
  const int status = sqlite3_open_v2(path.c_str(), &connection, flags, nullptr);
  // SQLite sets `connection` even if opening fails; it then holds the reason.
  auto database = std::unique_ptr<Database>(new Database(connection, path));
  if (!connection) return DatabaseFailure{failure(path, "out of memory")};
  if (status != SQLITE_OK) return DatabaseFailure{failure(path, sqlite3_errmsg(connection))};
  sqlite3_busy_timeout(connection, busy_patience_ms);
  // Temporary files would lie where the process may not write.
  sqlite3_exec(connection, "PRAGMA temp_store = MEMORY", nullptr, nullptr, nullptr);
  // SQLite opens a file it may not write as read-only; every write would fail later.
  if (sqlite3_db_readonly(connection, "main") == 1)
    return DatabaseFailure{failure(path, "this user may not write to it")};
  auto prepared = prepare_schema(*database);
  if (!prepared)
    return DatabaseFailure{std::move(prepared).error(), is_of_no_version_of_ours(*database) || database->is_damaged()};
  return database;
}

// Looks at the file, whatever was tried with it before.
bool Database::is_damaged() {
  const auto is_sign = [](int status) { return (status & 0xff) == SQLITE_NOTADB || (status & 0xff) == SQLITE_CORRUPT; };
  sqlite3_stmt* statement = nullptr;
  int status = sqlite3_prepare_v2(connection_.get(), "PRAGMA quick_check(1)", -1, &statement, nullptr);
  bool is_sound = true;
  if (status == SQLITE_OK) status = sqlite3_step(statement);
  if (status == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
    is_sound = text != nullptr && std::string_view(text) == "ok";
  }
  sqlite3_finalize(statement);
  return is_sign(status) || !is_sound;
}

void Database::roll_back() noexcept { sqlite3_exec(connection_.get(), "ROLLBACK", nullptr, nullptr, nullptr); }

int Database::noted(int status) {
  was_locked_ = (status & 0xff) == SQLITE_BUSY || (status & 0xff) == SQLITE_LOCKED;
  return status;
}

sqlite3_stmt* Database::take_kept(std::string_view sql) noexcept {
  const auto found =
      std::find_if(kept_.rbegin(), kept_.rend(), [sql](const auto& one) { return sqlite3_sql(one.get()) == sql; });
  if (found == kept_.rend()) return nullptr;
  sqlite3_stmt* const statement = found->release();
  kept_.erase(std::next(found).base());
  return statement;
}

// Reset at once: a statement that stands at a row holds up the transactions of this connection and of others. Its
// failure, if it had one, has been told by step(); SQLite prepares it again by itself when the tables have changed.
void Database::keep(sqlite3_stmt* statement) noexcept {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  if (kept_.size() == most_kept_statements) kept_.erase(kept_.begin());
  kept_.emplace_back(statement);
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = take_kept(sql);
  if (statement != nullptr) return Statement(statement, *this);
  const int status = noted(sqlite3_prepare_v3(connection_.get(), sql.data(), static_cast<int>(sql.size()),
                                              SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  if (status != SQLITE_OK) return failure(path_, sqlite3_errmsg(connection_.get()));
  return Statement(statement, *this);
}

Result<Done> Database::execute(const char* sql) {
  if (noted(sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr)) == SQLITE_OK) return Done{};
  return failure(path_, sqlite3_errmsg(connection_.get()));
}

std::int64_t Database::changes() const { return sqlite3_changes64(connection_.get()); }

Result<DatabaseTransaction> DatabaseTransaction::begin(Database& database) {
  auto statement = database.prepare("BEGIN IMMEDIATE");
  if (!statement) return std::move(statement).error();
  auto begun = statement->run();
  if (!begun) return std::move(begun).error();
  return DatabaseTransaction(database);
}

DatabaseTransaction::~DatabaseTransaction() {
  // The result is ignored: after some failures SQLite has rolled back already. was_locked() still tells of the failure.
  if (database_) database_->roll_back();
}

Result<Done> DatabaseTransaction::commit() {
  ensure(database_ != nullptr, "DatabaseTransaction: committed twice");
  auto statement = database_->prepare("COMMIT");
  if (!statement) return std::move(statement).error();
  auto done = statement->run();
  if (done) database_ = nullptr;
  return done;
}

}  // namespace sallyport::state
