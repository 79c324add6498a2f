// From a wish to a task of the process.
#include "control/region_trim.h"

#include "genome/local.h"

namespace warifu::control {
namespace {

bool is_variants(genome::FileKind kind) {
  return kind == genome::FileKind::kVcf || kind == genome::FileKind::kBcf;
}
bool is_variants(genome::Output output) {
  return output != genome::Output::kBam && output != genome::Output::kCram;
}

}  // namespace

genome::Output usual_output(genome::FileKind kind) {
  switch (kind) {
    case genome::FileKind::kCram: return genome::Output::kCram;
    case genome::FileKind::kBam: return genome::Output::kBam;
    case genome::FileKind::kVcf: return genome::Output::kVcfGz;
    case genome::FileKind::kBcf: return genome::Output::kBcf;
  }
  return genome::Output::kBam;
}

Result<genome::Output> output_for(const std::string& format, genome::FileKind kind) {
  if (format.empty()) return usual_output(kind);
  if (format == kViewFormat && kind == genome::FileKind::kCram) return genome::Output::kBam;
  if (format == kViewFormat) return usual_output(kind);
  const auto output = genome::output_of_name(format);
  if (output && is_variants(*output) == is_variants(kind)) return *output;
  return fail(Code::kInvalidArgument,
              "format '" + format + "' must be " +
                  (is_variants(kind) ? "vcf, vcf.gz or bcf" : "bam or cram") + " for a file of " +
                  std::string(genome::file_kind_name(kind)));
}

Result<genome::TrimReport> trim(const TrimWish& wish, ChunkWindow& window, const PlainSink& sink) {
  genome::Task task;
  task.operation = genome::Operation::kTrim;
  task.name = wish.name;
  task.reference = wish.reference;
  task.output = wish.output;
  // Records are given unchanged; whose they are and by which commands they were made is not.
  task.selection.keep_mates = true;
  for (const consent::Region& region : wish.regions.regions) {
    task.regions.push_back({region.reference, std::int64_t{region.start} - 1, region.end});
  }
  TRY_ASSIGN(const genome::TrimReport report,
             genome::trim_cut(
                 wish.cut,
                 [&](std::uint64_t offset, MutableBytes out) { return window.read(offset, out); },
                 task, sink, {}));
  TRY(window.finish());
  return report;
}

}  // namespace warifu::control
