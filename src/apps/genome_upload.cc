// The lead of a file on this machine.
#include "apps/genome_upload.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/reason.h"
#include "genome/lead_maker.h"
#include "genome/tool.h"
#include "os/descriptor.h"
#include "os/files.h"

namespace warifu::apps {
namespace {

// A file of 16 GB is decoded in some minutes.
constexpr std::chrono::seconds kPatience(4 * 3600);

// What tools write beside such a file.
std::vector<std::string> endings_beside(ByteView first) {
  if (as_text(first.first(4)) == "CRAM") return {".crai"};
  return {".bai", ".csi", ".tbi"};
}

Result<Bytes> read_part(os::File& file, std::uint64_t at, std::uint64_t size) {
  Bytes bytes(size);
  TRY_ASSIGN(const std::size_t got, file.read_at(at, bytes));
  if (got == size) return bytes;
  return fail(Code::kIo, "the file became shorter while it was read");
}

Result<genome::RecordDigest> digest_of(const StoreOptions& options, int descriptor) {
  genome::Task task;
  task.operation = genome::Operation::kDigest;
  task.name = options.file;
  task.reference = options.reference;
  task.processor_seconds = static_cast<std::uint64_t>(kPatience.count());
  return genome::run_digest(task, {.descriptor = descriptor, .memory = {}},
                            {.patience = kPatience});
}

// The same records in smaller slices, in a file without a name (it is gone when this process is),
// and the digest of its records, which is that of the original's.
Result<genome::RecordDigest> reslice(const StoreOptions& options, GenomeUpload& upload) {
  TRY_ASSIGN(const os::Descriptor input, os::open_for_reading(options.file));
  TRY_ASSIGN(os::Descriptor output,
             os::unnamed_file(std::filesystem::temp_directory_path().string()));
  genome::Task task;
  task.operation = genome::Operation::kReslice;
  task.name = options.file;
  task.reference = options.reference;
  task.reads_per_slice = options.reslice;
  task.processor_seconds = static_cast<std::uint64_t>(kPatience.count());
  const auto written = genome::run_writing(task, {.descriptor = input.get(), .memory = {}},
                                           [&](ByteView bytes) { return output.write(bytes); },
                                           {.patience = kPatience});
  if (!written) return std::unexpected(written.error());
  input.rewind();
  output.rewind();
  TRY_ASSIGN(const genome::RecordDigest before, digest_of(options, input.get()));
  TRY_ASSIGN(const genome::RecordDigest after, digest_of(options, output.get()));
  if (before != after) {
    return fail(Code::kCorrupt, "'" + options.file + "' has other records when it is resliced");
  }
  output.rewind();
  upload.file = "/proc/self/fd/" + std::to_string(output.get());
  upload.resliced = std::move(output);
  return after;
}

// The index that is named, or stands beside the file (x.cram.crai, or x.crai); none otherwise.
Result<std::optional<Bytes>> read_index(const StoreOptions& options, ByteView first) {
  os::FileSystem& files = os::real_files();
  std::vector<std::string> names;
  if (!options.index.empty()) {
    names = {options.index};
  } else {
    for (const std::string& ending : endings_beside(first)) {
      names.push_back(options.file + ending);
      names.push_back(options.file.substr(0, options.file.rfind('.')) + ending);
    }
  }
  for (const std::string& name : names) {
    if (options.index.empty() && !files.exists(name)) continue;
    TRY_ASSIGN(Bytes bytes, os::read_file(files, name, genome::kMaxIndexBytes));
    return std::optional<Bytes>(std::move(bytes));
  }
  return std::optional<Bytes>();
}

// By the sandboxed process. Of a BGZF file the kind is in its first block.
Result<Bytes> make_index(const std::string& path, const std::string& file, ByteView first) {
  TRY_ASSIGN(const os::Descriptor input, os::open_for_reading(path));
  genome::Task task;
  task.operation = genome::Operation::kIndex;
  task.name = file;
  const bool is_cram = as_text(first.first(4)) == "CRAM";
  task.index_kind = is_cram ? genome::IndexKind::kCrai : genome::IndexKind::kCsi;
  Bytes index;
  const auto made =
      genome::run_writing(task, {.descriptor = input.get(), .memory = {}},
                          [&](ByteView bytes) -> Result<> {
                            index.insert(index.end(), bytes.begin(), bytes.end());
                            return {};
                          },
                          {.most_output = genome::kMaxIndexBytes, .patience = kPatience});
  if (!made) return std::unexpected(made.error());
  return index;
}

}  // namespace

Result<std::optional<GenomeUpload>> look_at_genome(const StoreOptions& options) {
  if (options.plain) return std::optional<GenomeUpload>();
  GenomeUpload upload{.lead = {}, .file = options.file};
  std::array<Byte, 32> records_digest{};
  if (options.reslice > 0) {
    TRY_ASSIGN(const genome::RecordDigest digest, reslice(options, upload));
    records_digest = digest.digest;
  }
  TRY_ASSIGN(const auto file, os::real_files().open(upload.file, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  const std::uint64_t ends = std::min<std::uint64_t>(size, genome::kEndsBytes);
  TRY_ASSIGN(const Bytes first, read_part(*file, 0, ends));
  if (!genome::looks_like_genome(first)) {
    if (!options.genome) return std::optional<GenomeUpload>();
    return fail(Code::kInvalidArgument,
                "'" + options.file + "' is neither CRAM, BAM, VCF.gz nor BCF", Reason::kNoGenome);
  }
  std::optional<Bytes> index;
  if (options.reslice == 0) {
    TRY_ASSIGN(index, read_index(options, first));
  }
  if (!index) {
    // Compressed text of any kind looks like a genome until it is read.
    if (!options.genome && options.reslice == 0) return std::optional<GenomeUpload>();
    TRY_ASSIGN(index, make_index(upload.file, options.file, first));
  }
  TRY_ASSIGN(const auto maker, genome::LeadMaker::open(std::move(*index), size, options.file));
  TRY_ASSIGN(const Bytes head, read_part(*file, 0, maker.head_bytes()));
  TRY_ASSIGN(const Bytes tail, read_part(*file, size - maker.tail_bytes(), maker.tail_bytes()));
  TRY_ASSIGN(genome::MadeLead made, maker.make(head, tail, options.assembly, records_digest));
  upload.lead = std::move(made.bytes);
  upload.chunks = made.chunks;
  upload.about = std::move(made.about);
  return std::optional<GenomeUpload>(std::move(upload));
}

}  // namespace warifu::apps
