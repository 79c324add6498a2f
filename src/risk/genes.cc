// Tables, unpacked once, and binary search.
#include "risk/genes.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <map>
#include <set>

#include "base/reason.h"
#include "risk/embedded.h"
#include "risk/gzip.h"

namespace warifu::risk {
namespace {

constexpr std::size_t kMostTableBytes = 8 << 20;

std::string upper(std::string_view text) {
  std::string result(text);
  for (char& letter : result) {
    if (letter >= 'a' && letter <= 'z') letter = static_cast<char>(letter - 'a' + 'A');
  }
  return result;
}

std::string_view next_field(std::string_view& line, char separator) {
  const std::size_t at = line.find(separator);
  const std::string_view field = line.substr(0, at);
  line = at == std::string_view::npos ? std::string_view() : line.substr(at + 1);
  return field;
}

std::uint32_t number(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), value);
  WARIFU_CHECK(bad == std::errc() && end == text.data() + text.size());
  return value;
}

struct Table {
  GeneTableInfo info;
  std::vector<GeneRegion> rows;
  std::multimap<std::string, std::size_t> by_upper;  // symbol in upper case -> row
};

// The program's own bytes: a fault in them is a broken build.
std::string own_text(ByteView bytes) {
  auto text = unpacked_text(bytes, kMostTableBytes);
  WARIFU_CHECK(text.has_value());
  return std::move(*text);
}

Table read_table(ByteView bytes) {
  Table table;
  const std::string text = own_text(bytes);
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = next_field(rest, '\n');
    if (line.starts_with("# source ")) table.info.source = line.substr(9);
    if (line.starts_with("# licence ")) table.info.licence = line.substr(10);
    if (line.starts_with('#') || line.empty()) continue;
    GeneRegion row;
    row.symbol = next_field(line, '\t');
    row.chromosome = next_field(line, '\t');
    row.start = number(next_field(line, '\t'));
    row.end = number(next_field(line, '\t'));
    WARIFU_CHECK(line.size() == 1 && row.start >= 1 && row.start <= row.end);
    row.strand = line[0];
    if (table.rows.empty() || table.rows.back().symbol != row.symbol) ++table.info.symbols;
    table.by_upper.emplace(upper(row.symbol), table.rows.size());
    table.rows.push_back(std::move(row));
  }
  table.info.rows = table.rows.size();
  return table;
}

using Aliases = std::multimap<std::string, std::string>;

Aliases read_aliases() {
  Aliases aliases;
  const std::string text = own_text(embedded_gene_aliases());
  std::string_view rest = text;
  while (!rest.empty()) {
    std::string_view line = next_field(rest, '\n');
    if (line.starts_with('#') || line.empty()) continue;
    const std::string alias(next_field(line, '\t'));
    aliases.emplace(alias, line);
  }
  return aliases;
}

const Aliases& all_aliases() {
  static const Aliases aliases = read_aliases();
  return aliases;
}

const Table& table_of(Assembly assembly) {
  static const Table old_table = read_table(embedded_genes_grch37());
  static const Table new_table = read_table(embedded_genes_grch38());
  return assembly == Assembly::kGrch37 ? old_table : new_table;
}

std::vector<GeneRegion> rows_of(const Table& table, const std::string& key) {
  std::vector<GeneRegion> regions;
  const auto [first, last] = table.by_upper.equal_range(key);
  for (auto row = first; row != last; ++row) regions.push_back(table.rows[row->second]);
  return regions;
}

}  // namespace

Result<Assembly> parse_assembly(std::string_view text) {
  const std::string key = upper(text);
  if (key == "GRCH37" || key == "HG19" || key == "B37") return Assembly::kGrch37;
  if (key == "GRCH38" || key == "HG38") return Assembly::kGrch38;
  return fail(Code::kInvalidArgument,
              "assembly '" + std::string(text.substr(0, 40)) + "' must be GRCh37 or GRCh38",
              Reason::kAssembly);
}

std::string_view assembly_name(Assembly assembly) {
  return assembly == Assembly::kGrch37 ? "GRCh37" : "GRCh38";
}

const GeneTableInfo& gene_table_info(Assembly assembly) {
  return table_of(assembly).info;
}

const std::vector<GeneRegion>& all_genes(Assembly assembly) {
  return table_of(assembly).rows;
}

Result<std::vector<GeneRegion>> resolve(std::string_view name, Assembly assembly) {
  const Aliases& aliases = all_aliases();
  const Table& table = table_of(assembly);
  const std::string key = upper(name);
  std::vector<GeneRegion> regions = rows_of(table, key);
  if (!regions.empty()) return regions;
  std::string meant;
  const auto [first, last] = aliases.equal_range(key);
  for (auto alias = first; alias != last; ++alias) {
    std::vector<GeneRegion> of_alias = rows_of(table, upper(alias->second));
    if (of_alias.empty()) continue;
    meant += (meant.empty() ? "" : ", ") + alias->second;
    if (regions.empty()) {
      regions = std::move(of_alias);
    } else {
      regions.insert(regions.end(), of_alias.begin(), of_alias.end());
    }
  }
  const std::string shown(name.substr(0, 40));
  if (meant.find(',') != std::string::npos) {
    return fail(Code::kInvalidArgument,
                "'" + shown + "' is an alias of several genes (" + meant + "); name one of them");
  }
  if (regions.empty()) {
    return fail(Code::kNotFound, "no gene '" + shown + "' in the table of " +
                                     std::string(assembly_name(assembly)) + " (" +
                                     table.info.source + ")");
  }
  return regions;
}

GeneMatches find_genes(std::string_view prefix, Assembly assembly, std::size_t most) {
  GeneMatches matches;
  if (prefix.empty()) return matches;
  const Table& table = table_of(assembly);
  const std::string key = upper(prefix);
  std::set<std::string> found;  // symbols in upper case
  // False: there is no room for another gene.
  const auto add = [&](const std::string& symbol, const std::string& alias) {
    if (found.contains(symbol)) return true;
    std::vector<GeneRegion> regions = rows_of(table, symbol);
    if (regions.empty()) return true;  // the alias is of a gene that this assembly's table lacks
    matches.has_more = matches.genes.size() == most;
    if (matches.has_more) return false;
    found.insert(symbol);
    matches.genes.push_back({std::move(regions), alias});
    return true;
  };
  for (auto row = table.by_upper.lower_bound(key);
       row != table.by_upper.end() && row->first.starts_with(key); ++row) {
    if (!add(row->first, "")) return matches;
  }
  for (auto alias = all_aliases().lower_bound(key);
       alias != all_aliases().end() && alias->first.starts_with(key); ++alias) {
    if (!add(upper(alias->second), alias->first)) return matches;
  }
  return matches;
}

std::vector<std::string> region_texts(const std::vector<GeneRegion>& regions, Assembly assembly,
                                      std::string_view prefix) {
  std::vector<std::string> texts;
  for (const GeneRegion& region : regions) {
    const bool is_mitochondrion = region.chromosome == "MT" && !prefix.empty();
    texts.push_back(std::string(assembly_name(assembly)) + ":" + std::string(prefix) +
                    (is_mitochondrion ? "M" : region.chromosome) + ":" +
                    std::to_string(region.start) + "-" + std::to_string(region.end) + "=" +
                    region.symbol);
  }
  return texts;
}

Result<std::vector<std::string>> with_genes_resolved(const std::vector<std::string>& texts) {
  std::vector<std::string> resolved;
  for (const std::string& text : texts) {
    std::string_view rest = text;
    Assembly assembly = Assembly::kGrch38;
    std::string_view prefix = "chr";
    if (const std::size_t at = rest.find(":gene:"); at != std::string_view::npos) {
      TRY_ASSIGN(assembly, parse_assembly(rest.substr(0, at)));
      const std::string named = upper(rest.substr(0, at));
      if (named == "GRCH37" || named == "B37") prefix = "";
      rest.remove_prefix(at + 1);
    }
    if (!rest.starts_with("gene:")) {
      resolved.push_back(text);
      continue;
    }
    rest.remove_prefix(5);
    if (rest.empty()) return fail(Code::kInvalidArgument, "region '" + text + "' names no gene");
    while (!rest.empty()) {
      TRY_ASSIGN(const auto regions, resolve(next_field(rest, ','), assembly));
      for (std::string& one : region_texts(regions, assembly, prefix)) {
        resolved.push_back(std::move(one));
      }
    }
  }
  return resolved;
}

}  // namespace warifu::risk
