// Synthesis of a person's SNPs and the truth file that lists them.
#include "person.h"

#include <htslib/bgzf.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "error.h"
#include "random.h"

namespace warifu::make_cram {
namespace {

constexpr double kMeanDistance = 1000.0;
constexpr double kHeterozygous = 0.6;
constexpr double kTransition = 2.0 / 3.0;  // the usual 2:1 of human genomes

char transition_of(char base) {
  switch (base) {
    case 'A': return 'G';
    case 'G': return 'A';
    case 'C': return 'T';
    default: return 'C';
  }
}

char alternative_of(char base, Random& random) {
  const double kind = random.uniform();
  const bool second = (random.next() >> 63U) != 0;
  if (kind <= kTransition) return transition_of(base);
  const bool purine = base == 'A' || base == 'G';
  if (purine) return second ? 'C' : 'T';
  return second ? 'A' : 'G';
}

class SitesFile {
 public:
  SitesFile(const std::string& path, bool compress)
      : path_(path), file_(bgzf_open(path.c_str(), compress ? "w" : "wu")) {
    if (file_ == nullptr) fail("sites {}: cannot create it: {}", path_, describe_errno(errno));
  }
  SitesFile(const SitesFile&) = delete;
  SitesFile& operator=(const SitesFile&) = delete;
  ~SitesFile() {
    if (file_ != nullptr) bgzf_close(file_);
  }

  void write(std::string_view text) {
    errno = 0;
    const ssize_t written = bgzf_write(file_, text.data(), text.size());
    if (written < 0 || static_cast<std::size_t>(written) != text.size()) broken();
  }

  void close() {
    errno = 0;
    if (bgzf_close(std::exchange(file_, nullptr)) != 0) broken();
  }

 private:
  [[noreturn]] void broken() const {
    fail("sites {}: write failed: {}", path_, describe_errno(errno));
  }

  std::string path_;
  BGZF* file_;
};

const char* genotype(std::uint8_t haplotypes) {
  switch (haplotypes) {
    case 1: return "1|0";
    case 2: return "0|1";
    default: return "1|1";
  }
}

}  // namespace

Person make_person(const Contig& contig, std::uint64_t seed) {
  Random random(seed, Stream::kPerson);
  Person person;
  const auto length = static_cast<double>(contig.sequence.size());
  double at = random.exponential(kMeanDistance);
  while (at < length) {
    Variant variant;
    variant.position = static_cast<std::int64_t>(at);
    variant.reference = contig.sequence[static_cast<std::size_t>(variant.position)];
    variant.alternative = alternative_of(variant.reference, random);
    const bool heterozygous = random.uniform() <= kHeterozygous;
    const auto side = static_cast<std::uint8_t>(1U + (random.next() >> 63U));
    variant.haplotypes = heterozygous ? side : std::uint8_t{3};
    const bool known = std::string_view("ACGT").find(variant.reference) != std::string_view::npos;
    const bool repeated = !person.empty() && person.back().position == variant.position;
    if (known && !repeated) person.push_back(variant);
    at += random.exponential(kMeanDistance);
  }
  return person;
}

std::uint64_t write_sites(const Person& person, const Contig& contig, const Layout& layout,
                          const std::string& path, bool compress) {
  SitesFile file(path, compress);
  file.write(
      fmt::format("##fileformat=VCFv4.2\n##source=warifu-make-cram\n"
                  "##contig=<ID={},length={},md5={}>\n"
                  "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"True phased genotype\">\n"
                  "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{}\n",
                  contig.name, contig.sequence.size(), contig.md5, kSampleName));
  std::uint64_t count = 0;
  for (const Variant& variant : person) {
    if (!layout.contains(variant.position)) continue;
    file.write(fmt::format("{}\t{}\t.\t{}\t{}\t.\tPASS\t.\tGT\t{}\n", contig.name,
                           variant.position + 1, variant.reference, variant.alternative,
                           genotype(variant.haplotypes)));
    ++count;
  }
  file.close();
  return count;
}

}  // namespace warifu::make_cram
