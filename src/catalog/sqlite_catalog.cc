// Making and opening the file; the check of everything.
#include "catalog/sqlite_catalog.h"

#include <array>

#include "catalog/database_files.h"
#include "catalog/schema.h"
#include "os/files.h"

namespace warifu::catalog {
namespace {

struct Rule {
  std::string_view broken;  // what it means when the query has a row
  std::string_view sql;     // its first column names the record
};

constexpr std::array<Rule, 4> kRules = {{
    {"a place of the tree has two locations", R"sql(
      SELECT lower(hex(s.object_id)) FROM share s
      WHERE s.state = 'durable' OR (s.site IS NULL AND
        (SELECT count(DISTINCT n.path) = max(n.cut_shares) FROM share n
         WHERE n.parent_id = s.share_id AND (n.state = 'durable' OR
           EXISTS (SELECT 1 FROM share m WHERE m.parent_id = n.share_id AND m.state = 'durable'))))
      GROUP BY s.object_id, s.generation, s.path HAVING count(*) > 1)sql"},
    {"a nested share does not fit its parent", R"sql(
      SELECT lower(hex(n.share_id)) FROM share n JOIN share p ON n.parent_id = p.share_id
      WHERE p.path <> substr(n.path, 1, length(n.path) - 1) OR p.object_id <> n.object_id OR
        p.generation <> n.generation)sql"},
    {"a cut share has no nested shares, and nothing has replaced it", R"sql(
      SELECT lower(hex(s.share_id)) FROM share s
      WHERE s.site IS NULL AND s.state = 'delete_pending' AND
        NOT EXISTS (SELECT 1 FROM share n WHERE n.parent_id = s.share_id) AND
        NOT EXISTS (SELECT 1 FROM share r
          WHERE r.share_id <> s.share_id AND r.object_id = s.object_id AND
            r.generation = s.generation AND r.path = s.path AND
            (r.site IS NOT NULL OR r.state = 'deleted')))sql"},
    {"a deleted object has a live share", R"sql(
      SELECT lower(hex(s.share_id)) FROM share s JOIN object o USING (object_id)
      WHERE o.state = 'deleted' AND s.state IN ('planned', 'writing', 'durable'))sql"},
}};

// The first column of each row, for a message; empty when there are no rows.
Result<std::string> first_findings(Database& database, std::string_view sql) {
  constexpr int kMost = 5;
  TRY_ASSIGN(Statement statement, database.prepare(sql));
  std::string findings;
  for (int i = 0; i < kMost; ++i) {
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) break;
    findings += (findings.empty() ? "" : "; ") + statement.read_text();
    TRY(statement.check_row());
  }
  return findings;
}

// Under another name until it is whole, so that a file of this name always is a catalog.
Result<> make_file(os::FileSystem& files, const std::string& path) {
  const std::string fresh = path + ".new";
  TRY(remove_database(files, fresh));
  {
    TRY_ASSIGN(const auto file, files.open(fresh, os::OpenMode::kCreate));
  }
  {
    TRY_ASSIGN(const auto database, Database::open(fresh));
    TRY(create_schema(*database));
  }
  // The last connection has moved the log into the file; what is still beside it would be lost.
  if (files.exists(fresh + "-wal")) {
    return fail(Code::kIo, "catalog '" + fresh + "' could not be written completely");
  }
  TRY(files.rename(fresh, path));
  files.sync_dir(os::parent_of(path));
  return {};
}

}  // namespace

Result<> SqliteCatalog::check_json_locked(std::string_view what, const std::string& text) {
  if (text.empty()) return {};
  TRY_ASSIGN(Statement statement, database_->prepare("SELECT json_valid(?)"));
  statement.text(text);
  TRY_ASSIGN(const bool row, statement.step());
  const bool valid = row && statement.read_number() == 1;
  TRY(statement.check_row());
  if (!valid) return fail(Code::kInvalidArgument, std::string(what) + " is not JSON");
  return {};
}

Result<> SqliteCatalog::integrity_check() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const std::string pages, first_findings(*database_, "PRAGMA integrity_check(5)"));
  if (pages != "ok") return database_->damaged(pages);
  TRY_ASSIGN(const std::string references, first_findings(*database_, "PRAGMA foreign_key_check"));
  if (!references.empty()) {
    return database_->damaged("rows refer to rows that are not there, in: " + references);
  }
  for (const Rule& rule : kRules) {
    TRY_ASSIGN(const std::string records, first_findings(*database_, rule.sql));
    if (!records.empty()) return database_->damaged(std::string(rule.broken) + ": " + records);
  }
  return {};
}

Result<std::unique_ptr<Catalog>> open_sqlite(const std::string& path, os::FileSystem& files) {
  if (path.empty()) return fail(Code::kInvalidArgument, "the catalog's path is empty");
  if (!files.exists(path)) {
    // A log without its file would be taken for the log of the new file.
    if (files.exists(path + "-wal")) {
      return fail(Code::kCorrupt, "catalog '" + path +
                                      "' is damaged: it is not there, but its log '" + path +
                                      "-wal' is; bring both back from the backup");
    }
    TRY(make_file(files, path));
  }
  TRY_ASSIGN(auto database, Database::open(path));
  TRY(prepare_schema(*database));
  return std::make_unique<SqliteCatalog>(std::move(database), files);
}

}  // namespace warifu::catalog
