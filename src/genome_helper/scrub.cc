// Lines of headers, fields of records.
#include "genome_helper/scrub.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string>

#include "genome_helper/aux_fields.h"

namespace warifu::genome_helper {
namespace {

struct LineRule {
  const char* type;
  std::vector<std::string_view> kept;  // tags; all others go
};

// SM is replaced. LB, PU, CN, DS, DT tell of laboratory, flow cell and day.
const std::vector<LineRule>& line_rules() {
  static const std::vector<LineRule> rules = {
      {"@HD", {"VN", "SO", "GO", "SS"}},
      {"@SQ", {"SN", "LN", "M5", "AS", "SP", "AN", "TP"}},
      {"@RG", {"ID", "PL", "PI", "PM", "SM"}},
      {"@PG", {"ID", "PN", "PP"}},
  };
  return rules;
}

std::string scrubbed_line(std::string_view line, const LineRule& rule, const std::string& sample) {
  std::string out(line.substr(0, 3));
  for (std::size_t at = line.find('\t'); at != std::string_view::npos;) {
    const std::size_t next = line.find('\t', at + 1);
    const std::string_view field = line.substr(
        at + 1, next == std::string_view::npos ? std::string_view::npos : next - at - 1);
    const bool is_kept = field.size() > 3 && field[2] == ':' &&
                         std::ranges::find(rule.kept, field.substr(0, 2)) != rule.kept.end();
    if (is_kept && field.starts_with("SM:")) {
      out += "\tSM:" + sample;
    } else if (is_kept) {
      out += '\t';
      out += field;
    }
    at = next;
  }
  return out + "\n";
}

template <typename Each>
void for_lines(std::string_view text, const Each& each) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// Tags that name other places: alternative and supplementary alignments, the mate's alignment and
// bases.
constexpr std::array<const char*, 6> kOtherPlaces = {"SA", "XA", "OA", "CC", "CP", "OP"};
constexpr std::array<const char*, 4> kOfMate = {"MC", "MQ", "R2", "Q2"};

bool is_among(const std::string& tag, std::span<const char* const> tags) {
  return std::ranges::any_of(tags, [&](const char* one) { return tag == one; });
}

bool is_tag(const std::string& text) {
  const auto letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return text.size() == 2 && letter(text[0]) &&
         (letter(text[1]) || (text[1] >= '0' && text[1] <= '9'));
}

struct FieldName {
  const char* name;
  unsigned bit;
};
constexpr std::array<FieldName, 11> kFields = {{{"QNAME", SAM_QNAME},
                                                {"FLAG", SAM_FLAG},
                                                {"RNAME", SAM_RNAME},
                                                {"POS", SAM_POS},
                                                {"MAPQ", SAM_MAPQ},
                                                {"CIGAR", SAM_CIGAR},
                                                {"RNEXT", SAM_RNEXT},
                                                {"PNEXT", SAM_PNEXT},
                                                {"TLEN", SAM_TLEN},
                                                {"SEQ", SAM_SEQ},
                                                {"QUAL", SAM_QUAL}}};

}  // namespace

Result<SamHeader> scrubbed(sam_hdr_t* header, const std::string& sample) {
  const char* text = ::sam_hdr_str(header);
  if (text == nullptr) return fail(Code::kCorrupt, "its header cannot be written as text");
  std::string kept;
  for_lines({text, ::sam_hdr_length(header)}, [&](std::string_view line) {
    for (const LineRule& rule : line_rules()) {
      if (line.starts_with(rule.type)) kept += scrubbed_line(line, rule, sample);
    }
  });
  SamHeader out(::sam_hdr_parse(kept.size(), kept.c_str()));
  // A BAM may hold references that its text does not name.
  if (!out || ::sam_hdr_nref(out.get()) != ::sam_hdr_nref(header)) {
    return fail(Code::kCorrupt, "its header's lines do not name its references");
  }
  return out;
}

Result<VcfHeader> scrubbed(bcf_hdr_t* header, const std::string& sample) {
  kstring_t text = KS_INITIALIZE;
  // With IDX, so that the numbers in records stay right.
  if (::bcf_hdr_format(header, 1, &text) != 0) {
    return fail(Code::kCorrupt, "its header cannot be written as text");
  }
  const int samples = bcf_hdr_nsamples(header);
  std::string kept;
  for_lines({text.s, text.l}, [&](std::string_view line) {
    if (line.starts_with("#CHROM")) {
      kept += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO";
      if (samples > 0) kept += "\tFORMAT";
      for (int i = 0; i < samples; ++i) {
        kept += "\t" + sample + (samples == 1 ? "" : std::to_string(i + 1));
      }
      kept += "\n";
      return;
    }
    for (const std::string_view start :
         {"##fileformat=", "##INFO=", "##FORMAT=", "##FILTER=", "##ALT=", "##contig="}) {
      if (line.starts_with(start)) kept += std::string(line) + "\n";
    }
  });
  ::ks_free(&text);
  VcfHeader out(::bcf_hdr_init("r"));
  if (!out || ::bcf_hdr_parse(out.get(), kept.data()) != 0 || ::bcf_hdr_sync(out.get()) != 0 ||
      bcf_hdr_nsamples(out.get()) != samples) {
    return fail(Code::kCorrupt, "its header cannot be scrubbed");
  }
  return out;
}

Result<> blank_outside(bam1_t* record, const Places& places) {
  bam1_core_t& core = record->core;
  // Where the mate ends is not known here; where it starts decides.
  const bool is_told = core.mtid >= 0 || core.mpos >= 0;
  const bool is_inside = is_told && places.overlaps(core.mtid, core.mpos, core.mpos + 1);
  if (is_told && !is_inside) {
    core.mtid = -1;
    core.mpos = -1;
    core.isize = 0;
  }
  return filter_aux(record, [&](const std::string& tag) {
    return !is_among(tag, kOtherPlaces) && (is_inside || !is_among(tag, kOfMate));
  });
}

Result<FieldChoice> FieldChoice::make(const genome::Selection& selection) {
  FieldChoice choice;
  if (selection.fields) {
    choice.all_fields_ = false;
    for (const std::string& name : *selection.fields) {
      const auto found =
          std::ranges::find_if(kFields, [&](const FieldName& field) { return name == field.name; });
      if (found == kFields.end()) return fail(Code::kInvalidArgument, "no field '" + name + "'");
      choice.fields_ |= found->bit;
    }
  }
  if (selection.tags) {
    choice.all_tags_ = false;
    choice.tags_ = *selection.tags;
  }
  choice.notags_ = selection.notags;
  for (const auto* list : {&choice.tags_, &choice.notags_}) {
    for (const std::string& tag : *list) {
      if (!is_tag(tag)) return fail(Code::kInvalidArgument, "no tag '" + tag + "'");
    }
  }
  for (const std::string& tag : choice.notags_) {
    if (std::ranges::find(choice.tags_, tag) != choice.tags_.end()) {
      return fail(Code::kInvalidArgument, "tag '" + tag + "' is both wanted and not");
    }
  }
  return choice;
}

Result<> FieldChoice::apply(bam1_t* record) const {
  if (!all_tags_ || !notags_.empty()) {
    TRY(filter_aux(record, [&](const std::string& tag) {
      return all_tags_ ? std::ranges::find(notags_, tag) == notags_.end()
                       : std::ranges::find(tags_, tag) != tags_.end();
    }));
  }
  return all_fields_ ? Result<>() : apply_fields(record);
}

// What is not chosen takes the value that stands for "not there": * or 0.
Result<> FieldChoice::apply_fields(bam1_t* record) const {
  const auto has = [&](unsigned bit) { return (fields_ & bit) != 0; };
  const bam1_core_t core = record->core;
  const Record made(::bam_init1());
  const std::string name = has(SAM_QNAME) ? bam_get_qname(record) : "*";
  const auto bases = static_cast<std::size_t>(core.l_qseq);
  // Qualities need as many bases; without SEQ these are all N.
  std::string sequence;
  if (has(SAM_SEQ) || has(SAM_QUAL)) {
    sequence.assign(bases, 'N');
    for (std::size_t i = 0; has(SAM_SEQ) && i < bases; ++i) {
      sequence[i] = seq_nt16_str[bam_seqi(bam_get_seq(record), static_cast<int>(i))];
    }
  }
  const bool with_cigar = has(SAM_CIGAR);
  const bool qualities = has(SAM_QUAL) && bases > 0 && bam_get_qual(record)[0] != 0xff;
  const std::size_t aux = aux_bytes(record);
  if (::bam_set1(made.get(), name.size(), name.c_str(), has(SAM_FLAG) ? core.flag : 0,
                 has(SAM_RNAME) ? core.tid : -1, has(SAM_POS) ? core.pos : -1,
                 has(SAM_MAPQ) ? core.qual : 0, with_cigar ? core.n_cigar : 0,
                 with_cigar ? bam_get_cigar(record) : nullptr, has(SAM_RNEXT) ? core.mtid : -1,
                 has(SAM_PNEXT) ? core.mpos : -1, has(SAM_TLEN) ? core.isize : 0, sequence.size(),
                 sequence.c_str(),
                 qualities ? reinterpret_cast<const char*>(bam_get_qual(record)) : nullptr,
                 aux) < 0) {
    return fail(Code::kIo, "a record cannot be written with these fields");
  }
  std::memcpy(bam_get_aux(made.get()), bam_get_aux(record), aux);
  made->l_data += static_cast<int>(aux);
  if (::bam_copy1(record, made.get()) == nullptr) return fail(Code::kIo, "no memory for a record");
  return {};
}

}  // namespace warifu::genome_helper
