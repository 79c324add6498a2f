// Index and ends to lead.
#include "genome/lead_maker.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/reason.h"
#include "genome/bgzf.h"

namespace warifu::genome {
namespace {

bool may_index(IndexKind index, FileKind file) {
  switch (index) {
    case IndexKind::kCrai: return file == FileKind::kCram;
    case IndexKind::kBai: return file == FileKind::kBam;
    case IndexKind::kTbi: return file == FileKind::kVcf;
    case IndexKind::kCsi: return file != FileKind::kCram;
  }
  return false;
}

}  // namespace

Result<LeadMaker> LeadMaker::open(Bytes index, std::uint64_t file_bytes, std::string name) {
  LeadMaker maker;
  auto parsed_index = parse_index(index, "the index of '" + name + "'");
  if (!parsed_index) {
    parsed_index.error().reason = Reason::kIndex;
    return std::unexpected(parsed_index.error());
  }
  const Index parsed = std::move(*parsed_index);
  // How the file ends makes no difference to where its header does.
  TRY_ASSIGN(const Cut head, cut_header(parsed, {.bytes = file_bytes, .trailer_bytes = 0}));
  if (head.header.end > kMaxHeaderText) {
    return fail(Code::kCorrupt, "by its index the header of '" + name + "' is longer than 64 MiB");
  }
  const std::uint64_t ends = std::min<std::uint64_t>(file_bytes, kEndsBytes);
  maker.index_ = std::move(index);
  maker.kind_ = parsed.kind;
  maker.header_ = head.header;
  maker.file_bytes_ = file_bytes;
  maker.head_bytes_ = std::max(ends, head.header.end);
  maker.tail_bytes_ = ends;
  maker.name_ = std::move(name);
  return maker;
}

Result<MadeLead> LeadMaker::make(ByteView head, ByteView tail, const std::string& assembly,
                                 const std::array<Byte, 32>& records_digest) const {
  if (head.size() != head_bytes_ || tail.size() != tail_bytes_) {
    return fail(Code::kInvalidArgument,
                fmt::format("of '{}' the first {} and the last {} bytes are needed, not {} and {}",
                            name_, head_bytes_, tail_bytes_, head.size(), tail.size()));
  }
  if (!looks_like_genome(head)) {
    return fail(Code::kInvalidArgument, "'" + name_ + "' is neither CRAM, BAM, VCF.gz nor BCF",
                Reason::kNoGenome);
  }
  Lead lead;
  lead.index = index_;
  lead.index_kind = kind_;
  lead.records_digest = records_digest;
  const std::size_t ends = std::min<std::size_t>(head.size(), kEndsBytes);
  TRY_ASSIGN(lead.file, describe_file(head.first(ends), tail, file_bytes_, name_));
  const ByteView own = head.subspan(header_.begin, header_.size());
  TRY_ASSIGN(const Header header, parse_header(own, name_));
  if (!may_index(kind_, header.kind)) {
    return fail(Code::kInvalidArgument,
                fmt::format("the index for '{}' is a .{}, which is none of a {} file", name_,
                            index_kind_name(kind_), file_kind_name(header.kind)));
  }
  lead.kind = header.kind;
  lead.references = header.references;
  if (header_.begin == 0 && own.size() <= kMaxHead) lead.head.assign(own.begin(), own.end());
  lead.assembly = assembly.empty() ? guess_assembly(lead.references).value_or("") : assembly;
  if (lead.assembly.empty()) {
    return fail(Code::kInvalidArgument,
                "the references of '" + name_ +
                    "' do not tell which assembly it is of: say it, or store the file as it is "
                    "(--assembly, --plain)",
                Reason::kAssembly);
  }
  MadeLead made;
  TRY_ASSIGN(made.bytes, encode_lead(lead));
  made.chunks = static_cast<std::uint32_t>(made.bytes.size() / limits::kChunkBytes);
  made.about = fmt::format("{} of {}, {} references", file_kind_name(lead.kind), lead.assembly,
                           lead.references.size());
  return made;
}

bool looks_like_genome(ByteView first) {
  return as_text(first.first(std::min<std::size_t>(first.size(), 4))) == "CRAM" ||
         (first.size() >= kBgzfHeadBytes && is_bgzf(first));
}

}  // namespace warifu::genome
