// The door to SQLite: one connection to a database file, and its prepared statements.
//
// What fails on a normal day (a full disk, a broken file, somebody else's lock held too long) is a Failure in words
// that name the file. A connection belongs to one thread at a time; several connections, of several processes too, may
// have the same file open (WAL: readers do not wait for the writer).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sallyport::state {

class Database;

// Prepared once, run many times: bind the values in order, then step through the rows. Ends before its database.
class Statement {
 public:
  Statement(Statement&&) noexcept = default;
  Statement& operator=(Statement&&) noexcept = default;
  ~Statement() = default;

  Statement& bind(std::int64_t value);
  Statement& bind(std::string_view text);
  // The next row: true; the end: false, and the statement may be bound and run again, as after a failure.
  Result<bool> step();
  // Runs it to its end, for a statement that gives no rows.
  Result<Done> run();
  // Leaves a result before its end.
  void reset();

  // Of the current row, from 0.
  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  friend class Database;
  struct Finish {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(sqlite3_stmt* statement, const std::string& path) : statement_(statement), path_(&path) {}

  std::unique_ptr<sqlite3_stmt, Finish> statement_;
  const std::string* path_;
  int bound_ = 0;
};

class Database {
 public:
  enum class Missing : std::uint8_t { create, fail };

  // Opens the file, brings its tables to this program's version (schema.h) and checks that it is sound. A file that is
  // no database, is damaged, belongs to another program or to a newer version is a Failure, and is left as it is.
  static Result<std::unique_ptr<Database>> open(const std::string& path, Missing missing);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  Result<Statement> prepare(std::string_view sql);
  Result<Done> execute(const char* sql);
  // How many rows the last statement changed.
  std::int64_t changes() const;

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const noexcept;
  };
  Database(sqlite3* connection, std::string path);

  const std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

// Everything that is done between its making and commit() happens or none of it: without commit() it is undone.
class DatabaseTransaction {
 public:
  // Waits for another process that writes, some seconds at most.
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
