// What each fragment says about some sites, with the filters that callers of genotypes use.
#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "genome_helper/operations.h"

namespace warifu::genome_helper {
namespace {

using genome::Observation;
using genome::SitePileup;

constexpr std::uint16_t kLeftOut = BAM_FUNMAP | BAM_FSECONDARY | BAM_FQCFAIL | BAM_FDUP;

std::uint8_t base_of(const bam1_t* record, std::int64_t at) {
  switch (bam_seqi(bam_get_seq(record), at)) {
    case 1: return Observation::kA;
    case 2: return Observation::kC;
    case 4: return Observation::kG;
    case 8: return Observation::kT;
    default: return Observation::kOther;
  }
}

// What a read says about one position of the reference, by its CIGAR; false when nothing.
bool observe(const bam1_t* record, std::int64_t position, Observation& out) {
  std::int64_t reference = record->core.pos;
  std::int64_t read = 0;
  const std::uint32_t* cigar = bam_get_cigar(record);
  for (std::uint32_t i = 0; i < record->core.n_cigar; ++i) {
    const auto operation = bam_cigar_op(cigar[i]);
    const std::int64_t length = bam_cigar_oplen(cigar[i]);
    const auto moves = static_cast<unsigned>(bam_cigar_type(operation));
    const bool along_reference = (moves & 2U) != 0;
    const bool along_read = (moves & 1U) != 0;
    if (along_reference && position < reference + length) {
      if (operation == BAM_CREF_SKIP) return false;
      if (!along_read) {  // deleted: the base in front of it stands for its quality
        out.base = Observation::kDeletion;
        out.base_quality = read > 0 ? bam_get_qual(record)[read - 1] : 0;
        return true;
      }
      const std::int64_t at = read + position - reference;
      if (at >= record->core.l_qseq) return false;
      out.base = base_of(record, at);
      out.base_quality = bam_get_qual(record)[at];
      const bool last = position + 1 == reference + length && i + 1 < record->core.n_cigar;
      if (last && bam_cigar_op(cigar[i + 1]) == BAM_CINS) {
        out.inserted = static_cast<std::int16_t>(std::min(bam_cigar_oplen(cigar[i + 1]), 32767U));
      } else if (last && bam_cigar_op(cigar[i + 1]) == BAM_CDEL) {
        out.inserted = static_cast<std::int16_t>(
            -static_cast<int>(std::min(bam_cigar_oplen(cigar[i + 1]), 32767U)));
      }
      return true;
    }
    if (along_reference) reference += length;
    if (along_read) read += length;
  }
  return false;
}

class Sites {
 public:
  Sites(const genome::Task& task, sam_hdr_t* header)
      : task_(task), piles_(task.sites.size()), fragments_(task.sites.size()) {
    for (std::size_t i = 0; i < task.sites.size(); ++i) {
      const std::string& name = task.sites[i].reference;
      int id = ::sam_hdr_name2tid(header, name.c_str());
      if (id < 0) id = ::sam_hdr_name2tid(header, genome::other_name(name).c_str());
      if (id >= 0) by_place_.emplace(Place{id, task.sites[i].position}, i);
    }
  }

  void add(const bam1_t* record) {
    const bam1_core_t& core = record->core;
    if ((core.flag & kLeftOut) != 0 || core.qual < task_.least_mapping_quality || core.tid < 0)
      return;
    // A pair of which only one end aligned, or not to each other, is left out as callers do.
    if ((core.flag & BAM_FPAIRED) != 0 && (core.flag & BAM_FPROPER_PAIR) == 0) return;
    const std::int64_t end = ::bam_endpos(record);
    for (auto at = by_place_.lower_bound({core.tid, core.pos});
         at != by_place_.end() && at->first.first == core.tid && at->first.second < end; ++at) {
      Observation seen;
      if (!observe(record, at->first.second, seen) ||
          seen.base_quality < task_.least_base_quality) {
        continue;
      }
      seen.mapping_quality = core.qual;
      seen.reverse = (core.flag & BAM_FREVERSE) != 0;
      keep(at->second, bam_get_qname(record), seen);
    }
  }

  std::vector<SitePileup> take() { return std::move(piles_); }

 private:
  using Place = std::pair<int, std::int64_t>;

  // Two mates over one site are one molecule: the better base counts.
  void keep(std::size_t site, const char* name, const Observation& seen) {
    SitePileup& pile = piles_[site];
    const auto [at, is_new] = fragments_[site].try_emplace(name, pile.reads.size());
    if (!is_new) {
      if (seen.base_quality > pile.reads[at->second].base_quality) pile.reads[at->second] = seen;
      return;
    }
    if (pile.reads.size() < task_.most_reads_per_site) {
      pile.reads.push_back(seen);
    } else {
      fragments_[site].erase(at);
      ++pile.left_out;
    }
  }

  const genome::Task& task_;
  std::multimap<Place, std::size_t> by_place_;
  std::vector<SitePileup> piles_;
  std::vector<std::unordered_map<std::string, std::size_t>> fragments_;
};

}  // namespace

Result<Bytes> pileup(const genome::Task& task, Files& files) {
  if (files.kind() != Kind::kReads) return fail(Code::kInvalidArgument, "only reads have a pileup");
  TRY_ASSIGN(const SamHeader header, files.read_sam_header());
  Sites sites(task, header.get());
  const Record record(::bam_init1());
  for (;;) {
    TRY_ASSIGN(const bool more, files.next(header.get(), record.get()));
    if (!more) break;
    sites.add(record.get());
  }
  return genome::encode_answer(sites.take());
}

}  // namespace warifu::genome_helper
