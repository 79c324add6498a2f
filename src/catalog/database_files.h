// The files of an SQLite database: the one of its name, and what SQLite keeps beside it.
#pragma once

#include <string>

#include "os/files.h"

namespace warifu::catalog {

// Removes all of them; nobody may have the database open. What is not there is no error.
// Errors: kIo.
[[nodiscard]] inline Result<> remove_database(os::FileSystem& files, const std::string& path) {
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    TRY(files.remove(path + ending));
  }
  return {};
}

}  // namespace warifu::catalog
