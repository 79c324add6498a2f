// SQLite as values: a connection, statements that bind and read in order, transactions.
//
// Errors carry the database's path. A number that has no place in SQLite, or a column of the wrong
// kind, makes the statement fail as a whole (as wire::Reader does), so callers check once per row.
// SQLite uses the operating system by itself, beside the seam in os/files.h; a sync that fails ends
// the process here too.
// Ownership: statements and transactions must not outlive their database. Thread rule: one thread
// at a time for a database and all that hangs on it.
#pragma once

#include <sqlite3.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "catalog/records.h"
#include "os/system.h"

namespace warifu::catalog {

class Statement;

class Database {
 public:
  // An existing database file. Errors: kNotFound, kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One statement. `sql` is always text of this program, never of a user.
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  // One or more statements; rows are dropped.
  [[nodiscard]] Result<> execute(const std::string& sql);
  // The first column of the first row.
  [[nodiscard]] Result<std::string> query_text(std::string_view sql);
  [[nodiscard]] Result<std::uint64_t> query_number(std::string_view sql);
  // Copies all pages of another database into this one, `pages` at a time with `between` after each
  // step but the last; what changes in `from` meanwhile, by its own connection, is copied again.
  [[nodiscard]] Result<> copy_from(Database& from, int pages, const std::function<void()>& between);
  // The error of the last call.
  [[nodiscard]] std::unexpected<Error> failed() const;
  [[nodiscard]] std::unexpected<Error> damaged(std::string_view why) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Database(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  sqlite3* handle_;
  std::string path_;
};

class Statement {
 public:
  Statement(Database& database, sqlite3_stmt* handle) : database_(&database), handle_(handle) {}
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  Statement& operator=(Statement&&) = delete;

  // Binding: each call fills the next parameter.
  Statement& text(std::string_view value);
  Statement& number(std::uint64_t value);
  Statement& time(os::UnixMs value);
  Statement& blob(ByteView value);
  Statement& null();
  Statement& site(const SiteName& value) { return text(value.text()); }
  template <typename Tag>
  Statement& id(const Id16<Tag>& value) {
    return blob(value.view());
  }
  Statement& maybe(const std::optional<os::UnixMs>& value) { return value ? time(*value) : null(); }
  Statement& maybe(const std::optional<SiteName>& value) { return value ? site(*value) : null(); }
  Statement& maybe(const std::optional<std::string>& value) {
    return value ? text(*value) : null();
  }
  template <typename Tag>
  Statement& maybe(const std::optional<Id16<Tag>>& value) {
    return value ? id(*value) : null();
  }

  // True when there is a row, whose columns are then read from the first one on.
  [[nodiscard]] Result<bool> step();
  // For statements without rows.
  [[nodiscard]] Result<> run();

  // Reading: each call takes the next column.
  std::string read_text();
  std::uint64_t read_number();
  // A number of at most `most`.
  std::uint64_t read_number(std::uint64_t most);
  os::UnixMs read_time();
  Bytes read_blob();
  SiteName read_site();
  // One step or more.
  sharing::SharePath read_path();
  template <typename Id>
  Id read_id() {
    const Bytes raw = read_blob();
    if (raw.size() == 16) return Id::from_view(raw);
    reject("an identifier does not have 16 bytes");
    return {};
  }
  template <typename State>
  State read_state() {
    const auto value = value_of_name<State>(read_text());
    if (value) return *value;
    reject("a state has an unknown name");
    return {};
  }
  // Skips a NULL and returns true; else nothing is taken.
  bool skip_null();
  template <typename Id>
  std::optional<Id> maybe_id() {
    return skip_null() ? std::nullopt : std::optional<Id>(read_id<Id>());
  }
  std::optional<os::UnixMs> maybe_time();
  std::optional<SiteName> maybe_site();
  std::optional<std::string> maybe_text();
  void reject(std::string_view reason);
  // Errors: kCorrupt when something of the row was not what it must be.
  [[nodiscard]] Result<> check_row() const;

 private:
  // The next column, which must be of `type`; -1 when it is not.
  int take_column(int type);

  Database* database_;
  sqlite3_stmt* handle_;
  int next_parameter_ = 1;
  int next_column_ = 0;
  bool bad_parameter_ = false;
  std::string bad_column_;
};

// Rolled back by its destructor unless committed.
class Transaction {
 public:
  // Takes the right to write at once, so that what is read inside stays true. Errors: kBusy, kIo.
  [[nodiscard]] static Result<Transaction> begin(Database& database);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  // Durable on return.
  [[nodiscard]] Result<> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace warifu::catalog
