// Passes over local files.
#include "genome/local.h"

#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <thread>

#include "genome/new_file.h"

namespace warifu::genome {
namespace {

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr std::uint64_t kSlowestBytesPerSecond = 256 * 1024;  // of processor time, for limits
constexpr std::uint64_t kMaxHeaderRange = 128ULL << 20U;

Task task_for(const LocalFile& file, Operation operation, const LocalWork& work) {
  Task task;
  task.operation = operation;
  task.name = file.path();
  task.reference = work.reference;
  task.threads = work.threads;
  task.processor_seconds += file.bytes() / kSlowestBytesPerSecond;
  return task;
}

void tell(const LocalWork& work, const std::string& step, std::uint64_t bytes) {
  if (work.step) work.step(step, bytes);
}

Result<RecordDigest> digest_of(const LocalFile& file, const std::array<Byte, 32>& key,
                               const LocalWork& work) {
  Task task = task_for(file, Operation::kDigest, work);
  task.digest_key = key;
  TRY_ASSIGN(const Input input, file.rewound());
  return run_digest(task, input, work.run);
}

Result<std::string> sha256_of(const LocalFile& file) {
  crypto_hash_sha256_state state{};
  (void)::crypto_hash_sha256_init(&state);
  secret::Buffer buffer(kReadBytes);
  for (std::uint64_t at = 0; at < file.bytes();) {
    const auto part = std::min<std::uint64_t>(kReadBytes, file.bytes() - at);
    TRY(file.read_at(at, buffer.bytes().first(part)));
    (void)::crypto_hash_sha256_update(&state, buffer.bytes().data(), part);
    at += part;
  }
  Bytes digest(crypto_hash_sha256_BYTES);
  (void)::crypto_hash_sha256_final(&state, digest.data());
  return to_hex(digest);
}

Result<IndexKind> usual_kind(const LocalFile& file, bool csi) {
  Bytes head(std::min<std::uint64_t>(kMaxHeaderRange, file.bytes()));
  head.resize(std::min<std::size_t>(head.size(), 8U << 20U));
  TRY(file.read_at(0, head));
  TRY_ASSIGN(const Header header, parse_header(head, file.path()));
  switch (header.kind) {
    case FileKind::kCram: return IndexKind::kCrai;
    case FileKind::kBam: return csi ? IndexKind::kCsi : IndexKind::kBai;
    case FileKind::kVcf: return csi ? IndexKind::kCsi : IndexKind::kTbi;
    case FileKind::kBcf: return IndexKind::kCsi;
  }
  return IndexKind::kCrai;
}

Result<Index> computed_index(const LocalFile& file, IndexKind kind, const LocalWork& work) {
  Task task = task_for(file, Operation::kIndex, work);
  task.index_kind = kind;
  Bytes bytes;
  TRY_ASSIGN(const Input input, file.rewound());
  RunOptions run = work.run;
  run.most_output = kMaxIndexBytes;
  TRY(run_writing(
      task, input,
      [&](ByteView part) -> Result<> {
        bytes.insert(bytes.end(), part.begin(), part.end());
        return {};
      },
      run));
  return parse_index(bytes, "the computed index of " + file.path());
}

Result<> write_index(const LocalFile& file, IndexKind kind, NewFile& out, const LocalWork& work) {
  Task task = task_for(file, Operation::kIndex, work);
  task.index_kind = kind;
  TRY_ASSIGN(const Input input, file.rewound());
  RunOptions run = work.run;
  run.most_output = kMaxIndexBytes;
  const auto append = [&](ByteView part) { return out.append(part); };
  TRY(run_writing(task, input, append, run));
  return {};
}

// In the calling thread a pipe that nobody reads any more is an error then, no signal.
void block_pipe_signal() {
  sigset_t set{};
  (void)::sigemptyset(&set);
  (void)::sigaddset(&set, SIGPIPE);
  (void)::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

// What is joined goes through a pipe from a thread of its own to what `work` starts. The reader's
// error counts more than the process's, which only saw its input end.
template <typename Work>
auto with_joined(const Cut& cut, const ReadAt& read, const std::string& name, const Work& work)
    -> decltype(work(Input{})) {
  TRY_ASSIGN(os::Pipe pipe, os::make_pipe());
  Result<> fed;
  std::thread feeder([&] {
    block_pipe_signal();
    fed = join(cut, read, [&](ByteView bytes) { return pipe.writing.write(bytes); }, name);
    pipe.writing.close();
  });
  auto report = work(Input{.descriptor = pipe.reading.get(), .memory = {}});
  pipe.reading.close();  // a feeder that still writes ends
  feeder.join();
  // A process that stopped reading has said why.
  if (!fed && fed.error().code != Code::kCancelled) return std::unexpected(fed.error());
  return report;
}

Result<Cut> plan_cut(const LocalFile& file, const std::string& index_path, const CutWish& wish,
                     const LocalWork& work) {
  TRY_ASSIGN(const Bytes raw, os::read_file(work.system.files, index_path, kMaxIndexBytes));
  TRY_ASSIGN(const Index index, parse_index(raw, index_path));
  TRY_ASSIGN(const WholeFile ends, file.ends());
  const auto only_header = cut_header(index, ends);
  if (!only_header) return fail_in(index_path, only_header.error());
  if (only_header->header.size() > kMaxHeaderRange) {
    return fail(Code::kCorrupt, file.path() + ": a header of more than 128 MiB");
  }
  Bytes head(only_header->header.size());
  TRY(file.read_at(0, head));
  TRY_ASSIGN(const Header header, parse_header(head, file.path()));
  std::vector<Region> regions;
  for (const NamedRegion& region : wish.regions) {
    std::int32_t id = kUnplaced;
    if (region.reference != "*") {
      const auto found = reference_id(index, header, region.reference);
      if (!found) return fail_in(file.path(), found.error());
      id = *found;
    }
    regions.push_back({id, region.start, region.end});
  }
  return wish.selection.header_only ? *only_header : cut(index, regions, ends);
}

}  // namespace

Result<LocalFile> LocalFile::open(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return fail(Code::kInvalidArgument, "'" + path + "' is no regular file");
  }
  TRY_ASSIGN(os::Descriptor descriptor, os::open_for_reading(path));
  const off_t end = ::lseek(descriptor.get(), 0, SEEK_END);
  if (end < 0) return fail(Code::kIo, "'" + path + "': " + std::strerror(errno));
  return LocalFile(path, std::move(descriptor), static_cast<std::uint64_t>(end));
}

Result<> LocalFile::read_at(std::uint64_t offset, MutableBytes out) const {
  while (!out.empty()) {
    const ssize_t got =
        ::pread(descriptor_.get(), out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Code::kIo, "'" + path_ + "': " + std::strerror(errno));
    if (got == 0) return fail(Code::kCorrupt, "'" + path_ + "' is cut short");
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

Result<Input> LocalFile::rewound() const {
  if (::lseek(descriptor_.get(), 0, SEEK_SET) != 0) {
    return fail(Code::kIo, "'" + path_ + "': " + std::strerror(errno));
  }
  return Input{.descriptor = descriptor_.get(), .memory = {}};
}

Result<WholeFile> LocalFile::ends() const {
  Bytes first(std::min<std::uint64_t>(kEndsBytes, bytes_));
  Bytes last(first.size());
  TRY(read_at(0, first));
  TRY(read_at(bytes_ - last.size(), last));
  return describe_file(first, last, bytes_, path_);
}

std::string index_beside(os::FileSystem& files, const std::string& path) {
  for (const char* extension : {".crai", ".bai", ".csi", ".tbi"}) {
    if (files.exists(path + extension)) return path + extension;
  }
  return {};
}

Result<Inspection> inspect_file(const std::string& path, const LocalWork& work) {
  TRY_ASSIGN(const LocalFile file, LocalFile::open(path));
  tell(work, "reading", file.bytes());
  TRY_ASSIGN(const Input input, file.rewound());
  return run_inspect(task_for(file, Operation::kInspect, work), input, work.run);
}

Result<std::string> index_file(const std::string& path, const std::string& out, bool csi,
                               const LocalWork& work) {
  TRY_ASSIGN(const LocalFile file, LocalFile::open(path));
  TRY_ASSIGN(const IndexKind kind, usual_kind(file, csi));
  const std::string name = out.empty() ? path + "." + std::string(index_kind_name(kind)) : out;
  TRY_ASSIGN(NewFile made, NewFile::create(work.system.files, name));
  tell(work, "indexing", file.bytes());
  TRY(write_index(file, kind, made, work));
  TRY(made.commit());
  return name;
}

Result<CheckReport> check_file(const std::string& path, const std::string& index,
                               const LocalWork& work) {
  TRY_ASSIGN(const LocalFile file, LocalFile::open(path));
  CheckReport report;
  TRY_ASSIGN(report.file, file.ends());
  tell(work, "reading all records", file.bytes());
  std::array<Byte, 32> key{};
  work.system.random.fill(key);
  TRY_ASSIGN(report.records, digest_of(file, key, work));
  report.index = index.empty() ? index_beside(work.system.files, path) : index;
  if (report.index.empty()) return report;
  TRY_ASSIGN(const Bytes raw, os::read_file(work.system.files, report.index, kMaxIndexBytes));
  TRY_ASSIGN(const Index given, parse_index(raw, report.index));
  tell(work, "computing its index", file.bytes());
  TRY_ASSIGN(const Index computed, computed_index(file, given.kind, work));
  report.index_state = compare_indexes(given, computed, report.difference);
  return report;
}

Result<ResliceReport> reslice_file(const std::string& path, const std::string& out,
                                   std::uint32_t reads_per_slice, const LocalWork& work) {
  if (reads_per_slice < 50 || reads_per_slice > 100'000) {
    return fail(Code::kInvalidArgument, "reads per slice: 50 to 100000");
  }
  TRY_ASSIGN(const LocalFile file, LocalFile::open(path));
  TRY_ASSIGN(NewFile made, NewFile::create(work.system.files, out));
  TRY_ASSIGN(NewFile index, NewFile::create(work.system.files, out + ".crai"));
  TRY_ASSIGN(NewFile origin, NewFile::create(work.system.files, out + ".provenance"));
  std::array<Byte, 32> key{};
  work.system.random.fill(key);
  tell(work, "digest of the records", file.bytes());
  TRY_ASSIGN(const RecordDigest before, digest_of(file, key, work));
  tell(work, "cutting into slices", file.bytes());
  Task task = task_for(file, Operation::kReslice, work);
  task.reads_per_slice = reads_per_slice;
  TRY_ASSIGN(const Input input, file.rewound());
  const auto append = [&](ByteView part) { return made.append(part); };
  TRY(run_writing(task, input, append, work.run));
  made.sync();
  TRY_ASSIGN(const LocalFile result, LocalFile::open(made.part()));
  tell(work, "digest of the result", result.bytes());
  TRY_ASSIGN(const RecordDigest after, digest_of(result, key, work));
  if (before != after) {
    return fail(Code::kCorrupt, path + ": re-slicing changed its records (" +
                                    std::to_string(before.records) + " before, " +
                                    std::to_string(after.records) +
                                    " after); the result was removed");
  }
  tell(work, "indexing", result.bytes());
  TRY(write_index(result, IndexKind::kCrai, index, work));
  tell(work, "SHA-256 of the original", file.bytes());
  TRY_ASSIGN(const std::string sha256, sha256_of(file));
  const std::string text =
      "# Keep this as secret as the genome: the digest confirms a guess of the whole file.\n"
      "original_sha256: " +
      sha256 + "\noriginal_bytes: " + std::to_string(file.bytes()) +
      "\nrecords: " + std::to_string(before.records) +
      "\nrecords_equal: yes, keyed digests of all records before and after\nreads_per_slice: " +
      std::to_string(reads_per_slice) + "\n";
  TRY(origin.append(as_bytes(text)));
  TRY(origin.commit());
  TRY(index.commit());
  TRY(made.commit());
  return ResliceReport{before.records, file.bytes(), result.bytes(), index.path(), origin.path()};
}

Result<TrimReport> trim_cut(const Cut& cut, const ReadAt& read, const Task& task, const Sink& sink,
                            const RunOptions& options) {
  return with_joined(cut, read, task.name,
                     [&](const Input& input) { return run_writing(task, input, sink, options); });
}

Result<std::vector<SitePileup>> pileup_cut(const Cut& cut, const ReadAt& read, const Task& task,
                                           const RunOptions& options) {
  return with_joined(cut, read, task.name,
                     [&](const Input& input) { return run_pileup(task, input, options); });
}

Result<CutReport> cut_file(const std::string& path, const std::string& out, const CutWish& wish,
                           const LocalWork& work) {
  TRY_ASSIGN(const LocalFile file, LocalFile::open(path));
  const std::string index = wish.index.empty() ? index_beside(work.system.files, path) : wish.index;
  TRY_ASSIGN(NewFile made, NewFile::create(work.system.files, out));
  const auto append = [&](ByteView part) { return made.append(part); };
  Task task = task_for(file, Operation::kTrim, work);
  task.output = wish.output;
  task.regions = wish.regions;
  task.selection = wish.selection;
  CutReport report;
  if (index.empty()) {
    tell(work, "reading the whole file, which has no index", file.bytes());
    TRY_ASSIGN(const Input input, file.rewound());
    TRY_ASSIGN(report.trim, run_writing(task, input, append, work.run));
    report.bytes_read = file.bytes();
  } else {
    TRY_ASSIGN(const Cut cut, plan_cut(file, index, wish, work));
    tell(work, "reading the regions", 0);
    const auto read = [&](std::uint64_t offset, MutableBytes to) {
      return file.read_at(offset, to);
    };
    TRY_ASSIGN(report.trim, trim_cut(cut, read, task, append, work.run));
    report.bytes_read = cut.bytes();
  }
  report.bytes_written = made.size();
  TRY(made.commit());
  return report;
}

}  // namespace warifu::genome
