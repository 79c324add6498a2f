// `warifu genes`: where genes lie, from the table that the program carries.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "apps/local_commands.h"
#include "apps/output.h"
#include "os/system.h"
#include "risk/panels.h"

namespace warifu::apps {
namespace {

namespace json = boost::json;
constexpr std::size_t kMostPanelBytes = 1 << 20;

Result<std::vector<risk::GeneRegion>> regions_of(const GenesOptions& options,
                                                 risk::Assembly assembly) {
  std::vector<risk::GeneRegion> regions;
  for (const std::string& name : options.names) {
    TRY_ASSIGN(const auto found, risk::resolve(name, assembly));
    regions.insert(regions.end(), found.begin(), found.end());
  }
  if (options.panel.empty() != options.panels.empty()) {
    return fail(Code::kInvalidArgument, "--panel and --panels go together");
  }
  if (options.panel.empty()) return regions;
  TRY_ASSIGN(const Bytes bytes, os::read_file(os::real_files(), options.panels, kMostPanelBytes));
  TRY_ASSIGN(const auto panels, risk::parse_panels(as_text(bytes)));
  TRY_ASSIGN(const auto found, risk::resolve_panel(panels, options.panel, assembly));
  regions.insert(regions.end(), found.begin(), found.end());
  return regions;
}

}  // namespace

Result<> genes(const Common& common, const GenesOptions& options) {
  TRY_ASSIGN(const risk::Assembly assembly, risk::parse_assembly(options.build));
  const risk::GeneTableInfo& info = risk::gene_table_info(assembly);
  TRY_ASSIGN(const auto regions, regions_of(options, assembly));
  if (regions.empty() && !common.json) {
    fmt::print("{}: {} genes at {} places\nsource: {}\nlicence: {}\n",
               risk::assembly_name(assembly), info.symbols, info.rows, info.source, info.licence);
    return {};
  }
  const auto texts = risk::region_texts(regions, assembly, options.bare ? "" : "chr");
  if (common.json) {
    json::array list;
    for (std::size_t at = 0; at < regions.size(); ++at) {
      const risk::GeneRegion& one = regions[at];
      list.push_back({{"symbol", one.symbol},
                      {"chromosome", one.chromosome},
                      {"start", one.start},
                      {"end", one.end},
                      {"strand", std::string(1, one.strand)},
                      {"region", texts[at]}});
    }
    print_json({{"assembly", risk::assembly_name(assembly)},
                {"genes", std::move(list)},
                {"source", info.source},
                {"licence", info.licence}});
    return {};
  }
  if (options.regions) {
    for (const std::string& text : texts) fmt::print("{}\n", text);
    return {};
  }
  std::vector<std::vector<std::string>> rows;
  for (const risk::GeneRegion& one : regions) {
    rows.push_back({one.symbol, one.chromosome, std::to_string(one.start), std::to_string(one.end),
                    std::string(1, one.strand), std::to_string(one.end - one.start + 1)});
  }
  print_table({"GENE", "CHROMOSOME", "START", "END", "STRAND", "BASES"}, rows);
  fmt::print("{}, {}\n", risk::assembly_name(assembly), info.source);
  return {};
}

}  // namespace warifu::apps
