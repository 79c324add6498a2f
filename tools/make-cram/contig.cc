// Loading of a reference chromosome through htslib's faidx, and the layout of its callable runs.
#include "contig.h"

#include <htslib/faidx.h>
#include <htslib/hts.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <tuple>
#include <utility>

#include "error.h"

namespace warifu::make_cram {
namespace {

struct FaidxDeleter {
  void operator()(faidx_t* index) const { fai_destroy(index); }
};
using Faidx = std::unique_ptr<faidx_t, FaidxDeleter>;

struct Md5Deleter {
  void operator()(hts_md5_context* context) const { hts_md5_destroy(context); }
};

struct FreeDeleter {
  void operator()(char* memory) const { std::free(memory); }
};

Faidx open_reference(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    fail("reference {}: {}", path, code ? code.message() : "no such file");
  }
  if (!std::filesystem::is_regular_file(path, code)) fail("reference {}: not a file", path);
  errno = 0;
  Faidx index(fai_load3(path.c_str(), nullptr, nullptr, FAI_CREATE));
  if (!index) {
    fail("reference {}: cannot read it as FASTA or read or create {}.fai: {}", path, path,
         describe_errno(errno));
  }
  if (faidx_nseq(index.get()) == 0) fail("reference {}: it holds no sequence", path);
  return index;
}

// The name of the wanted contig and the wanted part of it.
std::pair<std::string, Span> resolve(const faidx_t* index, const std::string& path,
                                     const std::optional<std::string>& region) {
  if (!region) {
    const std::string name = faidx_iseq(index, 0);
    return {name, {0, faidx_seq_len(index, name.c_str())}};
  }
  int id = -1;
  hts_pos_t begin = 0;
  hts_pos_t end = 0;
  const char* rest = fai_parse_region(index, region->c_str(), &id, &begin, &end, 0);
  if (rest == nullptr && id == -1) {
    fail("region \"{}\": no such sequence in {}, or the range is malformed", *region, path);
  }
  if (rest == nullptr || *rest != '\0' || id < 0) {
    fail("region \"{}\": expected NAME, NAME:START-END or NAME:START-", *region);
  }
  const std::string name = faidx_iseq(index, id);
  const hts_pos_t length = faidx_seq_len(index, name.c_str());
  if (end == HTS_POS_MAX) end = length;
  if (begin < 0 || begin >= length || end > length) {
    fail("region \"{}\": outside of {}, which has {} bases in {}", *region, name, length, path);
  }
  if (begin >= end) fail("region \"{}\": the start lies behind the end", *region);
  return {name, {begin, end}};
}

std::string digest(const std::string& sequence) {
  const std::unique_ptr<hts_md5_context, Md5Deleter> context(hts_md5_init());
  if (!context) fail("out of memory for an MD5 context");
  constexpr std::size_t kChunk = std::size_t{1} << 24U;  // the interface takes unsigned long
  for (std::size_t at = 0; at < sequence.size(); at += kChunk) {
    const std::size_t length = std::min(kChunk, sequence.size() - at);
    hts_md5_update(context.get(), sequence.data() + at, length);
  }
  std::array<unsigned char, 16> raw{};
  hts_md5_final(raw.data(), context.get());
  std::array<char, 33> text{};
  hts_md5_hex(text.data(), raw.data());
  return text.data();
}

bool is_callable(char base) {
  return base == 'A' || base == 'C' || base == 'G' || base == 'T';
}

}  // namespace

Contig load_contig(const std::string& reference_path, const std::optional<std::string>& region) {
  const Faidx index = open_reference(reference_path);
  Contig contig;
  contig.reference_path = reference_path;
  std::tie(contig.name, contig.region) = resolve(index.get(), reference_path, region);

  const hts_pos_t expected = faidx_seq_len(index.get(), contig.name.c_str());
  hts_pos_t length = 0;
  const std::unique_ptr<char, FreeDeleter> bases(
      faidx_fetch_seq64(index.get(), contig.name.c_str(), 0, expected - 1, &length));
  if (!bases || length != expected) {
    fail("reference {}: cannot read the {} bases of {}: file and .fai disagree or a read failed",
         reference_path, expected, contig.name);
  }
  contig.sequence.assign(bases.get(), static_cast<std::size_t>(length));
  for (char& base : contig.sequence) {
    if (base >= 'a' && base <= 'z') base = static_cast<char>(base - 'a' + 'A');
  }
  contig.md5 = digest(contig.sequence);
  return contig;
}

void Layout::add(Span span) {
  if (span.length() < kMaxFragment) return;
  spans_.push_back(span);
  bases_ += span.length();
  starts_ += span.length() - kMaxFragment + 1;
}

Layout Layout::callable(const Contig& contig) {
  Layout layout;
  std::int64_t at = contig.region.begin;
  const auto base = [&](std::int64_t i) { return contig.sequence[static_cast<std::size_t>(i)]; };
  while (at < contig.region.end) {
    while (at < contig.region.end && !is_callable(base(at))) ++at;
    const std::int64_t begin = at;
    while (at < contig.region.end && is_callable(base(at))) ++at;
    layout.add({begin, at});
  }
  if (layout.spans_.empty()) {
    fail("region {}:{}-{}: no stretch of {} known bases in it, so no read pair can be placed",
         contig.name, contig.region.begin + 1, contig.region.end, kMaxFragment);
  }
  return layout;
}

Layout Layout::first(std::int64_t bases) const {
  Layout layout;
  for (const Span& span : spans_) {
    const std::int64_t missing = bases - layout.bases_;
    if (missing <= 0 && !layout.spans_.empty()) break;
    const std::int64_t length = std::min(span.length(), std::max(missing, kMaxFragment));
    layout.add({span.begin, span.begin + length});
  }
  return layout;
}

bool Layout::contains(std::int64_t position) const {
  const auto after =
      std::upper_bound(spans_.begin(), spans_.end(), position,
                       [](std::int64_t value, const Span& span) { return value < span.begin; });
  return after != spans_.begin() && position < std::prev(after)->end;
}

std::string Layout::text(const Contig& contig) const {
  return fmt::format("{}:{}-{}", contig.name, spans_.front().begin + 1, spans_.back().end);
}

}  // namespace warifu::make_cram
