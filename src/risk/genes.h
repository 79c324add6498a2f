// Where genes lie: names to regions, in GRCh37 and GRCh38.
//
// A table is text, sorted by symbol in byte order:
//   head := "# " key " " value      key := assembly | source | licence
//   row  := symbol TAB chromosome TAB start TAB end TAB strand        strand := + | - | .
// Positions are 1-based and inclusive; chromosomes are 1..22, X, Y, MT. Transcripts of a gene that
// overlap are one row. A symbol with several rows lies at several places (PAR genes, copies).
// Aliases: alias (upper case) TAB symbol; an alias of several genes is refused, never guessed.
// tools/gene-table/make.py makes the tables; what they come from stands in their heads.
//
// The tables are unpacked once, on first use, and never change. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace warifu::risk {

enum class Assembly : std::uint8_t { kGrch37, kGrch38 };
// "GRCh37", "hg19", "b37"; "GRCh38", "hg38"; letters of either case. Errors: kInvalidArgument.
[[nodiscard]] Result<Assembly> parse_assembly(std::string_view text);
[[nodiscard]] std::string_view assembly_name(Assembly assembly);  // "GRCh37", "GRCh38"

struct GeneRegion {
  std::string symbol;
  std::string chromosome;  // "17", without "chr"
  std::uint32_t start = 0;
  std::uint32_t end = 0;
  char strand = '.';  // '.': the source does not say
};

struct GeneTableInfo {
  std::string source;
  std::string licence;
  std::size_t symbols = 0;
  std::size_t rows = 0;
};
[[nodiscard]] const GeneTableInfo& gene_table_info(Assembly assembly);

// Every row of the table, sorted by symbol.
[[nodiscard]] const std::vector<GeneRegion>& all_genes(Assembly assembly);

// All regions of a gene by its symbol (letters of either case) or by an alias that only one gene of
// the table has. Errors: kNotFound, kInvalidArgument when an alias means several genes (named).
[[nodiscard]] Result<std::vector<GeneRegion>> resolve(std::string_view name, Assembly assembly);

struct GeneMatch {
  std::vector<GeneRegion> regions;  // of one symbol; never empty
  std::string alias;                // by which it was found; empty: by its symbol
};
struct GeneMatches {
  std::vector<GeneMatch> genes;
  bool has_more = false;  // than `most`
};
// Genes whose symbol begins with `prefix` (letters of either case), in byte order of their symbols
// in upper case, so a symbol that is the prefix itself comes first; after them those that have an
// alias that begins so, in order of the aliases. At most `most` genes; none for an empty prefix.
[[nodiscard]] GeneMatches find_genes(std::string_view prefix, Assembly assembly, std::size_t most);

// The texts that `--region` takes: "GRCh38:chr17:43044295-43170245=BRCA1". `prefix` is what the
// file's names begin with: "chr", or empty.
[[nodiscard]] std::vector<std::string> region_texts(const std::vector<GeneRegion>& regions,
                                                    Assembly assembly, std::string_view prefix);

// What `--region` may hold besides places: "gene:NAME" or "ASSEMBLY:gene:NAME", several names with
// commas between. Without an assembly it is GRCh38. References are named as files of that assembly
// name them: "17" for GRCh37 and b37, "chr17" for hg19, GRCh38 and hg38. Everything else is handed
// through.
[[nodiscard]] Result<std::vector<std::string>> with_genes_resolved(
    const std::vector<std::string>& texts);

}  // namespace warifu::risk
