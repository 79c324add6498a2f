// Calls of SQLite and the meaning of its errors.
#include "catalog/sqlite.h"

namespace warifu::catalog {
namespace {

constexpr int kBusyTimeoutMs = 5000;

Code code_of(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY: return Code::kAlreadyExists;
    case SQLITE_CONSTRAINT_FOREIGNKEY: return Code::kNotFound;
    default: break;
  }
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Code::kCorrupt;
    case SQLITE_FULL: return Code::kNoSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Code::kBusy;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_TOOBIG: return Code::kInvalidArgument;
    default: return Code::kIo;
  }
}

Error error_of(int extended, const std::string& path, const char* text) {
  if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
    abort_with(__FILE__, __LINE__, "fsync of the catalog failed; nothing of it can be trusted now");
  }
  const Code code = code_of(extended);
  const std::string what = code == Code::kCorrupt ? "' is damaged: " : "': ";
  return {code, "catalog '" + path + what + text};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = ::sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (opened != SQLITE_OK) {
    Error error = error_of(opened, path, ::sqlite3_errstr(opened));
    ::sqlite3_close(handle);
    return std::unexpected(std::move(error));
  }
  std::unique_ptr<Database> database(new Database(handle, path));
  ::sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  ::sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // A write that a power loss tears may harm what lies beside it in its blocks: the log then begins
  // every transaction in a block of its own. SQLite's default believes the opposite.
  int believes_blocks = 0;
  (void)::sqlite3_file_control(handle, "main", SQLITE_FCNTL_POWERSAFE_OVERWRITE, &believes_blocks);
  TRY(
      database->execute("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;"
                        "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                        "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL"));
  return database;
}

Database::~Database() {
  WARIFU_CHECK(::sqlite3_close(handle_) == SQLITE_OK);
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const int done =
      ::sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &handle, nullptr);
  if (done != SQLITE_OK) return failed();
  return Statement(*this, handle);
}

Result<> Database::execute(const std::string& sql) {
  if (::sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failed();
  }
  return {};
}

Result<> Database::copy_from(Database& from, int pages, const std::function<void()>& between) {
  sqlite3_backup* backup = ::sqlite3_backup_init(handle_, "main", from.handle_, "main");
  if (backup == nullptr) return failed();
  int done = SQLITE_OK;
  while ((done = ::sqlite3_backup_step(backup, pages)) == SQLITE_OK) between();
  const int finished = ::sqlite3_backup_finish(backup);
  if (done == SQLITE_DONE && finished == SQLITE_OK) return {};
  return std::unexpected(error_of(done == SQLITE_DONE ? finished : done, path_,
                                  ::sqlite3_errstr(done == SQLITE_DONE ? finished : done)));
}

Result<std::string> Database::query_text(std::string_view sql) {
  TRY_ASSIGN(Statement statement, prepare(sql));
  TRY_ASSIGN(const bool row, statement.step());
  if (!row) return damaged("an expected row is not there");
  std::string text = statement.read_text();
  TRY(statement.check_row());
  return text;
}

Result<std::uint64_t> Database::query_number(std::string_view sql) {
  TRY_ASSIGN(Statement statement, prepare(sql));
  TRY_ASSIGN(const bool row, statement.step());
  if (!row) return damaged("an expected row is not there");
  const std::uint64_t number = statement.read_number();
  TRY(statement.check_row());
  return number;
}

std::unexpected<Error> Database::failed() const {
  return std::unexpected(
      error_of(::sqlite3_extended_errcode(handle_), path_, ::sqlite3_errmsg(handle_)));
}

std::unexpected<Error> Database::damaged(std::string_view why) const {
  return fail(Code::kCorrupt, "catalog '" + path_ + "' is damaged: " + std::string(why));
}

Statement::~Statement() {
  ::sqlite3_finalize(handle_);
}

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_),
      handle_(std::exchange(other.handle_, nullptr)),
      next_parameter_(other.next_parameter_),
      next_column_(other.next_column_),
      bad_parameter_(other.bad_parameter_),
      bad_column_(std::move(other.bad_column_)) {}

Statement& Statement::text(std::string_view value) {
  const int done =
      ::sqlite3_bind_text64(handle_, next_parameter_++, value.data() == nullptr ? "" : value.data(),
                            value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  bad_parameter_ = bad_parameter_ || done != SQLITE_OK;
  return *this;
}

Statement& Statement::number(std::uint64_t value) {
  const bool fits = value <= INT64_MAX;
  const int done = ::sqlite3_bind_int64(handle_, next_parameter_++,
                                        fits ? static_cast<sqlite3_int64>(value) : 0);
  bad_parameter_ = bad_parameter_ || !fits || done != SQLITE_OK;
  return *this;
}

Statement& Statement::time(os::UnixMs value) {
  const int done = ::sqlite3_bind_int64(handle_, next_parameter_++, value.value);
  bad_parameter_ = bad_parameter_ || done != SQLITE_OK;
  return *this;
}

Statement& Statement::blob(ByteView value) {
  const Byte nothing = 0;  // a null address would bind NULL
  const int done =
      ::sqlite3_bind_blob64(handle_, next_parameter_++, value.empty() ? &nothing : value.data(),
                            value.size(), SQLITE_TRANSIENT);
  bad_parameter_ = bad_parameter_ || done != SQLITE_OK;
  return *this;
}

Statement& Statement::null() {
  bad_parameter_ = ::sqlite3_bind_null(handle_, next_parameter_++) != SQLITE_OK || bad_parameter_;
  return *this;
}

Result<bool> Statement::step() {
  if (bad_parameter_) {
    return fail(Code::kInvalidArgument,
                "catalog '" + database_->path() + "': a number or text is too large");
  }
  next_column_ = 0;
  const int done = ::sqlite3_step(handle_);
  if (done == SQLITE_ROW) return true;
  if (done == SQLITE_DONE) return false;
  return database_->failed();
}

Result<> Statement::run() {
  TRY_ASSIGN(const bool row, step());
  WARIFU_CHECK(!row);
  return {};
}

int Statement::take_column(int type) {
  const int column = next_column_++;
  if (::sqlite3_column_type(handle_, column) == type) return column;
  reject("a column has another type than it must have");
  return -1;
}

std::string Statement::read_text() {
  const int column = take_column(SQLITE_TEXT);
  if (column < 0) return {};
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(handle_, column));
  const int size = ::sqlite3_column_bytes(handle_, column);
  return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::uint64_t Statement::read_number() {
  return read_number(INT64_MAX);
}

std::uint64_t Statement::read_number(std::uint64_t most) {
  const int column = take_column(SQLITE_INTEGER);
  if (column < 0) return 0;
  const sqlite3_int64 value = ::sqlite3_column_int64(handle_, column);
  if (value >= 0 && static_cast<std::uint64_t>(value) <= most) {
    return static_cast<std::uint64_t>(value);
  }
  reject("a number is out of its range");
  return 0;
}

os::UnixMs Statement::read_time() {
  const int column = take_column(SQLITE_INTEGER);
  return {column < 0 ? 0 : ::sqlite3_column_int64(handle_, column)};
}

Bytes Statement::read_blob() {
  const int column = take_column(SQLITE_BLOB);
  if (column < 0) return {};
  const auto* data = static_cast<const Byte*>(::sqlite3_column_blob(handle_, column));
  const int size = ::sqlite3_column_bytes(handle_, column);
  return data == nullptr ? Bytes() : Bytes(data, data + size);
}

SiteName Statement::read_site() {
  const auto name = SiteName::parse(read_text());
  if (name) return *name;
  reject(name.error().message);
  return {};
}

sharing::SharePath Statement::read_path() {
  const auto path = sharing::SharePath::from_steps(read_blob());
  if (path) return *path;
  reject(path.error().message);
  return {};
}

bool Statement::skip_null() {
  if (::sqlite3_column_type(handle_, next_column_) != SQLITE_NULL) return false;
  ++next_column_;
  return true;
}

std::optional<os::UnixMs> Statement::maybe_time() {
  return skip_null() ? std::nullopt : std::optional(read_time());
}

std::optional<SiteName> Statement::maybe_site() {
  return skip_null() ? std::nullopt : std::optional(read_site());
}

std::optional<std::string> Statement::maybe_text() {
  return skip_null() ? std::nullopt : std::optional(read_text());
}

void Statement::reject(std::string_view reason) {
  if (bad_column_.empty()) bad_column_ = reason;
}

Result<> Statement::check_row() const {
  if (bad_column_.empty()) return {};
  return database_->damaged(bad_column_);
}

Result<Transaction> Transaction::begin(Database& database) {
  TRY(database.execute("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // A failed statement may have rolled back already; then there is nothing to do.
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

Result<> Transaction::commit() {
  TRY(database_->execute("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace warifu::catalog
