// Genome files on this machine: what `warifu genome` does, with the sandboxed process for all that
// is decoded.
//
// A result appears under its name only when it is whole, checked and durable; a file that is there
// already is never touched. Functions run in the caller's thread and may take minutes.
#pragma once

#include "genome/tool.h"
#include "os/descriptor.h"
#include "os/system.h"

namespace warifu::genome {

struct LocalWork {
  os::System system;
  RunOptions run;
  std::string reference;  // FASTA with .fai; empty: none
  std::uint32_t threads = 1;
  // Called with what is being done now, before each pass.
  std::function<void(const std::string& step, std::uint64_t total_bytes)> step;
};

// A file that exists, as input of one pass after another.
class LocalFile {
 public:
  // Errors: kNotFound, kInvalidArgument (no regular file), kIo.
  [[nodiscard]] static Result<LocalFile> open(const std::string& path);
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] Result<> read_at(std::uint64_t offset, MutableBytes out) const;
  // From its start.
  [[nodiscard]] Result<Input> rewound() const;
  // Errors: kCorrupt.
  [[nodiscard]] Result<WholeFile> ends() const;

 private:
  LocalFile(std::string path, os::Descriptor descriptor, std::uint64_t bytes)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), bytes_(bytes) {}
  std::string path_;
  os::Descriptor descriptor_;
  std::uint64_t bytes_;
};

// Where an index stands by custom: FILE.crai, FILE.bai, FILE.csi, FILE.tbi; empty when none does.
[[nodiscard]] std::string index_beside(os::FileSystem& files, const std::string& path);

[[nodiscard]] Result<Inspection> inspect_file(const std::string& path, const LocalWork& work);

// Makes the usual index of the file's kind at `out`, or beside it when that is empty; the path.
[[nodiscard]] Result<std::string> index_file(const std::string& path, const std::string& out,
                                             bool csi, const LocalWork& work);

enum class IndexState : std::uint8_t {
  kEqual,     // to what is computed from the file
  kInEffect,  // other bins or order, but finds every record
  kDiffers,
};
struct CheckReport {
  WholeFile file;
  RecordDigest records;  // all were decoded
  std::string index;     // path; empty: there is none
  IndexState index_state = IndexState::kEqual;
  std::string difference;  // the first one
};
// Whole file decoded, its end, and its index against a computed one.
[[nodiscard]] Result<CheckReport> check_file(const std::string& path, const std::string& index,
                                             const LocalWork& work);
// What `given` would miss or name wrongly; empty when nothing. Pure.
[[nodiscard]] IndexState compare_indexes(const Index& given, const Index& computed,
                                         std::string& difference);

struct ResliceReport {
  std::uint64_t records = 0;
  std::uint64_t bytes_before = 0;
  std::uint64_t bytes_after = 0;
  std::string index;
  std::string provenance;  // file with the original's SHA-256: secret, it confirms a guess
};
// CRAM 3.0 with so many reads in a slice, its .crai, and OUT.provenance. Proof: a keyed digest of
// all records, before and after, in passes of their own. Errors: kCorrupt when they differ (nothing
// is left behind); those of the process.
[[nodiscard]] Result<ResliceReport> reslice_file(const std::string& path, const std::string& out,
                                                 std::uint32_t reads_per_slice,
                                                 const LocalWork& work);

struct CutWish {
  std::string index;  // empty: the one beside the file; without any the whole file is read
  std::vector<NamedRegion> regions;
  Output output = Output::kBam;
  Selection selection;
};
struct CutReport {
  TrimReport trim;
  std::uint64_t bytes_read = 0;  // of the file
  std::uint64_t bytes_written = 0;
};
[[nodiscard]] Result<CutReport> cut_file(const std::string& path, const std::string& out,
                                         const CutWish& wish, const LocalWork& work);

// The same of bytes that a cut's ranges gave, from anywhere: joins, feeds the process, trims.
// `read` is called in a thread of its own.
[[nodiscard]] Result<TrimReport> trim_cut(const Cut& cut, const ReadAt& read, const Task& task,
                                          const Sink& sink, const RunOptions& options);
// The same, but what the process tells is only what reads say at task.sites.
[[nodiscard]] Result<std::vector<SitePileup>> pileup_cut(const Cut& cut, const ReadAt& read,
                                                         const Task& task,
                                                         const RunOptions& options);

}  // namespace warifu::genome
