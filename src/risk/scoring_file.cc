// The header, the names of the columns, then row by row.
#include "risk/scoring_file.h"

#include <cmath>
#include <map>
#include <set>

#include "risk/gzip.h"
#include "risk/scoring_values.h"
#include "risk/site_counts.h"

namespace warifu::risk {
namespace {

std::unexpected<Error> wrong(std::size_t line, const std::string& why) {
  return fail(Code::kInvalidArgument, "scoring file, line " + std::to_string(line) + ": " + why);
}

std::string shown(std::string_view text) {
  return "'" + std::string(text.substr(0, 40)) + "'";
}

void read_header(std::string_view line, ScoringHeader& header) {
  while (line.starts_with('#')) line.remove_prefix(1);
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  const std::string key(line.substr(0, equals));
  const std::string value = fields_of(line.substr(equals + 1)).front();
  const std::map<std::string_view, std::string*> known = {{"pgs_id", &header.pgs_id},
                                                          {"pgs_name", &header.pgs_name},
                                                          {"trait_reported", &header.trait},
                                                          {"trait_efo", &header.trait_efo},
                                                          {"genome_build", &header.genome_build},
                                                          {"HmPOS_build", &header.harmonised_build},
                                                          {"weight_type", &header.weight_type},
                                                          {"citation", &header.citation},
                                                          {"license", &header.licence}};
  if (const auto found = known.find(key); found != known.end()) *found->second = value;
  if (key == "variants_number") header.variants = position_of(value).value_or(0);
}

class Row {
 public:
  Row(const std::map<std::string, std::size_t>& columns, const std::vector<std::string>& fields,
      std::size_t line)
      : columns_(columns), fields_(fields), line_(line) {}

  [[nodiscard]] std::string_view text(const char* column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() || found->second >= fields_.size()
               ? std::string_view()
               : std::string_view(fields_[found->second]);
  }
  [[nodiscard]] Result<double> number(const char* column) const {
    const auto value = number_of_text(text(column));
    if (!value)
      return wrong(line_, std::string(column) + " " + shown(text(column)) + " is no number");
    return *value;
  }
  [[nodiscard]] Result<bool> truth(const char* column) const {
    const auto value = truth_of(text(column));
    if (!value)
      return wrong(line_,
                   std::string(column) + " " + shown(text(column)) + " is not true or false");
    return *value;
  }
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  const std::map<std::string, std::size_t>& columns_;
  const std::vector<std::string>& fields_;
  std::size_t line_;
};

char single_base(std::string_view allele) {
  if (allele.size() != 1) return 'N';
  const char base = static_cast<char>(allele[0] & ~0x20);
  return std::string_view("ACGT").contains(base) ? base : 'N';
}

// What single bases cannot tell.
Result<> refuse_what_needs_more(const Row& row, const ScoringHeader& header) {
  for (const char* const column : {"is_haplotype", "is_diplotype", "is_interaction"}) {
    TRY_ASSIGN(const bool is_set, row.truth(column));
    if (!is_set) continue;
    return fail(Code::kRefused,
                "scoring file " + header.pgs_id + ", line " + std::to_string(row.line()) + ": " +
                    column + " (effect allele " + shown(row.text("effect_allele")) +
                    ") needs phased or combined genotypes, which are not computed; the score is "
                    "refused rather than computed in part");
  }
  return {};
}

Result<double> weight_of(const Row& row, const char* column) {
  TRY_ASSIGN(const double weight, row.number(column));
  if (std::abs(weight) <= kMaxWeight) return weight;
  return wrong(row.line(), std::string(column) + " " + shown(row.text(column)) +
                               " is larger than a weight may be (1e9)");
}

Result<> read_weights(const Row& row, ScoringVariant& variant) {
  if (!row.text("dosage_0_weight").empty() || !row.text("dosage_1_weight").empty() ||
      !row.text("dosage_2_weight").empty()) {
    variant.effect = Effect::kPerDosage;
    TRY_ASSIGN(variant.weights[0], weight_of(row, "dosage_0_weight"));
    TRY_ASSIGN(variant.weights[1], weight_of(row, "dosage_1_weight"));
    TRY_ASSIGN(variant.weights[2], weight_of(row, "dosage_2_weight"));
    return {};
  }
  TRY_ASSIGN(const bool is_dominant, row.truth("is_dominant"));
  TRY_ASSIGN(const bool is_recessive, row.truth("is_recessive"));
  if (is_dominant && is_recessive) return wrong(row.line(), "dominant and recessive at once");
  TRY_ASSIGN(const double weight, weight_of(row, "effect_weight"));
  variant.effect = is_dominant    ? Effect::kDominant
                   : is_recessive ? Effect::kRecessive
                                  : Effect::kAdditive;
  variant.weights = {0, is_recessive ? 0 : weight,
                     is_dominant || is_recessive ? weight : 2 * weight};
  return {};
}

Result<> read_place(const Row& row, bool is_harmonised, ScoringVariant& variant) {
  const char* const column = is_harmonised ? "hm_pos" : "chr_position";
  const std::string_view chromosome = row.text(is_harmonised ? "hm_chr" : "chr_name");
  const std::string_view position = row.text(column);
  if (chromosome.empty() || position.empty() || position == "NA" || chromosome == "NA") return {};
  if (chromosome.size() > 32) return wrong(row.line(), "no chromosome: " + shown(chromosome));
  const auto value = position_of(position);
  if (!value)
    return wrong(row.line(), std::string(column) + " " + shown(position) + " is no position");
  variant.chromosome = plain_chromosome(chromosome);
  variant.position = *value;
  return {};
}

Result<ScoringVariant> variant_of(const Row& row, const ScoringHeader& header, bool is_harmonised) {
  TRY(refuse_what_needs_more(row, header));
  ScoringVariant variant;
  variant.line = row.line();
  variant.rs_id = row.text("rsID") == "." ? "" : row.text("rsID");
  if (row.text("effect_allele").empty()) return wrong(row.line(), "effect_allele is missing");
  variant.effect_allele = single_base(row.text("effect_allele"));
  const std::string_view inferred = row.text("hm_inferOtherAllele");
  const std::string_view other = row.text("other_allele");
  variant.other_allele = single_base(other.empty() ? inferred : other);
  if (!other.empty() && variant.other_allele == 'N') variant.effect_allele = 'N';  // an indel
  if (variant.effect_allele != 'N' && variant.effect_allele == variant.other_allele) {
    return wrong(row.line(), "effect_allele and other_allele are the same");
  }
  const auto complement_of = [](char base) {
    return base == 'A' ? 'T' : base == 'T' ? 'A' : base == 'C' ? 'G' : base == 'G' ? 'C' : 'N';
  };
  variant.is_ambiguous =
      variant.effect_allele != 'N' && complement_of(variant.effect_allele) == variant.other_allele;
  TRY(read_weights(row, variant));
  TRY(read_place(row, is_harmonised, variant));
  const std::string_view frequency = row.text("allelefrequency_effect");
  if (!frequency.empty() && frequency != "NA") {
    TRY_ASSIGN(const double value, row.number("allelefrequency_effect"));
    if (value < 0 || value > 1) return wrong(row.line(), "a frequency must be between 0 and 1");
    variant.frequency = value;
  }
  return variant;
}

Result<std::map<std::string, std::size_t>> columns_of(std::string_view line, std::size_t number) {
  std::map<std::string, std::size_t> columns;
  const std::vector<std::string> names = fields_of(line);
  for (std::size_t at = 0; at < names.size(); ++at) {
    if (names[at].empty()) continue;  // tabs at the end
    if (!columns.emplace(names[at], at).second) {
      return wrong(number, "column " + shown(names[at]) + " is there twice");
    }
  }
  const bool has_weight = columns.contains("effect_weight") || columns.contains("dosage_0_weight");
  if (!columns.contains("effect_allele") || !has_weight) {
    return wrong(number,
                 "the columns must have effect_allele and effect_weight (or dosage_0_weight)");
  }
  return columns;
}

Result<Assembly> assembly_of(const ScoringHeader& header, bool is_harmonised,
                             std::optional<Assembly> assumed) {
  const std::string& build = is_harmonised ? header.harmonised_build : header.genome_build;
  if (!build.empty() && build != "NR") {
    auto known = parse_assembly(build);
    if (!known) return fail_in("scoring file, genome_build", known.error());
    if (assumed && *assumed != *known) {
      return fail(Code::kInvalidArgument, "scoring file: its positions are of " +
                                              std::string(assembly_name(*known)) + ", not of " +
                                              std::string(assembly_name(*assumed)));
    }
    return *known;
  }
  if (assumed) return *assumed;
  return fail(Code::kInvalidArgument,
              "scoring file: it does not say of which assembly its positions are (genome_build "
              "NR); say it with --build, or take the harmonised file");
}

void count(const ScoringVariant& variant, std::set<std::string>& places, ScoringFile& file) {
  if (variant.position == 0) ++file.without_position;
  if (variant.effect_allele == 'N') ++file.not_single_base;
  if (variant.is_ambiguous) ++file.ambiguous;
  if (variant.position == 0) return;
  const std::string place =
      variant.chromosome + ":" + std::to_string(variant.position) + ":" + variant.effect_allele;
  if (!places.insert(place).second) ++file.duplicates;
}

}  // namespace

Result<ScoringFile> parse_scoring_file(ByteView bytes, std::optional<Assembly> assumed) {
  auto unpacked = unpacked_text(bytes, kMaxScoringBytes);
  if (!unpacked) return fail_in("scoring file", unpacked.error());
  std::string_view text = *unpacked;
  ScoringFile file;
  std::map<std::string, std::size_t> columns;
  std::set<std::string> places;
  bool is_harmonised = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.size() > kMaxScoringLine) return wrong(number, "longer than a line may be");
    if (line.starts_with('#')) {
      if (columns.empty()) read_header(line, file.header);
      continue;
    }
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (columns.empty()) {
      TRY_ASSIGN(columns, columns_of(line, number));
      is_harmonised = columns.contains("hm_pos") && !file.header.harmonised_build.empty();
      continue;
    }
    const std::vector<std::string> fields = fields_of(line);
    TRY_ASSIGN(ScoringVariant variant,
               variant_of(Row(columns, fields, number), file.header, is_harmonised));
    if (file.variants.size() >= kMaxScoringVariants) return wrong(number, "too many variants");
    count(variant, places, file);
    file.variants.push_back(std::move(variant));
  }
  if (file.variants.empty())
    return fail(Code::kInvalidArgument, "scoring file: it has no variants");
  TRY_ASSIGN(file.assembly, assembly_of(file.header, is_harmonised, assumed));
  return file;
}

}  // namespace warifu::risk
