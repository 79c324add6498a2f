// The page cache, the names and the faults of the simulated disk; sim_disk_image.cc has what a
// crash leaves.
#include "testing/sim_disk.h"

#include <algorithm>
#include <exception>

#include "testing/sim_random.h"

namespace warifu::sim {
namespace {

constexpr std::uint64_t kFreeBytes = 1ULL << 40;

Error error_of(Fault fault, const std::string& path) {
  const bool full = fault == Fault::kNoSpace || fault == Fault::kShort;
  return {full ? Code::kNoSpace : Code::kIo,
          "'" + path + "': simulated " + (full ? "disk full" : "input/output error")};
}

Error no_such(const std::string& path) {
  return {Code::kNotFound, "'" + path + "' is not there"};
}

}  // namespace

class SimFile final : public os::File {
 public:
  SimFile(SimDisk& disk, SimDisk::InodeNumber inode, std::string path)
      : disk_(disk), inode_(inode), path_(std::move(path)) {}

  Result<std::size_t> read_at(std::uint64_t offset, MutableBytes out) override {
    if (auto error = disk_.begin(false, path_)) return std::unexpected(*error);
    const Bytes& seen = *inode().seen;
    if (offset >= seen.size()) return 0;
    const std::size_t size = std::min<std::uint64_t>(out.size(), seen.size() - offset);
    copy_bytes(out, ByteView(seen).subspan(offset, size));
    return size;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    const auto error = disk_.begin(true, path_, true);
    if (error && !disk_.short_write_) return std::unexpected(*error);
    const ByteView put = error ? bytes.first(bytes.size() / 2) : bytes;
    if (!error && disk_.goes_astray(path_, offset, bytes)) {
      const std::uint64_t end = offset + bytes.size();
      if (inode().seen->size() < end) add({.truncate_to = end});
      return disk_.finish();
    }
    add({.offset = offset, .bytes = Bytes(put.begin(), put.end())});
    TRY(disk_.finish());
    if (error) return std::unexpected(*error);
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    if (auto error = disk_.begin(true, path_)) return std::unexpected(*error);
    add({.truncate_to = size});
    return disk_.finish();
  }

  void sync() override {
    const auto error = disk_.begin_sync(path_);
    if (disk_.dead() || disk_.lies_.sync_does_nothing || !disk_.finish()) return;
    Dice dice(disk_.operations_);
    for (const auto& change : inode().pending) {
      if (error) {
        SimDisk::tear(change, inode().durable, dice);
      } else {
        SimDisk::apply(change, inode().durable);
      }
    }
    inode().pending.clear();
    if (error && !disk_.lies_.failed_sync_goes_on) disk_.die<SimAbort>();
  }

  Result<std::uint64_t> size() override {
    if (auto error = disk_.begin(false, path_)) return std::unexpected(*error);
    return inode().seen->size();
  }

  const std::string& path() const override { return path_; }

 private:
  SimDisk::Inode& inode() { return disk_.inodes_[inode_]; }
  void add(SimDisk::Change change) {
    SimDisk::apply(change, inode().seen);
    inode().pending.push_back(std::move(change));
  }

  SimDisk& disk_;
  SimDisk::InodeNumber inode_;
  std::string path_;
};

class SimLock final : public os::DirectoryLock {
 public:
  SimLock(SimDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  ~SimLock() override { disk_.locks_.erase(path_); }
  SimLock(const SimLock&) = delete;
  SimLock& operator=(const SimLock&) = delete;

 private:
  SimDisk& disk_;
  std::string path_;
};

// --- faults -------------------------------------------------------------------------------------

void SimDisk::fail_next(std::uint64_t operation, Fault fault, bool for_good) {
  fail_at_ = operations_ + operation;
  fault_ = fault;
  fail_for_good_ = for_good;
}

bool SimDisk::rot(const std::string& path, std::uint64_t offset, Byte mask) {
  const auto it = seen_names_.find(path);
  if (it == seen_names_.end() || it->second == kFolder) return false;
  Inode& inode = inodes_[it->second];
  if (offset >= inode.seen->size()) return false;
  own(inode.seen)[offset] ^= mask;
  if (offset < inode.durable->size()) own(inode.durable)[offset] ^= mask;
  return true;
}

bool SimDisk::goes_astray(const std::string& path, std::uint64_t offset, ByteView bytes) {
  if (!misdirection_ || !path.starts_with(misdirection_->folder)) return false;
  const auto it = seen_names_.find(misdirection_->victim);
  const bool same = path == misdirection_->victim && offset == misdirection_->offset;
  if (it == seen_names_.end() || it->second == kFolder || same) return false;
  Inode& victim = inodes_[it->second];
  const Change change{.offset = misdirection_->offset, .bytes = Bytes(bytes.begin(), bytes.end())};
  apply(change, victim.seen);
  apply(change, victim.durable);
  misdirection_.reset();
  return true;
}

void SimDisk::clear_faults() {
  fail_at_ = 0;
  crash_at_ = 0;
}

template <typename Death>
void SimDisk::die() {
  dead_ = true;
  if (quiet_ == 0 && std::uncaught_exceptions() == 0) throw Death{};
}

std::optional<Error> SimDisk::begin(bool changes, const std::string& path, bool adds) {
  short_write_ = false;
  late_error_.reset();
  if (dead_) return Error{Code::kIo, "'" + path + "': the simulated machine is down"};
  ++operations_;
  if (changes) ++changes_;
  if (adds && full_) {
    ++refused_for_space_;
    return error_of(Fault::kNoSpace, path);
  }
  if (fail_at_ == 0 || operations_ < fail_at_) return std::nullopt;
  if (operations_ > fail_at_ && !fail_for_good_) return std::nullopt;
  ++faults_met_;
  short_write_ = fault_ == Fault::kShort;
  if (fault_ == Fault::kInterrupted && changes) {
    late_error_ = error_of(fault_, path);
    return std::nullopt;
  }
  return error_of(fault_, path);
}

std::optional<Error> SimDisk::begin_sync(const std::string& path) {
  const auto error = begin(true, path);
  const auto late = std::exchange(late_error_, std::nullopt);
  return error ? error : late;
}

Result<> SimDisk::finish() {
  if (changes_ != crash_at_) {
    if (late_error_) return std::unexpected(*std::exchange(late_error_, std::nullopt));
    return {};
  }
  die<SimCrash>();
  return fail(Code::kIo, "the simulated machine is down");
}

// --- names --------------------------------------------------------------------------------------

bool SimDisk::is_folder(const std::string& path) const {
  if (path == "/" || path == ".") return true;
  const auto it = seen_names_.find(path);
  return it != seen_names_.end() && it->second == kFolder;
}

void SimDisk::apply(const NameChange& change, Names& names) {
  if (change.kind != NameChange::Kind::kCreate) names.erase(change.from);
  if (change.kind != NameChange::Kind::kRemove) names[change.to] = change.inode;
}

void SimDisk::change_name(NameChange change) {
  for (const std::string& path : {change.from, change.to}) {
    if (!path.empty()) change.unsynced_folders.insert(os::parent_of(path));
  }
  apply(change, seen_names_);
  pending_names_.push_back(std::move(change));
}

Result<std::unique_ptr<os::File>> SimDisk::open(const std::string& path, os::OpenMode mode) {
  const auto it = seen_names_.find(path);
  const bool there = it != seen_names_.end();
  const bool may_create = mode == os::OpenMode::kCreate || mode == os::OpenMode::kOpenOrCreate;
  const bool creates = may_create && !there;
  if (auto error = begin(creates, path, creates)) return std::unexpected(*error);
  if (there && mode == os::OpenMode::kCreate) {
    return fail(Code::kAlreadyExists, "'" + path + "' is there already");
  }
  if (there && it->second == kFolder) return fail(Code::kIo, "'" + path + "' is a folder");
  if (there) return std::make_unique<SimFile>(*this, it->second, path);
  if (!creates || !is_folder(os::parent_of(path))) return std::unexpected(no_such(path));
  const InodeNumber inode = inodes_.size();
  inodes_.push_back({std::make_shared<Bytes>(), std::make_shared<Bytes>(), {}});
  change_name({.kind = NameChange::Kind::kCreate, .to = path, .inode = inode});
  TRY(finish());
  return std::make_unique<SimFile>(*this, inode, path);
}

Result<> SimDisk::rename(const std::string& from, const std::string& to) {
  if (auto error = begin(true, from)) return std::unexpected(*error);
  const auto it = seen_names_.find(from);
  if (it == seen_names_.end()) return std::unexpected(no_such(from));
  change_name({.kind = NameChange::Kind::kRename, .from = from, .to = to, .inode = it->second});
  return finish();
}

Result<> SimDisk::remove(const std::string& path) {
  if (auto error = begin(true, path)) return std::unexpected(*error);
  const auto it = seen_names_.find(path);
  if (it != seen_names_.end()) {
    change_name({.kind = NameChange::Kind::kRemove, .from = path, .inode = it->second});
  }
  return finish();
}

Result<> SimDisk::make_directories(const std::string& path) {
  if (auto error = begin(true, path)) return std::unexpected(*error);
  for (std::size_t at = 1; at <= path.size(); ++at) {
    if (at < path.size() && path[at] != '/') continue;
    const std::string partial = path.substr(0, at);
    if (is_folder(partial)) continue;
    if (seen_names_.contains(partial)) return fail(Code::kIo, "'" + partial + "' is a file");
    change_name({.kind = NameChange::Kind::kCreate, .to = partial, .inode = kFolder});
  }
  return finish();
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
  if (auto error = begin(false, path)) return std::unexpected(*error);
  if (!is_folder(path)) return std::unexpected(no_such(path));
  const std::string prefix = path == "/" ? path : path + "/";
  std::vector<std::string> names;
  for (auto it = seen_names_.lower_bound(prefix); it != seen_names_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    std::string name = it->first.substr(prefix.size());
    if (!name.empty() && name.find('/') == std::string::npos) names.push_back(std::move(name));
  }
  return names;
}

bool SimDisk::exists(const std::string& path) {
  return !dead_ && (is_folder(path) || seen_names_.contains(path));
}

void SimDisk::sync_dir(const std::string& path) {
  const auto error = begin_sync(path);
  if (dead_ || lies_.sync_dir_does_nothing || !finish()) return;
  if (error) return die<SimAbort>();  // the names stay undecided until a sync_dir() succeeds
  WARIFU_CHECK(is_folder(path));
  std::erase_if(pending_names_, [&](NameChange& change) {
    change.unsynced_folders.erase(path);
    if (!change.unsynced_folders.empty()) return false;
    apply(change, durable_names_);
    return true;
  });
}

Result<std::unique_ptr<os::DirectoryLock>> SimDisk::lock_directory(const std::string& path) {
  if (auto error = begin(false, path)) return std::unexpected(*error);
  if (!is_folder(path)) return std::unexpected(no_such(path));
  if (!locks_.insert(path).second && !lies_.lock_always_given) {
    return fail(Code::kBusy, "'" + path + "' is in use by another process");
  }
  return std::make_unique<SimLock>(*this, path);
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string& path) {
  if (auto error = begin(false, path)) return std::unexpected(*error);
  return full_ ? 0 : kFreeBytes;
}

}  // namespace warifu::sim
