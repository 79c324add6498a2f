// The index of a file, which htslib makes; and of what comes through a pipe, which it only does for
// a CRAM: the rest as its own builders do it, with its parts.
#include <htslib/bgzf.h>
#include <htslib/tbx.h>
#include <htslib/vcf.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/reason.h"
#include "genome_helper/operations.h"

namespace warifu::genome_helper {
namespace {

struct IndexEnd {
  void operator()(hts_idx_t* index) const { ::hts_idx_destroy(index); }
};
using IndexPtr = std::unique_ptr<hts_idx_t, IndexEnd>;

constexpr int kUsualShift = 14;

// Levels of bins over references of at most `longest` bases, as htslib counts them.
int levels_for(std::int64_t longest, int shift) {
  int levels = 0;
  for (std::int64_t span = std::int64_t{1} << shift; longest + 256 > span; span <<= 3) ++levels;
  return levels;
}

std::uint64_t place_in(htsFile* file) {
  return static_cast<std::uint64_t>(bgzf_tell(file->fp.bgzf));
}

// These two as htslib's own builders do for a file that they may open. Nothing: the records are not
// sorted. Errors: kCorrupt.
Result<IndexPtr> index_of_bam(htsFile* file, int shift) {
  constexpr int kLevelsOfBai = 5;
  const SamHeader header(::sam_hdr_read(file));
  if (!header) return fail(Code::kCorrupt, "its header is damaged");
  const int references = ::sam_hdr_nref(header.get());
  std::int64_t longest = 0;
  for (int i = 0; i < references; ++i) {
    longest = std::max<std::int64_t>(longest, ::sam_hdr_tid2len(header.get(), i));
  }
  IndexPtr index(shift > 0 ? ::hts_idx_init(references, HTS_FMT_CSI, place_in(file), shift,
                                            levels_for(longest, shift))
                           : ::hts_idx_init(references, HTS_FMT_BAI, place_in(file), kUsualShift,
                                            kLevelsOfBai));
  const Record record(::bam_init1());
  int got = 0;
  while ((got = ::sam_read1(file, header.get(), record.get())) >= 0) {
    const bam1_core_t& core = record->core;
    const int mapped = (core.flag & BAM_FUNMAP) == 0 ? 1 : 0;
    if (::hts_idx_push(index.get(), core.tid, core.pos, ::bam_endpos(record.get()), place_in(file),
                       mapped) < 0) {
      return IndexPtr();
    }
  }
  if (got != -1) return fail(Code::kCorrupt, "damaged: it cannot be read for an index");
  if (::hts_idx_finish(index.get(), place_in(file)) < 0) return IndexPtr();
  return index;
}

Result<IndexPtr> index_of_bcf(htsFile* file) {
  const VcfHeader header(::bcf_hdr_read(file));
  if (!header) return fail(Code::kCorrupt, "its header is damaged");
  std::int64_t longest = 0;
  int contigs = 0;
  for (int i = 0; i < header->n[BCF_DT_CTG]; ++i) {
    const bcf_idinfo_t* one = header->id[BCF_DT_CTG][i].val;
    if (one == nullptr) continue;
    longest = std::max<std::int64_t>(longest, static_cast<std::int64_t>(one->info[0]));
    ++contigs;
  }
  if (longest == 0) longest = (std::int64_t{1} << 31) - 1;
  IndexPtr index(::hts_idx_init(contigs, HTS_FMT_CSI, place_in(file), kUsualShift,
                                levels_for(longest, kUsualShift)));
  const VcfRecord record(::bcf_init());
  int got = 0;
  while ((got = ::bcf_read(file, header.get(), record.get())) >= 0) {
    if (::hts_idx_push(index.get(), record->rid, record->pos, record->pos + record->rlen,
                       place_in(file), 1) < 0) {
      return IndexPtr();
    }
  }
  if (got != -1) return fail(Code::kCorrupt, "damaged: it cannot be read for an index");
  if (::hts_idx_finish(index.get(), place_in(file)) < 0) return IndexPtr();
  return index;
}

// Of what comes through a pipe nothing can be read twice: what it is was looked at in htslib's
// buffer. Of a CRAM, which htslib only reads under a name, the task has told it.
Result<bool> index_of_pipe(const genome::Task& task, int shift) {
  if (task.index_kind == genome::IndexKind::kCrai) {
    return ::sam_index_build3("-", "-", 0, 0) == 0;
  }
  hFILE* stream = ::hdopen(0, "r");
  htsFile* file = stream == nullptr ? nullptr : ::hts_hopen(stream, "input", "r");
  if (file == nullptr) return fail(Code::kCorrupt, "no format that can be read");
  IndexPtr index;
  int format = HTS_FMT_CSI;
  switch (::hts_get_format(file)->format) {
    case bam: {
      TRY_ASSIGN(index, index_of_bam(file, shift));
      format = shift > 0 ? HTS_FMT_CSI : HTS_FMT_BAI;
      break;
    }
    case bcf: {
      TRY_ASSIGN(index, index_of_bcf(file));
      break;
    }
    case vcf: {
      // A VCF is read by blocks here, not by records.
      tbx_t* made = file->format.compression == bgzf
                        ? ::tbx_index(file->fp.bgzf, shift, &tbx_conf_vcf)
                        : nullptr;
      if (made == nullptr) return false;
      return ::hts_idx_save_as(made->idx, nullptr, "-", shift > 0 ? HTS_FMT_CSI : HTS_FMT_TBI) == 0;
    }
    default: return fail(Code::kCorrupt, "only CRAM, BAM, VCF.gz and BCF have an index");
  }
  return index && ::hts_idx_save_as(index.get(), nullptr, "-", format) == 0;
}

}  // namespace

Result<Bytes> make_index(const genome::Task& task) {
  // "-": htslib's name for descriptors 0 and 1. It follows no path.
  constexpr const char* kNot =
      "cannot be indexed: not sorted by position, damaged, or not compressed by bgzip";
  int done = -1;
  const int shift = task.index_kind == genome::IndexKind::kCsi ? 14 : 0;
  if (::lseek(0, 0, SEEK_SET) != 0) {
    TRY_ASSIGN(const bool made, index_of_pipe(task, shift));
    if (made) return genome::encode_answer(genome::TrimReport{});
    return fail(Code::kCorrupt, kNot, Reason::kNotSorted);
  }
  hFILE* look = ::hdopen(0, "r");
  htsFormat format{};
  if (look == nullptr || ::hts_detect_format(look, &format) != 0) {
    return fail(Code::kCorrupt, "no format that can be read");
  }
  // What was looked at has to be read again from the start.
  if (::lseek(0, 0, SEEK_SET) != 0) return fail(Code::kIo, "the file cannot be read twice");
  switch (format.format) {
    case cram:
    case bam: done = ::sam_index_build3("-", "-", shift, 0); break;
    case vcf: done = ::tbx_index_build3("-", "-", shift, 0, &tbx_conf_vcf); break;
    case bcf: done = ::bcf_index_build3("-", "-", 14, 0); break;
    default: return fail(Code::kCorrupt, "only CRAM, BAM, VCF.gz and BCF have an index");
  }
  if (done == 0) return genome::encode_answer(genome::TrimReport{});
  if (done == -2) return fail(Code::kCorrupt, "damaged: it cannot be read for an index");
  return fail(Code::kCorrupt, kNot, Reason::kNotSorted);
}

}  // namespace warifu::genome_helper
