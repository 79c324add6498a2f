// Copies of the whole catalog, and secrets that get a new seal.
#include "catalog/database_files.h"
#include "catalog/schema.h"
#include "catalog/sqlite_catalog.h"
#include "os/files.h"

namespace warifu::catalog {
namespace {

constexpr int kPagesAtOnce = 1000;  // other calls wait for no more

}  // namespace

Result<> SqliteCatalog::back_up(const std::string& path) {
  {
    TRY_ASSIGN(const auto file, files_.open(path, os::OpenMode::kCreate));
  }
  const Result<> copied = [&]() -> Result<> {
    TRY_ASSIGN(const auto copy, Database::open(path));
    std::unique_lock lock(mutex_);
    return copy->copy_from(*database_, kPagesAtOnce, [&] {
      lock.unlock();
      lock.lock();
    });
  }();
  if (!copied) {
    TRY(remove_database(files_, path));
    return copied;
  }
  files_.sync_dir(os::parent_of(path));
  return {};
}

Result<> SqliteCatalog::take_over(const std::string& path) {
  TRY_ASSIGN(const auto copy, Database::open(path));
  TRY(prepare_schema(*copy));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const std::uint64_t known,
             database_->query_number("SELECT (SELECT count(*) FROM person) + (SELECT count(*) "
                                     "FROM object) + (SELECT count(*) FROM job)"));
  if (known > 0) {
    return fail(Code::kRefused, "catalog '" + database_->path() +
                                    "' is in use: only an empty one takes over another's records");
  }
  return database_->copy_from(*copy, -1, [] {});
}

Result<> SqliteCatalog::reseal_locked(const char* table, const char* key,
                                      const std::function<Result<Bytes>(ByteView sealed)>& seal) {
  struct Secret {
    Bytes id, sealed;
  };
  TRY_ASSIGN(Statement select,
             database_->prepare(std::string("SELECT ") + key + ", sealed_secret FROM " + table +
                                " WHERE length(sealed_secret) > 0"));
  TRY_ASSIGN(const auto secrets, read_rows<Secret>(select, [](Statement& row) {
               Bytes id = row.read_blob();
               return Secret{std::move(id), row.read_blob()};
             }));
  for (const Secret& secret : secrets) {
    TRY_ASSIGN(const Bytes fresh, seal(secret.sealed));
    TRY_ASSIGN(Statement update,
               database_->prepare(std::string("UPDATE ") + table + " SET sealed_secret = ? WHERE " +
                                  key + " = ?"));
    TRY(update.blob(fresh).blob(secret.id).run());
  }
  return {};
}

Result<> SqliteCatalog::reseal(const std::function<Result<Bytes>(ByteView sealed)>& seal) {
  return change([&]() -> Result<> {
    TRY(reseal_locked("job", "job_id", seal));
    return reseal_locked("consent_grant", "grant_id", seal);
  });
}

}  // namespace warifu::catalog
