// What the sandboxed process is asked, what it answers, and their encoding.
//
// The process is started for one task and reads one file. Its answer is a stranger's word: every
// length is bounded here, and what follows from it is checked by whoever acts on it.
//   task  := version u8, operation u8, fields in the order of Task
//   answer := 0x00, code u8, text (an error) | 0x01, report of the operation
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "genome/header.h"
#include "genome/index.h"
#include "secret/wiped.h"

namespace warifu::genome {

inline constexpr std::size_t kMaxRegions = 10'000;
inline constexpr std::size_t kMaxSites = 100'000;
inline constexpr std::size_t kMaxTags = 1'000;
inline constexpr std::size_t kMaxTaskBytes = 32U << 20U;
inline constexpr std::size_t kMaxAnswerBytes = 256U << 20U;

enum class Operation : std::uint8_t {
  kInspect = 1,
  kDigest = 2,   // of all records in canonical form
  kIndex = 3,    // the index to the output
  kReslice = 4,  // CRAM 3.0 to the output
  kTrim = 5,     // the records of some regions to the output
  kPileup = 6,   // bases at some sites
};

// What a task writes.
enum class Output : std::uint8_t { kBam, kCram, kVcf, kVcfGz, kBcf };
[[nodiscard]] std::optional<Output> output_of_name(std::string_view name);  // "bam", "vcf.gz"
[[nodiscard]] std::string_view output_name(Output output);

// By name, 0-based, half open; "*" are the reads without a position.
struct NamedRegion {
  std::string reference;
  std::int64_t start = 0;
  std::int64_t end = kEndOfReference;
};

// What of the records and the header is given on; the selections as htsget 1.3 defines them.
struct Selection {
  bool header_only = false;
  std::optional<std::vector<std::string>> fields;  // SAM names; none: all
  std::optional<std::vector<std::string>> tags;    // only these; none: all
  std::vector<std::string> notags;                 // without these
  bool keep_mates = false;        // else RNEXT, PNEXT, TLEN and tags that tell of places outside go
  bool keep_header = false;       // else command lines, paths, comments and names of samples go
  std::string sample = "sample";  // in the place of the samples' names
};

struct Site {
  std::string reference;
  std::int64_t position = 0;
};

struct Task {
  Operation operation = Operation::kInspect;
  std::string name;       // of the input, for messages
  std::string reference;  // FASTA with a .fai, for CRAM that needs one; empty: none
  std::uint32_t threads = 1;
  std::uint64_t memory_bytes = 3ULL << 30U;
  std::uint64_t processor_seconds = 120;
  std::array<Byte, 32> digest_key{};          // kDigest
  IndexKind index_kind = IndexKind::kCrai;    // kIndex
  std::uint32_t reads_per_slice = 1000;       // kReslice
  Output output = Output::kBam;               // kTrim
  std::vector<NamedRegion> regions;           // kTrim
  Selection selection;                        // kTrim
  std::vector<Site> sites;                    // kPileup
  std::uint8_t least_mapping_quality = 20;    // kPileup
  std::uint8_t least_base_quality = 13;       // kPileup
  std::uint32_t most_reads_per_site = 2'000;  // kPileup
};

struct ReadGroup {
  std::string id;
  std::string sample;
  std::string platform;
};

struct Inspection {
  std::string format;   // "CRAM", "BAM", "SAM", "VCF", "BCF"
  std::string version;  // "3.0"
  std::string compression;
  std::string sorted;    // "coordinate", "queryname", "unsorted": by the records, not by the header
  std::string assembly;  // "GRCh37", "GRCh38"; empty: unknown
  std::vector<Reference> references;
  std::vector<ReadGroup> read_groups;
  std::vector<std::string> samples;  // of variants
  std::uint64_t records = 0;
  std::uint64_t mapped = 0;
  std::uint64_t unplaced = 0;
  bool counted = false;  // false: the records were not read
};

struct RecordDigest {
  std::uint64_t records = 0;
  std::array<Byte, 32> digest{};  // BLAKE2b under digest_key
  auto operator<=>(const RecordDigest&) const = default;
};

struct TrimReport {
  std::uint64_t records_read = 0;
  std::uint64_t records_written = 0;
};

// One read's word about a site.
struct Observation {
  enum Base : std::uint8_t { kA, kC, kG, kT, kOther, kDeletion };
  std::uint8_t base = kOther;
  std::uint8_t base_quality = 0;
  std::uint8_t mapping_quality = 0;
  bool reverse = false;
  std::int16_t inserted = 0;  // bases behind this one; negative: deleted
};
struct SitePileup {
  secret::Wiped<Observation> reads;  // each fragment once: of two mates the better base
  std::uint32_t left_out = 0;        // beyond most_reads_per_site
};

[[nodiscard]] Bytes encode_task(const Task& task);
[[nodiscard]] Result<Task> parse_task(ByteView bytes);

[[nodiscard]] Bytes encode_error(const Error& error);
[[nodiscard]] Bytes encode_answer(const Inspection& report);
[[nodiscard]] Bytes encode_answer(const RecordDigest& report);
[[nodiscard]] Bytes encode_answer(const TrimReport& report);
[[nodiscard]] Bytes encode_answer(const std::vector<SitePileup>& report);
// Errors: the one that the answer tells; kProtocol when it is none.
[[nodiscard]] Result<Inspection> parse_inspection(ByteView answer);
[[nodiscard]] Result<RecordDigest> parse_digest(ByteView answer);
[[nodiscard]] Result<TrimReport> parse_trim_report(ByteView answer);
[[nodiscard]] Result<std::vector<SitePileup>> parse_pileup(ByteView answer);

}  // namespace warifu::genome
