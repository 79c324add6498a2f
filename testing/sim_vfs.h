// SQLite over the simulated file systems of a process: the default file system of SQLite while the
// object lives, so that the catalog's own code runs on a disk that loses power.
//
// Each file system stands under a mount: what lies below "/tommo" goes to the one that is mounted
// there, its path whole. Locks are free, as each database has one process; the index of the
// write-ahead log is memory and gone with its last connection, as after a power loss. Nothing is
// promised of sectors that a write only touches (no SQLITE_IOCAP_POWERSAFE_OVERWRITE by itself;
// `believes_sectors` makes it promise what SQLite's own file system for Linux promises).
// Thread rule: whoever has the turn (testing/sim_threads.h).
#pragma once

#include <map>
#include <string>

#include "os/files.h"

struct sqlite3_vfs;

namespace warifu::sim {

class SqliteFiles {
 public:
  SqliteFiles();
  ~SqliteFiles();
  SqliteFiles(const SqliteFiles&) = delete;
  SqliteFiles& operator=(const SqliteFiles&) = delete;

  // `files` must outlive every database that is opened below `folder`.
  void mount(const std::string& folder, os::FileSystem& files) { mounts_[folder] = &files; }
  // The file system of a path. Aborts when there is none.
  [[nodiscard]] os::FileSystem& files_of(const std::string& path) const;

 private:
  std::map<std::string, os::FileSystem*> mounts_;
  sqlite3_vfs* vfs_ = nullptr;
};

}  // namespace warifu::sim
