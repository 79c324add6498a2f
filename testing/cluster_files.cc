// Watching and bending files of a simulated site.
#include "testing/cluster_files.h"

namespace warifu::sim {
namespace {

constexpr std::string_view kSharesFolder = "/shares";

bool is_share(const std::string& path) {
  return os::parent_of(path).ends_with(kSharesFolder);
}

class UnsyncedFile final : public PassingFile {
 public:
  using PassingFile::PassingFile;
  void sync() override {}
};

}  // namespace

ClusterFiles::ClusterFiles(os::FileSystem& below, const FileBends& bends, Watch watch)
    : PassingFiles(below), bends_(bends), watch_(std::move(watch)) {
  if (bends.marks.any()) marks_ = bent_files(below, bends.marks);
}

Result<std::unique_ptr<os::File>> ClusterFiles::open(const std::string& path, os::OpenMode mode) {
  auto file = (marks_ != nullptr ? *marks_ : below()).open(path, mode);
  const bool unsynced =
      (bends_.shares_not_synced && is_share(path)) ||
      (bends_.catalog_not_synced && path.find("/catalog.db") != std::string::npos);
  if (!file || !unsynced) return file;
  return std::make_unique<UnsyncedFile>(std::move(*file));
}

Result<> ClusterFiles::rename(const std::string& from, const std::string& to) {
  if (watch_ && is_share(to) && to.ends_with(".share")) watch_(from);
  return below().rename(from, to);
}

void ClusterFiles::sync_dir(const std::string& path) {
  if (bends_.share_names_not_synced && path.ends_with(kSharesFolder)) return;
  below().sync_dir(path);
}

}  // namespace warifu::sim
