// What a file is: format, references, read groups, order, number of records.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "genome_helper/operations.h"

namespace warifu::genome_helper {
namespace {

using genome::Inspection;

constexpr std::size_t kMaxNamed = 100'000;

// Chromosome 1 tells the assemblies apart, by length and by M5 (GRC's sequences, upper case);
// chromosome 20 does for files that hold only that one.
struct Landmark {
  const char* chromosome;
  std::int64_t length;
  const char* md5;
  const char* assembly;
};
constexpr std::array<Landmark, 8> kLandmarks = {{
    {"1", 249250621, "1b22b98cdeb4a9304cb5d48026a85128", "GRCh37"},
    {"1", 248956422, "6aef897c3d6ff0c78aff06ac189178dd", "GRCh38"},
    {"2", 243199373, "a0d9851da00400dec1098a9255ac712e", "GRCh37"},
    {"2", 242193529, "f98db672eb0993dcfdabafe2a882905c", "GRCh38"},
    {"20", 63025520, "0dec9660ec1efaaf33281c0d5ea2560f", "GRCh37"},
    {"20", 64444167, "b18e6c531b0bd70e949a7fc20859cb01", "GRCh38"},
    {"X", 155270560, "7e0e2e580297b7764e31dbc80c2540dd", "GRCh37"},
    {"X", 156040895, "2b3a55ff7f58eb308420c8a9b11cac50", "GRCh38"},
}};

std::string_view plain_name(std::string_view name) {
  return name.starts_with("chr") ? name.substr(3) : name;
}

// By M5 where the file has one, else by length; said only when all landmarks agree.
std::string guess_assembly(const std::vector<genome::Reference>& references) {
  std::string guess;
  for (const genome::Reference& reference : references) {
    for (const Landmark& landmark : kLandmarks) {
      const bool same = plain_name(reference.name) == landmark.chromosome &&
                        (reference.md5.empty() ? reference.length == landmark.length
                                               : reference.md5 == landmark.md5);
      if (!same) continue;
      if (!guess.empty() && guess != landmark.assembly) return {};
      guess = landmark.assembly;
    }
  }
  return guess;
}

std::string field_of(const std::string& line, const char* key) {
  const std::string mark = std::string("\t") + key + ":";
  const std::size_t at = line.find(mark);
  if (at == std::string::npos) return {};
  const std::size_t start = at + mark.size();
  return line.substr(start, line.find('\t', start) - start);
}

void read_sam_header(sam_hdr_t* header, Inspection& report) {
  const int number = ::sam_hdr_nref(header);
  for (int i = 0; i < number; ++i) {
    genome::Reference reference;
    const char* name = ::sam_hdr_tid2name(header, i);
    reference.name = name == nullptr ? "" : name;
    reference.length = ::sam_hdr_tid2len(header, i);
    kstring_t text = KS_INITIALIZE;
    if (::sam_hdr_find_tag_id(header, "SQ", "SN", reference.name.c_str(), "M5", &text) == 0) {
      reference.md5 = std::string(text.s, text.l);
    }
    ::ks_free(&text);
    std::ranges::transform(reference.md5, reference.md5.begin(), [](unsigned char c) {
      return static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c);
    });
    report.references.push_back(std::move(reference));
  }
  const int groups = ::sam_hdr_count_lines(header, "RG");
  for (int i = 0; i < groups && static_cast<std::size_t>(i) < kMaxNamed; ++i) {
    kstring_t text = KS_INITIALIZE;
    if (::sam_hdr_find_line_pos(header, "RG", i, &text) == 0) {
      const std::string line(text.s, text.l);
      report.read_groups.push_back(
          {field_of(line, "ID"), field_of(line, "SM"), field_of(line, "PL")});
    }
    ::ks_free(&text);
  }
}

void read_vcf_header(bcf_hdr_t* header, Inspection& report) {
  for (int i = 0; i < header->n[BCF_DT_CTG]; ++i) {
    genome::Reference reference;
    if (header->id[BCF_DT_CTG][i].key != nullptr) reference.name = header->id[BCF_DT_CTG][i].key;
    if (header->id[BCF_DT_CTG][i].val != nullptr) {
      reference.length = static_cast<std::int64_t>(header->id[BCF_DT_CTG][i].val->info[0]);
    }
    report.references.push_back(std::move(reference));
  }
  for (int i = 0; i < bcf_hdr_nsamples(header) && static_cast<std::size_t>(i) < kMaxNamed; ++i) {
    report.samples.emplace_back(header->samples[i]);
  }
}

// Whether places never go back, reads without one last.
class Order {
 public:
  void add(std::int64_t reference, std::int64_t position) {
    const auto rank = reference < 0 ? std::numeric_limits<std::int64_t>::max() : reference;
    if (rank < reference_ || (rank == reference_ && position < position_)) sorted_ = false;
    reference_ = rank;
    position_ = position;
  }
  [[nodiscard]] bool sorted() const { return sorted_; }

 private:
  std::int64_t reference_ = -1;
  std::int64_t position_ = -1;
  bool sorted_ = true;
};

Result<> count_reads(Files& files, Inspection& report) {
  TRY_ASSIGN(const SamHeader header, files.read_sam_header());
  read_sam_header(header.get(), report);
  // Names and places are enough, and need no reference.
  if (::hts_get_format(files.input())->format == cram &&
      ::hts_set_opt(files.input(), CRAM_OPT_REQUIRED_FIELDS,
                    SAM_QNAME | SAM_FLAG | SAM_RNAME | SAM_POS | SAM_MAPQ) != 0) {
    return fail(Code::kIo, "htslib refuses to read a part of the fields");
  }
  const Record record(::bam_init1());
  Order order;
  bool by_name = true;
  std::string last;
  for (;;) {
    TRY_ASSIGN(const bool more, files.next(header.get(), record.get()));
    if (!more) break;
    order.add(record->core.tid, record->core.pos);
    if (by_name) {
      const std::string name = bam_get_qname(record.get());
      by_name = last <= name;
      last = name;
    }
    if ((record->core.flag & BAM_FUNMAP) == 0) ++report.mapped;
    if (record->core.tid < 0) ++report.unplaced;
  }
  report.sorted = order.sorted() ? "coordinate" : by_name ? "queryname" : "unsorted";
  return {};
}

Result<> count_variants(Files& files, Inspection& report) {
  TRY_ASSIGN(const VcfHeader header, files.read_vcf_header());
  read_vcf_header(header.get(), report);
  const VcfRecord record(::bcf_init());
  Order order;
  for (;;) {
    TRY_ASSIGN(const bool more, files.next(header.get(), record.get()));
    if (!more) break;
    order.add(record->rid, record->pos);
  }
  report.sorted = order.sorted() ? "coordinate" : "unsorted";
  report.mapped = files.records();
  return {};
}

}  // namespace

Result<Bytes> inspect(const genome::Task&, Files& files) {
  Inspection report;
  const htsFormat* format = ::hts_get_format(files.input());
  report.format = ::hts_format_file_extension(format);
  std::ranges::transform(report.format, report.format.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  });
  if (format->version.major >= 0) {
    report.version = std::to_string(format->version.major);
    if (format->version.minor >= 0) report.version += "." + std::to_string(format->version.minor);
  }
  report.compression = format->compression == bgzf     ? "bgzf"
                       : format->compression == gzip   ? "gzip"
                       : format->compression == custom ? "own"
                                                       : "none";
  TRY(files.kind() == Kind::kReads ? count_reads(files, report) : count_variants(files, report));
  report.records = files.records();
  report.counted = true;
  report.assembly = guess_assembly(report.references);
  return genome::encode_answer(report);
}

}  // namespace warifu::genome_helper
