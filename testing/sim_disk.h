// A file system in memory that loses power, runs full, returns errors and forgets: the seam of
// os/files.h for simulations.
//
// What a crash (crash_image) may do, drawn from a seed:
// - each unsynced write of a file, on its own: is lost (its length may stay, as zeros); is kept;
//   keeps a prefix, a suffix or any scattering of its 512-byte sectors; and leaves garbage in a
//   part of one sector. The garbage may hit any sector of the 4,096-byte blocks which the write
//   touches, because the kernel writes whole blocks;
// - each unsynced truncation happened or did not;
// - each creation, renaming or removal of a name (also of a folder) that no sync_dir() of its
// folder
//   followed happened or did not, each on its own; a rename is atomic;
// - what sync() or sync_dir() covered is there, unharmed. Locks are free.
// Only where a test asks for it: damage of bytes at rest, misdirected writes, a disk that is full
// for a while, a sync() that lies (see Lies). What it does not do: damage by itself of blocks that
// no write touched.
//
// The death of the process alone (kill_image) keeps the page cache: everything is visible, and what
// was unsynced is still at risk in a later crash.
//
// A failed sync() is the kernel's: the dirty pages of the file are dropped from the write-back but
// stay visible; a later sync() succeeds without writing them. The process ends (SimAbort).
//
// After a crash or abort the disk is dead: each operation of the unwinding code fails and changes
// nothing. Throwing out of a destructor would end the test, so code that may do I/O in a destructor
// runs under a Quiet; its owner looks at dead() afterwards.
//
// Not thread-safe. Files and locks must not outlive their disk.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "os/files.h"

namespace warifu::sim {

class Dice;

struct SimCrash {};  // the power is gone
struct SimAbort {};  // the process stopped itself

enum class Fault : std::uint8_t {
  kIo,       // nothing was done
  kNoSpace,  // nothing was done
  kShort,    // half of the bytes were written, then the disk was full; otherwise as kIo
  // The change was made, and an error is reported all the same: a call that a signal or a lost
  // answer cut off (EINTR beyond read and write, which os/real_files.cc repeats). Syncs as kIo.
  kInterrupted,
};

// Seeded bugs of the layer below, as negative controls of a harness.
struct Lies {
  bool sync_does_nothing = false;
  bool sync_dir_does_nothing = false;
  bool failed_sync_goes_on = false;  // a failed sync() returns as if nothing had been
  bool lock_always_given = false;
  bool rename_keeps_nothing = false;  // a crash inside an unsynced rename may lose both names
};

class SimDisk final : public os::FileSystem {
 public:
  SimDisk() = default;
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  // --- faults -------------------------------------------------------------------------------
  // The power goes away within the `change`-th changing operation from now on (1 is the next one).
  void crash_at(std::uint64_t change) { crash_at_ = changes_ + change; }
  // The `operation`-th operation of any sort from now on fails; once, or that and all later ones.
  void fail_next(std::uint64_t operation, Fault fault, bool for_good);
  void clear_faults();
  // While it is full nothing new fits: files, folders and bytes are refused with kNoSpace.
  void set_full(bool full) { full_ = full; }
  [[nodiscard]] std::uint64_t refused_for_space() const { return refused_for_space_; }
  // Bytes rot at rest, seen by whoever reads them. False: the file has no such byte.
  bool rot(const std::string& path, std::uint64_t offset, Byte mask);
  // The next write to a file below `folder` lands in `victim` at `offset`, at once and for good;
  // where it should be, zeros or the old bytes stay.
  struct Misdirection {
    std::string folder, victim;
    std::uint64_t offset = 0;
  };
  void misdirect_next_write(Misdirection misdirection) { misdirection_ = std::move(misdirection); }
  [[nodiscard]] bool misdirection_is_due() const { return misdirection_.has_value(); }
  void lie(Lies lies) { lies_ = lies; }
  // From now on nothing changes any more; nothing is thrown.
  void power_off() { dead_ = true; }

  // Files that a torn write leaves without garbage, because their format does not claim to stand
  // that: only sectors are missing.
  using Spared = bool (*)(const std::string& path);
  void spare_garbage(Spared spared) { spared_ = spared; }

  [[nodiscard]] std::uint64_t changes() const { return changes_; }        // changing ones so far
  [[nodiscard]] std::uint64_t operations() const { return operations_; }  // all so far
  [[nodiscard]] std::uint64_t faults_met() const { return faults_met_; }
  [[nodiscard]] bool dead() const { return dead_; }

  // While it lives, a crash does not throw.
  class Quiet {
   public:
    explicit Quiet(SimDisk& disk) : disk_(disk) { ++disk_.quiet_; }
    ~Quiet() { --disk_.quiet_; }
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

   private:
    SimDisk& disk_;
  };

  // --- what is left -------------------------------------------------------------------------
  // After power loss: a new disk without faults, everything on it durable.
  [[nodiscard]] std::unique_ptr<SimDisk> crash_image(std::uint64_t seed) const;
  // After the death of the process alone.
  [[nodiscard]] std::unique_ptr<SimDisk> kill_image() const;

  // --- os::FileSystem -----------------------------------------------------------------------
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override;
  Result<> rename(const std::string& from, const std::string& to) override;
  Result<> remove(const std::string& path) override;
  Result<> make_directories(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  void sync_dir(const std::string& path) override;
  Result<std::unique_ptr<os::DirectoryLock>> lock_directory(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  friend class SimFile;
  friend class SimLock;
  using Content = std::shared_ptr<Bytes>;  // shared between images until one of them writes
  struct Change {                          // an unsynced write, or a truncation
    std::uint64_t offset = 0;
    Bytes bytes;
    std::optional<std::uint64_t> truncate_to;
  };
  struct Inode {
    Content seen;     // what read_at() shows
    Content durable;  // what sync() has made safe
    std::vector<Change> pending;
  };
  using InodeNumber = std::size_t;
  static constexpr InodeNumber kFolder = SIZE_MAX;
  using Names = std::map<std::string, InodeNumber>;
  struct NameChange {
    enum class Kind : std::uint8_t { kCreate, kRename, kRemove } kind = Kind::kCreate;
    std::string from, to;  // kCreate: to; kRemove: from
    InodeNumber inode = kFolder;
    std::set<std::string> unsynced_folders;
  };

  // Counts an operation; returns the fault that is due, or throws what is due.
  // `adds`: needs room on the disk.
  std::optional<Error> begin(bool changes, const std::string& path, bool adds = false);
  // The same for a sync, which is done wholly or not.
  std::optional<Error> begin_sync(const std::string& path);
  // Ends a changing operation: the crash that is due comes after its effect was queued.
  Result<> finish();
  template <typename Death>
  void die();
  [[nodiscard]] bool is_folder(const std::string& path) const;
  void change_name(NameChange change);
  static void apply(const NameChange& change, Names& names);
  static void apply(const Change& change, Content& content);
  static void tear(const Change& change, Content& content, Dice& dice, bool garbage = true);
  static Bytes& own(Content& content);
  bool goes_astray(const std::string& path, std::uint64_t offset, ByteView bytes);

  std::vector<Inode> inodes_;
  Names seen_names_;
  Names durable_names_;
  std::vector<NameChange> pending_names_;
  std::set<std::string> locks_;
  Lies lies_;
  std::uint64_t changes_ = 0;
  std::uint64_t operations_ = 0;
  std::uint64_t crash_at_ = 0;  // 0: never
  std::uint64_t fail_at_ = 0;   // 0: never
  std::uint64_t faults_met_ = 0;
  Fault fault_ = Fault::kIo;
  bool fail_for_good_ = false;
  bool full_ = false;
  Spared spared_ = nullptr;
  std::uint64_t refused_for_space_ = 0;
  std::optional<Misdirection> misdirection_;
  bool short_write_ = false;         // the write in progress is to be cut short
  std::optional<Error> late_error_;  // of the change in progress, once it is made
  bool dead_ = false;
  int quiet_ = 0;
};

}  // namespace warifu::sim
