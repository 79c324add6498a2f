// The file system of a simulated site: the one of its disk, with an eye on share files, and with
// the seeded bugs of a store and a catalog that trust what is not durable.
//
// Thread rule: whoever has the turn (testing/sim_threads.h).
#pragma once

#include <functional>

#include "testing/bent_files.h"
#include "testing/passing_files.h"

namespace warifu::sim {

struct FileBends {
  bool share_names_not_synced = false;  // sync_dir() of the share store's folder does nothing
  bool shares_not_synced = false;       // sync() of a share file does nothing
  bool catalog_not_synced = false;      // sync() of the catalog and its log does nothing
  MarkBends marks;                      // of the key pools
};

class ClusterFiles final : public PassingFiles {
 public:
  // Is told of a share file right before it gets its final name.
  using Watch = std::function<void(const std::string& path)>;

  // `below` must outlive it.
  ClusterFiles(os::FileSystem& below, const FileBends& bends, Watch watch);
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  void sync_dir(const std::string& path) override;

 private:
  std::unique_ptr<os::FileSystem> marks_;
  FileBends bends_;
  Watch watch_;
};

}  // namespace warifu::sim
