// From a request to a task of the process.
#include "viewing/records.h"

#include <algorithm>

#include "genome/local.h"
#include "secret/secret.h"

namespace warifu::viewing {
namespace {

using genome::FileKind;
using genome::NamedRegion;
using htsget::Format;

constexpr std::size_t kBgzfEnd = 28;
constexpr std::size_t kCramEnd = 38;
constexpr std::uint64_t kProcessBytes = 1ULL << 30;
constexpr std::size_t kHeadBytes = 8U << 20U;

genome::Output output_of(Format format) {
  switch (format) {
    case Format::kBam: return genome::Output::kBam;
    case Format::kCram: return genome::Output::kCram;
    case Format::kVcf: return genome::Output::kVcfGz;
    case Format::kBcf: return genome::Output::kBcf;
  }
  return genome::Output::kBam;
}

genome::IndexKind index_kind_of(FileKind kind) {
  return kind == FileKind::kBam   ? genome::IndexKind::kBai
         : kind == FileKind::kVcf ? genome::IndexKind::kTbi
                                  : genome::IndexKind::kCsi;
}

}  // namespace

Result<std::unique_ptr<Records>> Records::make(Source source, Budget& budget,
                                               const std::atomic<bool>& stop) {
  std::unique_ptr<Records> made(new Records(std::move(source), budget, stop));
  TRY(made->look_at_file());
  if (made->records() > 0) {
    TRY(made->make_index());
  } else {
    made->source_.index = HeldFile();
  }
  return made;
}

Result<> Records::look_at_file() {
  const ByteView all = source_.file.bytes();
  const std::size_t ends = std::min(all.size(), genome::kEndsBytes);
  TRY_ASSIGN(whole_, genome::describe_file(all.first(ends), all.last(ends), all.size(), "view"));
  TRY_ASSIGN(genome::Header header,
             genome::parse_header(all.first(std::min(all.size(), kHeadBytes)), "view"));
  kind_ = header.kind;
  if (kind_ == FileKind::kCram) return fail(Code::kInvalidArgument, "a view does not hold CRAM");
  consented_.references = header.references;
  for (NamedRegion& region : source_.regions) {
    const auto id = header.id_of(region.reference);
    // A VCF may leave out the contigs that it has no record of.
    if (id) region.reference = header.references[static_cast<std::size_t>(*id)].name;
    if (!id) consented_.references.push_back({region.reference, 0, ""});
    consented_.regions.push_back(region);
  }
  htsget::merge(consented_.regions);
  return {};
}

Result<> Records::make_index() {
  genome::Task task;
  task.operation = genome::Operation::kIndex;
  task.name = "view";
  task.index_kind = index_kind_of(kind_);
  task.memory_bytes = kProcessBytes;
  TRY_ASSIGN(const os::Descriptor input, source_.file.descriptor());
  TRY(genome::run_writing(
      task, genome::Input{.descriptor = input.get(), .memory = {}},
      [&](ByteView bytes) { return source_.index.append(bytes); }, options()));
  return source_.index.seal();
}

htsget::Datatype Records::datatype() const {
  return kind_ == FileKind::kBam || kind_ == FileKind::kCram ? htsget::Datatype::kReads
                                                             : htsget::Datatype::kVariants;
}

genome::RunOptions Records::options() const {
  genome::RunOptions run;
  run.most_output = budget_.bytes();
  run.patience = kPatience;
  run.stop = &stop_;
  return run;
}

genome::Task Records::task_for(Format format) const {
  genome::Task task;
  task.operation = genome::Operation::kTrim;
  task.name = "view";
  task.output = output_of(format);
  task.memory_bytes = kProcessBytes;
  task.processor_seconds = kProcessorSeconds;
  if (format == Format::kCram) task.reference = source_.reference;
  // What the restore took away is gone already; what it left is given as it is.
  task.selection.keep_mates = true;
  task.selection.keep_header = true;
  return task;
}

Result<genome::Cut> Records::cut_of(const std::vector<NamedRegion>& regions) const {
  TRY_ASSIGN(const genome::Index index,
             genome::parse_index(source_.index.bytes(), "index of the view"));
  genome::Header header;
  header.references = consented_.references;
  std::vector<genome::Region> places;
  for (const NamedRegion& region : regions) {
    const auto id = genome::reference_id(index, header, region.reference);
    if (!id && kind_ == FileKind::kVcf) continue;  // no record there
    if (!id) return std::unexpected(id.error());
    places.push_back({*id, region.start, region.end});
  }
  return places.empty() ? genome::cut_header(index, whole_) : genome::cut(index, places, whole_);
}

Result<std::uint64_t> Records::bytes_of(const std::vector<NamedRegion>& regions) const {
  if (regions.empty() || records() == 0) return 0;
  TRY_ASSIGN(const genome::Cut cut, cut_of(regions));
  return cut.bytes();
}

// `header`: what the output begins with, which is left out.
Result<Piece> Records::run(const genome::Task& task, const genome::Cut* cut,
                           ByteView header) const {
  Piece piece;
  TRY_ASSIGN(piece.file, HeldFile::make(budget_));
  std::size_t skipped = 0;
  const auto sink = [&](ByteView bytes) -> Result<> {
    const std::size_t part = std::min(bytes.size(), header.size() - skipped);
    if (!std::ranges::equal(bytes.first(part), header.subspan(skipped, part))) {
      return fail(Code::kCorrupt, "view: the answer does not begin with its header");
    }
    skipped += part;
    return piece.file.append(bytes.subspan(part));
  };
  const ByteView all = source_.file.bytes();
  const auto read = [&](std::uint64_t offset, MutableBytes out) -> Result<> {
    if (offset > all.size() || out.size() > all.size() - offset) {
      return fail(Code::kCorrupt, "view: its index names bytes beyond its end");
    }
    copy_bytes(out, all.subspan(offset, out.size()));
    return {};
  };
  TRY_ASSIGN(const genome::TrimReport report,
             cut != nullptr
                 ? genome::trim_cut(*cut, read, task, sink, options())
                 : genome::run_writing(task, genome::Input{.descriptor = -1, .memory = all}, sink,
                                       options()));
  if (skipped != header.size()) return fail(Code::kCorrupt, "view: the answer is cut short");
  piece.records = report.records_written;
  TRY(piece.file.seal());
  return piece;
}

Result<ByteView> Records::header(Format format) {
  const std::lock_guard lock(mutex_);
  const auto kept = headers_.find(format);
  const std::size_t end = format == Format::kCram ? kCramEnd : kBgzfEnd;
  if (kept != headers_.end()) return kept->second.bytes().first(kept->second.bytes().size() - end);
  genome::Task task = task_for(format);
  task.selection.header_only = true;
  TRY_ASSIGN(Piece piece, run(task, nullptr, {}));
  if (piece.file.bytes().size() <= end) return fail(Code::kCorrupt, "view: it has no header");
  const ByteView bytes = (headers_[format] = std::move(piece.file)).bytes();
  return bytes.first(bytes.size() - end);
}

Result<Piece> Records::body(const htsget::Request& request,
                            const std::vector<NamedRegion>& regions) {
  TRY_ASSIGN(const ByteView head, header(request.format));
  genome::Task task = task_for(request.format);
  if (regions.empty() || records() == 0) {
    task.selection.header_only = true;
    return run(task, nullptr, head);
  }
  task.regions = regions;
  if (datatype() == htsget::Datatype::kReads) {
    task.selection.fields = request.fields;
    task.selection.tags = request.tags;
    task.selection.notags = request.notags;
  }
  TRY_ASSIGN(const genome::Cut cut, cut_of(regions));
  return run(task, &cut, head);
}

}  // namespace warifu::viewing
