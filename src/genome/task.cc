// Encoding and parsing, field by field.
#include "genome/task.h"

#include <algorithm>

#include "base/reason.h"
#include "wire/wire.h"

namespace warifu::genome {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxGroups = 100'000;
constexpr std::size_t kMaxReadsAnswered = 100'000;

struct OutputName {
  Output output;
  std::string_view name;
};
constexpr std::array<OutputName, 5> kOutputs = {{{Output::kBam, "bam"},
                                                 {Output::kCram, "cram"},
                                                 {Output::kVcf, "vcf"},
                                                 {Output::kVcfGz, "vcf.gz"},
                                                 {Output::kBcf, "bcf"}}};

std::size_t take_count(wire::Reader& in, std::size_t most, std::size_t each) {
  const std::size_t number = in.u32();
  if (number > most || number > in.remaining() / each) in.reject("an impossible count");
  return in.good() ? number : 0;
}

void put_texts(wire::Writer& out, const std::vector<std::string>& texts) {
  out.u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) out.text(text);
}

std::vector<std::string> take_texts(wire::Reader& in, std::size_t most) {
  std::vector<std::string> texts(take_count(in, most, 2));
  for (std::string& text : texts) text = in.text(kMaxText);
  return texts;
}

void put_choice(wire::Writer& out, const std::optional<std::vector<std::string>>& choice) {
  out.u8(choice ? 1 : 0);
  if (choice) put_texts(out, *choice);
}

std::optional<std::vector<std::string>> take_choice(wire::Reader& in) {
  if (in.u8() == 0) return std::nullopt;
  return take_texts(in, kMaxTags);
}

std::array<Byte, 32> take_digest(wire::Reader& in) {
  std::array<Byte, 32> digest{};
  const ByteView raw = in.raw(digest.size());
  if (raw.size() == digest.size()) copy_bytes(digest, raw);
  return digest;
}

wire::Writer begin_answer() {
  wire::Writer out;
  out.u8(1);
  return out;
}

// What follows the first byte of a good answer.
Result<wire::Reader> open_answer(ByteView answer) {
  wire::Reader in(answer, "the answer of the process that reads the file");
  if (answer.size() > kMaxAnswerBytes) in.reject("too long");
  if (in.u8() != 0) {
    TRY(in.check());
    return in;
  }
  const Code code = code_from_number(in.u8());
  const std::string text = in.text(kMaxText);
  TRY(in.finish());
  return std::unexpected(error_of_text(code, text));
}

template <typename Enum>
Enum take_enum(wire::Reader& in, Enum last) {
  const auto number = in.u8();
  if (number > static_cast<std::uint8_t>(last)) in.reject("an unknown choice");
  return static_cast<Enum>(number);
}

}  // namespace

std::optional<Output> output_of_name(std::string_view name) {
  const auto found = std::ranges::find(kOutputs, name, &OutputName::name);
  if (found == kOutputs.end()) return std::nullopt;
  return found->output;
}

std::string_view output_name(Output output) {
  return std::ranges::find(kOutputs, output, &OutputName::output)->name;
}

Bytes encode_task(const Task& task) {
  wire::Writer out;
  out.u8(kVersion);
  out.u8(static_cast<std::uint8_t>(task.operation));
  out.text(task.name);
  out.text(task.reference);
  out.u32(task.threads);
  out.u64(task.memory_bytes);
  out.u64(task.processor_seconds);
  out.raw(task.digest_key);
  out.u8(static_cast<std::uint8_t>(task.index_kind));
  out.u32(task.reads_per_slice);
  out.u8(static_cast<std::uint8_t>(task.output));
  out.u32(static_cast<std::uint32_t>(task.regions.size()));
  for (const NamedRegion& region : task.regions) {
    out.text(region.reference);
    out.i64(region.start);
    out.i64(region.end);
  }
  const Selection& selection = task.selection;
  out.u8(selection.header_only ? 1 : 0);
  put_choice(out, selection.fields);
  put_choice(out, selection.tags);
  put_texts(out, selection.notags);
  out.u8(selection.keep_mates ? 1 : 0);
  out.u8(selection.keep_header ? 1 : 0);
  out.text(selection.sample);
  out.u32(static_cast<std::uint32_t>(task.sites.size()));
  for (const Site& site : task.sites) {
    out.text(site.reference);
    out.i64(site.position);
  }
  out.u8(task.least_mapping_quality);
  out.u8(task.least_base_quality);
  out.u32(task.most_reads_per_site);
  return out.take();
}

Result<Task> parse_task(ByteView bytes) {
  wire::Reader in(bytes, "the task");
  if (in.u8() != kVersion) in.reject("of another version of warifu");
  Task task;
  task.operation = take_enum(in, Operation::kPileup);
  task.name = in.text(kMaxText);
  task.reference = in.text(kMaxText);
  task.threads = in.u32();
  task.memory_bytes = in.u64();
  task.processor_seconds = in.u64();
  task.digest_key = take_digest(in);
  task.index_kind = take_enum(in, IndexKind::kTbi);
  task.reads_per_slice = in.u32();
  task.output = take_enum(in, Output::kBcf);
  task.regions.resize(take_count(in, kMaxRegions, 18));
  for (NamedRegion& region : task.regions) {
    region.reference = in.text(kMaxText);
    region.start = in.i64();
    region.end = in.i64();
  }
  task.selection.header_only = in.u8() != 0;
  task.selection.fields = take_choice(in);
  task.selection.tags = take_choice(in);
  task.selection.notags = take_texts(in, kMaxTags);
  task.selection.keep_mates = in.u8() != 0;
  task.selection.keep_header = in.u8() != 0;
  task.selection.sample = in.text(kMaxText);
  task.sites.resize(take_count(in, kMaxSites, 10));
  for (Site& site : task.sites) {
    site.reference = in.text(kMaxText);
    site.position = in.i64();
  }
  task.least_mapping_quality = in.u8();
  task.least_base_quality = in.u8();
  task.most_reads_per_site = in.u32();
  TRY(in.finish());
  return task;
}

Bytes encode_error(const Error& error) {
  wire::Writer out;
  out.u8(0);
  out.u8(static_cast<std::uint8_t>(error.code));
  out.text(error_text(error, kMaxText - 100));
  return out.take();
}

Bytes encode_answer(const Inspection& report) {
  wire::Writer out = begin_answer();
  for (const std::string* text :
       {&report.format, &report.version, &report.compression, &report.sorted, &report.assembly}) {
    out.text(*text);
  }
  out.u32(static_cast<std::uint32_t>(report.references.size()));
  for (const Reference& reference : report.references) {
    out.text(reference.name);
    out.i64(reference.length);
    out.text(reference.md5);
  }
  const std::size_t groups = std::min(report.read_groups.size(), kMaxGroups);
  out.u32(static_cast<std::uint32_t>(groups));
  for (std::size_t i = 0; i < groups; ++i) {
    out.text(report.read_groups[i].id);
    out.text(report.read_groups[i].sample);
    out.text(report.read_groups[i].platform);
  }
  put_texts(out, report.samples);
  out.u64(report.records);
  out.u64(report.mapped);
  out.u64(report.unplaced);
  out.u8(report.counted ? 1 : 0);
  return out.take();
}

Result<Inspection> parse_inspection(ByteView answer) {
  TRY_ASSIGN(wire::Reader in, open_answer(answer));
  Inspection report;
  for (std::string* text :
       {&report.format, &report.version, &report.compression, &report.sorted, &report.assembly}) {
    *text = in.text(kMaxText);
  }
  report.references.resize(take_count(in, kMaxIndexReferences, 12));
  for (Reference& reference : report.references) {
    reference.name = in.text(kMaxText);
    reference.length = in.i64();
    reference.md5 = in.text(kMaxText);
  }
  report.read_groups.resize(take_count(in, kMaxGroups, 6));
  for (ReadGroup& group : report.read_groups) {
    group.id = in.text(kMaxText);
    group.sample = in.text(kMaxText);
    group.platform = in.text(kMaxText);
  }
  report.samples = take_texts(in, kMaxIndexReferences);
  report.records = in.u64();
  report.mapped = in.u64();
  report.unplaced = in.u64();
  report.counted = in.u8() != 0;
  TRY(in.finish());
  return report;
}

Bytes encode_answer(const RecordDigest& report) {
  wire::Writer out = begin_answer();
  out.u64(report.records);
  out.raw(report.digest);
  return out.take();
}

Result<RecordDigest> parse_digest(ByteView answer) {
  TRY_ASSIGN(wire::Reader in, open_answer(answer));
  RecordDigest report;
  report.records = in.u64();
  report.digest = take_digest(in);
  TRY(in.finish());
  return report;
}

Bytes encode_answer(const TrimReport& report) {
  wire::Writer out = begin_answer();
  out.u64(report.records_read);
  out.u64(report.records_written);
  return out.take();
}

Result<TrimReport> parse_trim_report(ByteView answer) {
  TRY_ASSIGN(wire::Reader in, open_answer(answer));
  TrimReport report;
  report.records_read = in.u64();
  report.records_written = in.u64();
  TRY(in.finish());
  return report;
}

Bytes encode_answer(const std::vector<SitePileup>& report) {
  wire::Writer out = begin_answer();
  out.u32(static_cast<std::uint32_t>(report.size()));
  for (const SitePileup& site : report) {
    out.u32(site.left_out);
    out.u32(static_cast<std::uint32_t>(site.reads.size()));
    for (const Observation& read : site.reads) {
      out.u8(read.base);
      out.u8(read.base_quality);
      out.u8(read.mapping_quality);
      out.u8(read.reverse ? 1 : 0);
      out.u16(static_cast<std::uint16_t>(read.inserted));
    }
  }
  return out.take();
}

Result<std::vector<SitePileup>> parse_pileup(ByteView answer) {
  TRY_ASSIGN(wire::Reader in, open_answer(answer));
  std::vector<SitePileup> report(take_count(in, kMaxSites, 8));
  for (SitePileup& site : report) {
    site.left_out = in.u32();
    site.reads.resize(take_count(in, kMaxReadsAnswered, 6));
    for (Observation& read : site.reads) {
      read.base = in.u8();
      if (read.base > Observation::kDeletion) in.reject("an unknown base");
      read.base_quality = in.u8();
      read.mapping_quality = in.u8();
      read.reverse = in.u8() != 0;
      read.inserted = static_cast<std::int16_t>(in.u16());
    }
  }
  TRY(in.finish());
  return report;
}

}  // namespace warifu::genome
