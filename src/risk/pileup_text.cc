// samtools' pileup text, column 5 letter by letter: . , match; ACGTN acgtn mismatch; * # deleted; <
// > skipped; ^Q begins a read, $ ends one, +nSEQ and -nSEQ are insertions and deletions after this
// base.
#include <charconv>

#include "risk/site_counts.h"

namespace warifu::risk {
namespace {

std::unexpected<Error> wrong(std::size_t line, const std::string& why) {
  return fail(Code::kInvalidArgument, "pileup, line " + std::to_string(line) + ": " + why);
}

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  for (;;) {
    const std::size_t tab = line.find('\t');
    columns.push_back(line.substr(0, tab));
    if (tab == std::string_view::npos || columns.size() > 16) return columns;
    line.remove_prefix(tab + 1);
  }
}

// Bases in the order of their qualities. An empty result: the column is not well formed.
secret::Wiped<Observation> bases_of(std::string_view column, char reference) {
  secret::Wiped<Observation> bases;
  for (std::size_t at = 0; at < column.size(); ++at) {
    const char letter = column[at];
    if (letter == '^') {
      ++at;  // the read's mapping quality
      continue;
    }
    if (letter == '$') continue;
    if (letter == '+' || letter == '-') {
      std::size_t length = 0;
      const char* const end = column.data() + column.size();
      const auto [after, bad] = std::from_chars(column.data() + at + 1, end, length);
      if (bad != std::errc() || length > static_cast<std::size_t>(end - after)) return {};
      at = static_cast<std::size_t>(after - column.data()) + length - 1;
      continue;
    }
    Observation one;
    one.is_reverse =
        letter == ',' || letter == '<' || letter == '#' || (letter >= 'a' && letter <= 'z');
    const char shown = letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 32) : letter;
    one.base = letter == '.' || letter == ','             ? reference
               : std::string_view("ACGT").contains(shown) ? shown
                                                          : 'N';
    if (!std::string_view(".,ACGTNacgtn*#<>").contains(letter)) return {};
    bases.push_back(one);
    if (bases.size() > kMaxPileupDepth) return {};
  }
  return bases;
}

Result<SiteCounts> site_of(std::string_view line, std::size_t number, std::uint8_t mapq) {
  const auto columns = columns_of(line);
  if (columns.size() < 6 || columns.size() > 7) return wrong(number, "must have 6 or 7 columns");
  SiteCounts site;
  site.chromosome = columns[0];
  const std::string_view position = columns[1];
  const auto [end, bad] =
      std::from_chars(position.data(), position.data() + position.size(), site.position);
  if (bad != std::errc() || end != position.data() + position.size() || site.position == 0) {
    return wrong(number, "'" + std::string(position.substr(0, 20)) + "' is no position");
  }
  if (columns[2].size() != 1) return wrong(number, "the reference base must be one letter");
  const char reference = columns[2][0];
  site.reference =
      reference >= 'a' && reference <= 'z' ? static_cast<char>(reference - 32) : reference;
  if (columns[3] == "0") return site;
  site.observations = bases_of(columns[4], site.reference);
  const bool has_mapping = columns.size() == 7;
  if (site.observations.size() != columns[5].size() ||
      (has_mapping && columns[6].size() != columns[5].size())) {
    return wrong(number, "bases and qualities are not equally many");
  }
  const auto phred = [](char letter) {
    return static_cast<std::uint8_t>(letter >= '!' ? letter - '!' : 0);
  };
  for (std::size_t at = 0; at < site.observations.size(); ++at) {
    site.observations[at].base_quality = phred(columns[5][at]);
    site.observations[at].mapping_quality = has_mapping ? phred(columns[6][at]) : mapq;
  }
  return site;
}

}  // namespace

std::string plain_chromosome(std::string_view name) {
  if (name.size() > 3 &&
      (name.starts_with("chr") || name.starts_with("Chr") || name.starts_with("CHR"))) {
    name.remove_prefix(3);
  }
  return name == "M" ? "MT" : std::string(name);
}

Result<std::vector<SiteCounts>> parse_pileup(std::string_view text, std::uint8_t mapping_quality) {
  std::vector<SiteCounts> sites;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    if (sites.size() >= kMaxPileupSites) return wrong(number, "too many sites");
    TRY_ASSIGN(SiteCounts site, site_of(line, number, mapping_quality));
    sites.push_back(std::move(site));
  }
  return sites;
}

}  // namespace warifu::risk
