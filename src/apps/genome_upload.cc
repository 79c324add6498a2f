// The lead of a file on this machine.
#include "apps/genome_upload.h"

#include <fmt/format.h>

#include <algorithm>

#include "os/files.h"

namespace warifu::apps {
namespace {

// What tools write beside such a file.
constexpr const char* kEndings[] = {".crai", ".bai", ".csi", ".tbi"};

Result<Bytes> read_part(const os::File& file, std::uint64_t at, std::uint64_t size) {
  Bytes bytes(size);
  TRY_ASSIGN(const std::size_t got, file.read_at(at, bytes));
  if (got == size) return bytes;
  return fail(Code::kIo, "the file became shorter while it was read");
}

// The index that is named, or stands beside the file (x.cram.crai, or x.crai); none otherwise.
Result<std::optional<Bytes>> read_index(const StoreOptions& options) {
  os::FileSystem& files = os::real_files();
  std::vector<std::string> names;
  if (!options.index.empty()) {
    names = {options.index};
  } else {
    for (const char* ending : kEndings) {
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

bool looks_like_genome(ByteView first) {
  return as_text(first.first(std::min<std::size_t>(first.size(), 4))) == "CRAM" ||
         (first.size() >= genome::kBgzfHeadBytes && genome::is_bgzf(first));
}

}  // namespace

Result<std::optional<GenomeUpload>> look_at_genome(const StoreOptions& options) {
  if (options.plain) return std::optional<GenomeUpload>();
  TRY_ASSIGN(const auto file, os::real_files().open(options.file, os::OpenMode::kRead));
  TRY_ASSIGN(const std::uint64_t size, file->size());
  const std::uint64_t ends = std::min<std::uint64_t>(size, genome::kEndsBytes);
  TRY_ASSIGN(const Bytes first, read_part(*file, 0, ends));
  if (!looks_like_genome(first)) {
    if (!options.genome) return std::optional<GenomeUpload>();
    return fail(Code::kInvalidArgument,
                "'" + options.file + "' is neither CRAM, BAM, VCF.gz nor BCF");
  }
  TRY_ASSIGN(const Bytes last, read_part(*file, size - ends, ends));
  genome::Lead lead;
  TRY_ASSIGN(lead.file, genome::describe_file(first, last, size, options.file));
  TRY_ASSIGN(auto index, read_index(options));
  if (!index) {
    // Compressed text of any kind looks like a genome until it is read.
    if (!options.genome) return std::optional<GenomeUpload>();
    return fail(Code::kNotFound, "no index of '" + options.file +
                                     "' was found beside it; name it with --index");
  }
  lead.index = std::move(*index);
  TRY_ASSIGN(const genome::Index parsed, genome::parse_index(lead.index, "the index"));
  lead.index_kind = parsed.kind;
  TRY_ASSIGN(const genome::Cut head, genome::cut_header(parsed, lead.file));
  TRY_ASSIGN(const Bytes bytes, read_part(*file, head.header.begin, head.header.size()));
  TRY_ASSIGN(const genome::Header header, genome::parse_header(bytes, options.file));
  lead.kind = header.kind;
  lead.references = header.references;
  const auto guessed = genome::guess_assembly(lead.references);
  lead.assembly = options.assembly.empty() ? guessed.value_or("") : options.assembly;
  if (lead.assembly.empty()) {
    return fail(Code::kInvalidArgument,
                "the references of '" + options.file +
                    "' do not tell which assembly it is of; say it with --assembly, or store it "
                    "with --plain");
  }
  GenomeUpload upload{.lead = {}, .file = options.file};
  TRY_ASSIGN(upload.lead, genome::encode_lead(lead));
  upload.chunks = static_cast<std::uint32_t>(upload.lead.size() / limits::kChunkBytes);
  upload.about = fmt::format("{} of {}, {} references", genome::file_kind_name(lead.kind),
                             lead.assembly, lead.references.size());
  return std::optional<GenomeUpload>(std::move(upload));
}

}  // namespace warifu::apps
