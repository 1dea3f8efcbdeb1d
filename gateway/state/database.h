// Database: one SQLite connection to a database file, and its prepared statements. The only place that uses SQLite.
//
// What fails on a normal day (disk full, damaged file, another process holding the lock too long) is a Failure whose
// text names the file. One thread at a time may use a connection; several connections, also of several processes, may
// have the same file open (WAL: readers do not wait for the writer).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sallyport::state {

class Database;

// A prepared statement: bind the values in order, then step through the rows; can be run many times. It must be
// destroyed before its Database, which keeps what was prepared for the next who asks for the same SQL.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;
  ~Statement() = default;

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  // Gives true if there is another row, false at the end. After the end or a failure the statement can be bound and run
  // again.
  Result<bool> step();
  // Runs a statement that gives no rows.
  Result<Done> run();
  // Ends reading a result before its last row.
  void reset();

  // Columns of the current row, counted from 0.
  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  // Gives it back to the database.
  struct GiveBack {
    Database* database;
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(sqlite3_stmt* statement, Database& database) : statement_(statement, GiveBack{&database}) {}
  Database& database() const { return *statement_.get_deleter().database; }

  std::unique_ptr<sqlite3_stmt, GiveBack> statement_;
  int bound_ = 0;
};

// Why a database cannot be opened.
struct DatabaseFailure : Failure {
  bool is_damaged = false;  // the file is no database, a broken one, or one of a version that is none of ours
};

class Database {
 public:
  enum class Missing : std::uint8_t { create, fail };

  // Opens the file, upgrades its tables to this program's version (schema.h) and checks the file. A file that is not a
  // database, is damaged, belongs to another program or to a newer version is a Failure and stays unchanged.
  static Result<std::unique_ptr<Database>, DatabaseFailure> open(const std::string& path, Missing missing);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // One that was prepared before, and is not in use, is used again: preparing costs more than running most of them.
  Result<Statement> prepare(std::string_view sql);
  Result<Done> execute(const char* sql);
  // After a failure: true when another process held the file for too long, so that the same may be tried again.
  bool was_locked() const { return was_locked_; }
  // The number of rows that the last statement changed.
  std::int64_t changes() const;

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  Database(sqlite3* connection, std::string path);
  bool is_damaged();
  // Notes what a call of SQLite on this connection has ended with.
  int noted(int status);
  void roll_back() noexcept;
  sqlite3_stmt* take_kept(std::string_view sql) noexcept;
  void keep(sqlite3_stmt* statement) noexcept;

  friend class Statement;
  friend class DatabaseTransaction;

  const std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
  // Statements that nobody uses, reset and without values, the one used last at the end. Finalized before the
  // connection is closed.
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  std::vector<std::unique_ptr<sqlite3_stmt, Finalize>> kept_;
  bool was_locked_ = false;
};

// A transaction: everything between begin() and commit() happens, or nothing does: the destructor rolls back unless
// commit() succeeded.
class DatabaseTransaction {
 public:
  // Waits up to 5 seconds for another process that is writing.
  static Result<DatabaseTransaction> begin(Database& database);
  DatabaseTransaction(DatabaseTransaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  DatabaseTransaction& operator=(DatabaseTransaction&&) = delete;
  ~DatabaseTransaction();

  Result<Done> commit();

 private:
  explicit DatabaseTransaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace sallyport::state
