// SQLite's calls for files, answered from os::FileSystem.
#include "testing/sim_vfs.h"

#include <sqlite3.h>

#include <cstring>
#include <memory>
#include <vector>

#include "os/system.h"

namespace warifu::sim {
namespace {

constexpr int kSectorBytes = 4096;

// The index of a write-ahead log: regions of memory that live as long as the file is open.
using Regions = std::vector<std::unique_ptr<Bytes>>;

struct OpenFile {
  sqlite3_file base;  // first: SQLite looks at it
  os::File* file;
  os::FileSystem* files;
  Regions* regions;
  bool delete_on_close;
  bool believes_sectors;
};

OpenFile& open_file(sqlite3_file* file) {
  return *reinterpret_cast<OpenFile*>(file);
}

int code_of(const Error& error, int otherwise) {
  return error.code == Code::kNoSpace ? SQLITE_FULL : otherwise;
}

int close_file(sqlite3_file* base) {
  OpenFile& open = open_file(base);
  const std::string path = open.file->path();
  delete open.file;
  delete open.regions;
  if (open.delete_on_close) (void)open.files->remove(path);
  return SQLITE_OK;
}

int read_file(sqlite3_file* base, void* out, int size, sqlite3_int64 offset) {
  const MutableBytes into(static_cast<Byte*>(out), static_cast<std::size_t>(size));
  const auto got = open_file(base).file->read_at(static_cast<std::uint64_t>(offset), into);
  if (!got) return SQLITE_IOERR_READ;
  if (*got == into.size()) return SQLITE_OK;
  std::ranges::fill(into.subspan(*got), Byte{0});
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* bytes, int size, sqlite3_int64 offset) {
  const ByteView from(static_cast<const Byte*>(bytes), static_cast<std::size_t>(size));
  const auto put = open_file(base).file->write_at(static_cast<std::uint64_t>(offset), from);
  return put ? SQLITE_OK : code_of(put.error(), SQLITE_IOERR_WRITE);
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  const auto done = open_file(base).file->truncate(static_cast<std::uint64_t>(size));
  return done ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

int sync_file(sqlite3_file* base, int) {
  open_file(base).file->sync();
  return SQLITE_OK;
}

int size_file(sqlite3_file* base, sqlite3_int64* out) {
  const auto size = open_file(base).file->size();
  if (!size) return SQLITE_IOERR_FSTAT;
  *out = static_cast<sqlite3_int64>(*size);
  return SQLITE_OK;
}

int lock_file(sqlite3_file*, int) {
  return SQLITE_OK;
}
int check_lock(sqlite3_file*, int* out) {
  *out = 0;
  return SQLITE_OK;
}

int control_file(sqlite3_file* base, int operation, void* argument) {
  if (operation != SQLITE_FCNTL_POWERSAFE_OVERWRITE) return SQLITE_NOTFOUND;
  auto& value = *static_cast<int*>(argument);
  if (value >= 0) open_file(base).believes_sectors = value != 0;
  value = open_file(base).believes_sectors ? 1 : 0;
  return SQLITE_OK;
}

int sector_size(sqlite3_file*) {
  return kSectorBytes;
}
int characteristics(sqlite3_file* base) {
  return open_file(base).believes_sectors ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

int map_region(sqlite3_file* base, int number, int size, int extend, void volatile** out) {
  OpenFile& open = open_file(base);
  if (open.regions == nullptr) open.regions = new Regions;
  while (extend != 0 && open.regions->size() <= static_cast<std::size_t>(number)) {
    open.regions->push_back(std::make_unique<Bytes>(static_cast<std::size_t>(size)));
  }
  const bool there = open.regions->size() > static_cast<std::size_t>(number);
  *out = there ? (*open.regions)[static_cast<std::size_t>(number)]->data() : nullptr;
  return SQLITE_OK;
}
int lock_region(sqlite3_file*, int, int, int) {
  return SQLITE_OK;
}
void order_regions(sqlite3_file*) {}
int unmap_regions(sqlite3_file* base, int) {
  delete std::exchange(open_file(base).regions, nullptr);
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = size_file,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_region,
    .xShmLock = lock_region,
    .xShmBarrier = order_regions,
    .xShmUnmap = unmap_regions,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

os::FileSystem& files_of(sqlite3_vfs* vfs, const char* path) {
  return static_cast<SqliteFiles*>(vfs->pAppData)->files_of(path);
}

int open_path(sqlite3_vfs* vfs, const char* path, sqlite3_file* base, int flags, int* out_flags) {
  OpenFile& open = open_file(base);
  open = {};
  if (path == nullptr) return SQLITE_CANTOPEN;  // temporary tables live in memory
  os::FileSystem& files = files_of(vfs, path);
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  auto file = files.open(path, creates ? os::OpenMode::kOpenOrCreate : os::OpenMode::kReadWrite);
  if (!file) return code_of(file.error(), SQLITE_CANTOPEN);
  open.file = file->release();
  open.files = &files;
  open.delete_on_close = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
  open.believes_sectors = true;  // as SQLite's own, until it is told otherwise
  open.base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  // SQLite's own syncs the folder of a new log or journal with its first sync.
  if (creates) files.sync_dir(os::parent_of(path));
  return SQLITE_OK;
}

int delete_path(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  os::FileSystem& files = files_of(vfs, path);
  if (!files.exists(path)) return SQLITE_IOERR_DELETE_NOENT;
  if (!files.remove(path)) return SQLITE_IOERR_DELETE;
  if (sync_folder != 0) files.sync_dir(os::parent_of(path));
  return SQLITE_OK;
}

int access_path(sqlite3_vfs* vfs, const char* path, int, int* out) {
  *out = files_of(vfs, path).exists(path) ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int room, char* out) {
  if (std::strlen(path) >= static_cast<std::size_t>(room)) return SQLITE_CANTOPEN;
  std::strcpy(out, path);
  return SQLITE_OK;
}

int random_bytes(sqlite3_vfs*, int size, char* out) {
  os::kernel_random().fill({reinterpret_cast<Byte*>(out), static_cast<std::size_t>(size)});
  return size;
}

int sleep_some(sqlite3_vfs*, int microseconds) {
  os::real_clock().sleep(std::chrono::milliseconds(microseconds / 1000 + 1));
  return microseconds;
}

int julian_milliseconds(sqlite3_vfs*, sqlite3_int64* out) {
  constexpr sqlite3_int64 kJulianOf1970 = 210'866'760'000'000;
  *out = kJulianOf1970 + os::real_clock().now().value;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) {
  return 0;
}

}  // namespace

SqliteFiles::SqliteFiles() : vfs_(new sqlite3_vfs{}) {
  vfs_->iVersion = 2;
  vfs_->szOsFile = sizeof(OpenFile);
  vfs_->mxPathname = 512;
  vfs_->zName = "simulated";
  vfs_->pAppData = this;
  vfs_->xOpen = open_path;
  vfs_->xDelete = delete_path;
  vfs_->xAccess = access_path;
  vfs_->xFullPathname = full_path;
  vfs_->xRandomness = random_bytes;
  vfs_->xSleep = sleep_some;
  vfs_->xGetLastError = last_error;
  vfs_->xCurrentTimeInt64 = julian_milliseconds;
  WARIFU_CHECK(::sqlite3_initialize() == SQLITE_OK);
  WARIFU_CHECK(::sqlite3_vfs_register(vfs_, 1) == SQLITE_OK);
}

SqliteFiles::~SqliteFiles() {
  ::sqlite3_vfs_unregister(vfs_);
  delete vfs_;
}

os::FileSystem& SqliteFiles::files_of(const std::string& path) const {
  for (const auto& [folder, files] : mounts_) {
    if (path.starts_with(folder + "/")) return *files;
  }
  WARIFU_CHECK(false);
}

}  // namespace warifu::sim
