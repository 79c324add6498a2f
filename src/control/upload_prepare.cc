// Passes over a staged genome.
#include "control/upload_prepare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "crypto/running_digest.h"
#include "genome/lead_maker.h"
#include "genome/tool.h"

namespace warifu::control {
namespace {

using genome::Operation;

constexpr std::chrono::seconds kPatience(600);  // between signs of life, of a busy machine too
constexpr std::uint64_t kMostMarkBytes = 64;    // what tells a kind of file

// One file and how it is read.
struct Passes {
  const KeptUpload& upload;
  const PrepareWish& wish;
  const PrepareSettings& settings;

  [[nodiscard]] genome::Task task(Operation operation, std::uint64_t bytes) const {
    genome::Task made;
    made.operation = operation;
    made.name = "'" + upload.facts().label + "'";
    made.reference = wish.reference;
    made.reads_per_slice = wish.reads_per_slice;
    made.processor_seconds = 120 + bytes / limits::kChunkBytes;
    return made;
  }

  [[nodiscard]] genome::RunOptions options(const char* step, std::uint64_t bytes) const {
    genome::RunOptions made;
    made.patience = kPatience;
    made.stop = &settings.stop;
    made.progress = [this, step, bytes](std::uint64_t done) {
      settings.progress(step, done, bytes);
    };
    settings.progress(step, 0, bytes);
    return made;
  }

  [[nodiscard]] Result<genome::RecordDigest> digest(const char* step,
                                                    const KeptUpload::Source& source,
                                                    std::uint64_t bytes) const {
    return genome::run_digest(task(Operation::kDigest, bytes),
                              {.descriptor = -1, .memory = {}, .source = source},
                              options(step, bytes));
  }

  // The index of a file whose first bytes are given.
  [[nodiscard]] Result<Bytes> index(const KeptUpload::Source& source, std::uint64_t bytes,
                                    bool is_cram) const {
    genome::Task made = task(Operation::kIndex, bytes);
    made.index_kind = is_cram ? genome::IndexKind::kCrai : genome::IndexKind::kCsi;
    genome::RunOptions run = options("index", bytes);
    run.most_output = genome::kMaxIndexBytes;
    Bytes index;
    const auto append = [&](ByteView part) -> Result<> {
      index.insert(index.end(), part.begin(), part.end());
      return {};
    };
    TRY(genome::run_writing(made, {.descriptor = -1, .memory = {}, .source = source}, append, run));
    return index;
  }
};

bool is_cram(ByteView first) {
  return first.size() >= 4 && as_text(first.first(4)) == "CRAM";
}

// All of a source: what its reader has left, too.
Result<> drain(const KeptUpload::Source& source) {
  secret::Buffer rest(limits::kChunkBytes);
  for (;;) {
    TRY_ASSIGN(const std::size_t got, source(rest.bytes()));
    if (got == 0) return {};
  }
}

struct Resliced {
  KeptUpload::Other file;
  genome::RecordDigest digest;
  std::string original_sha256;
};

Result<Resliced> reslice(KeptUpload& upload, const Passes& passes) {
  const std::uint64_t length = upload.facts().length;
  auto sha256 = crypto::RunningDigest::sha256();
  const KeptUpload::Source plain = upload.reader();
  const KeptUpload::Source hashed = [&](MutableBytes out) -> Result<std::size_t> {
    TRY_ASSIGN(const std::size_t got, plain(out));
    sha256.add(out.first(got));
    return got;
  };
  Resliced made;
  TRY_ASSIGN(made.digest, passes.digest("digest", hashed, length));
  TRY(drain(hashed));
  made.original_sha256 = sha256.finish();
  TRY_ASSIGN(made.file, upload.start_other());
  const auto seal = [&](ByteView bytes) { return made.file.writer->append(bytes); };
  TRY(genome::run_writing(passes.task(Operation::kReslice, length),
                          {.descriptor = -1, .memory = {}, .source = upload.reader()}, seal,
                          passes.options("reslice", length)));
  TRY_ASSIGN(const ByteCount written, made.file.writer->finish());
  made.file.length = written.value;
  made.file.writer.reset();
  TRY_ASSIGN(const genome::RecordDigest after,
             passes.digest("prove", upload.reader_of(made.file), written.value));
  if (after == made.digest) return made;
  return fail(Code::kCorrupt,
              fmt::format("'{}' has other records in other slices ({} before, {} "
                          "after): it is stored as it is or not at all",
                          upload.facts().label, made.digest.records, after.records));
}

Result<> check_space(const KeptUpload& upload, const PrepareSettings& settings,
                     const std::string& folder) {
  TRY_ASSIGN(const std::uint64_t free_bytes, settings.system.files.free_bytes(folder));
  const std::uint64_t needed = upload.facts().length + upload.facts().length / 4;
  if (free_bytes >= needed) return {};
  return fail(Code::kNoSpace, "other slices are written beside the file: " + human_bytes(needed) +
                                  " are needed, " + human_bytes(free_bytes) + " are free");
}

}  // namespace

Result<> prepare_upload(KeptUpload& upload, const PrepareWish& wish,
                        const PrepareSettings& settings) {
  const std::string assembly = wish.assembly.empty() ? upload.facts().assembly : wish.assembly;
  const std::string& label = upload.facts().label;
  Bytes first(std::min(kMostMarkBytes, upload.facts().length));
  TRY(upload.read(0, first));
  if (!genome::looks_like_genome(first)) {
    return fail(Code::kInvalidArgument, "'" + label + "' is neither CRAM, BAM, VCF.gz nor BCF");
  }
  const bool cram = is_cram(first);
  if (wish.reads_per_slice > 0 && !cram) {
    return fail(Code::kInvalidArgument, "'" + label + "' is no CRAM: only that has slices");
  }
  const Passes passes{upload, wish, settings};
  std::optional<Resliced> other;
  const auto done = [&]() -> Result<> {
    if (wish.reads_per_slice > 0) {
      TRY(check_space(upload, settings, upload.folder()));
      TRY_ASSIGN(other, reslice(upload, passes));
    }
    const std::uint64_t bytes = other ? other->file.length : upload.facts().length;
    const auto source = other ? upload.reader_of(other->file) : upload.reader();
    TRY_ASSIGN(Bytes index, passes.index(source, bytes, cram));
    PreparedUpload prepared{.index_bytes = index.size(), .stored_bytes = bytes};
    if (other) {
      prepared.reads_per_slice = wish.reads_per_slice;
      prepared.records = other->digest.records;
      prepared.original_sha256 = other->original_sha256;
    }
    TRY_ASSIGN(const auto maker, genome::LeadMaker::open(std::move(index), bytes, label));
    Bytes head(maker.head_bytes());
    Bytes tail(maker.tail_bytes());
    const auto read = [&](std::uint64_t from, MutableBytes out) {
      return other ? upload.read_other(other->file, from, out) : upload.read(from, out);
    };
    TRY(read(0, head));
    TRY(read(bytes - tail.size(), tail));
    TRY_ASSIGN(
        const genome::MadeLead lead,
        maker.make(head, tail, assembly, other ? other->digest.digest : std::array<Byte, 32>{}));
    return upload.set_prepared(prepared, lead.bytes, lead.chunks, lead.about,
                               other ? &other->file : nullptr);
  }();
  if (!done && wish.reads_per_slice > 0) upload.drop_other();
  return done;
}

}  // namespace warifu::control
