// Exactly the records that overlap the regions, once each, in the order of the file.
#include <htslib/bgzf.h>

#include <string>

#include "genome_helper/operations.h"
#include "genome_helper/scrub.h"

namespace warifu::genome_helper {
namespace {

using genome::Output;

template <typename IdOf>
Result<Places> places_of(const genome::Task& task, const IdOf& id_of) {
  Places places;
  for (const genome::NamedRegion& region : task.regions) {
    if (region.reference == "*") {
      places.add_unplaced();
      continue;
    }
    int id = id_of(region.reference.c_str());
    if (id < 0) id = id_of(genome::other_name(region.reference).c_str());
    if (id < 0) {
      return fail(Code::kNotFound, "it has no reference '" + region.reference + "'");
    }
    if (region.start < 0 || region.start >= region.end) {
      return fail(Code::kInvalidArgument, "no region: " + region.reference + ", " +
                                              std::to_string(region.start) + " to " +
                                              std::to_string(region.end));
    }
    places.add(id, region.start, region.end);
  }
  places.merge();
  return places;
}

// Nobody closes the pipe, so it is the record.
std::string not_written(std::uint64_t record) {
  return "record " + std::to_string(record) + " cannot be written";
}

Result<> open_reads_output(Files& files, Output output) {
  if (output == Output::kBam) return files.open_output("wb");
  if (output != Output::kCram) {
    return fail(Code::kInvalidArgument, "reads are given as bam or cram");
  }
  TRY(files.open_output("wc"));
  // The reader of the file then needs no reference: it is in it, taken from the reads themselves
  // where none was given.
  if (::hts_set_opt(files.output(), CRAM_OPT_VERSION, "3.0") != 0 ||
      ::hts_set_opt(files.output(), CRAM_OPT_EMBED_REF, files.has_reference() ? 1 : 2) != 0) {
    return fail(Code::kIo, "htslib refuses to write CRAM 3.0 with an embedded reference");
  }
  return files.give_reference(files.output());
}

Result<> open_variants_output(Files& files, Output output) {
  switch (output) {
    case Output::kVcf: return files.open_output("w");
    case Output::kVcfGz: return files.open_output("wz");
    case Output::kBcf: return files.open_output("wb");
    case Output::kBam:
    case Output::kCram: break;
  }
  return fail(Code::kInvalidArgument, "variants are given as vcf, vcf.gz or bcf");
}

// A file that leaves a placed read's mate to itself: positions are only kept where they are
// allowed.
struct ReadRules {
  Places places;
  FieldChoice choice;
  bool keep_mates = false;
};

Result<std::uint64_t> copy_reads(Files& files, sam_hdr_t* in, sam_hdr_t* out,
                                 const ReadRules& rules) {
  const Record record(::bam_init1());
  std::uint64_t written = 0;
  for (;;) {
    TRY_ASSIGN(const bool more, files.next(in, record.get()));
    if (!more) return written;
    const bam1_core_t& core = record->core;
    if (!rules.places.overlaps(core.tid, core.pos, ::bam_endpos(record.get()))) continue;
    if (!rules.keep_mates) TRY(blank_outside(record.get(), rules.places));
    TRY(rules.choice.apply(record.get()));
    if (::sam_write1(files.output(), out, record.get()) < 0) {
      return fail(Code::kCorrupt, not_written(files.records()));
    }
    ++written;
  }
}

}  // namespace

Result<Bytes> trim_reads(const genome::Task& task, Files& files) {
  TRY_ASSIGN(const SamHeader in, files.read_sam_header());
  const genome::Selection& selection = task.selection;
  TRY_ASSIGN(FieldChoice choice, FieldChoice::make(selection));
  TRY_ASSIGN(Places places,
             places_of(task, [&](const char* name) { return ::sam_hdr_name2tid(in.get(), name); }));
  SamHeader clean;
  if (!selection.keep_header) {
    TRY_ASSIGN(clean, scrubbed(in.get(), selection.sample));
  }
  sam_hdr_t* out = clean ? clean.get() : in.get();
  TRY(open_reads_output(files, task.output));
  if (::sam_hdr_write(files.output(), out) != 0) return fail(Code::kIo, "writing the header");
  genome::TrimReport report;
  if (!selection.header_only) {
    const ReadRules rules{std::move(places), std::move(choice), selection.keep_mates};
    TRY_ASSIGN(report.records_written, copy_reads(files, in.get(), out, rules));
  }
  report.records_read = files.records();
  TRY(files.close_output());
  return genome::encode_answer(report);
}

Result<Bytes> trim_variants(const genome::Task& task, Files& files) {
  TRY_ASSIGN(const VcfHeader in, files.read_vcf_header());
  TRY_ASSIGN(const Places places,
             places_of(task, [&](const char* name) { return ::bcf_hdr_name2id(in.get(), name); }));
  VcfHeader clean;
  if (!task.selection.keep_header) {
    TRY_ASSIGN(clean, scrubbed(in.get(), task.selection.sample));
  }
  bcf_hdr_t* out = clean ? clean.get() : in.get();
  TRY(open_variants_output(files, task.output));
  if (::bcf_hdr_write(files.output(), out) != 0) return fail(Code::kIo, "writing the header");
  // In blocks of its own, as the headers of the other formats are: it can be given by itself.
  if (task.output == Output::kBcf && ::bgzf_flush(files.output()->fp.bgzf) != 0) {
    return fail(Code::kIo, "writing the header");
  }
  const VcfRecord record(::bcf_init());
  genome::TrimReport report;
  while (!task.selection.header_only) {
    TRY_ASSIGN(const bool more, files.next(in.get(), record.get()));
    if (!more) break;
    const std::int64_t span = std::max<std::int64_t>(record->rlen, 1);
    if (!places.overlaps(record->rid, record->pos, record->pos + span)) continue;
    // What a text file did not declare got a number while it was read, unknown to `out`.
    if (clean && ::bcf_translate(out, in.get(), record.get()) != 0) {
      return fail(Code::kCorrupt, "record " + std::to_string(files.records()) +
                                      " uses what its header does not declare");
    }
    if (::bcf_write(files.output(), out, record.get()) != 0) {
      return fail(Code::kCorrupt, not_written(files.records()));
    }
    ++report.records_written;
  }
  report.records_read = files.records();
  TRY(files.close_output());
  return genome::encode_answer(report);
}

}  // namespace warifu::genome_helper
