// Making folders, top down, and then their names durable.
#include "os/folders.h"

namespace warifu::os {

Result<> make_folder(FileSystem& files, const std::string& path) {
  std::vector<std::string> holders = {parent_of(path)};  // of names to be made durable
  while (!files.exists(holders.back()) && holders.back() != parent_of(holders.back())) {
    holders.push_back(parent_of(holders.back()));
  }
  TRY(files.make_directories(path));
  for (const std::string& holder : holders) files.sync_dir(holder);
  return {};
}

}  // namespace warifu::os
