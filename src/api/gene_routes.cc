// Genes by the first letters of their names, for forms that search while somebody types. From the
// table that the program carries: it says nothing of any person.
#include "api/json.h"
#include "risk/genes.h"

namespace warifu::api {
namespace {

constexpr std::uint64_t kMostGenes = 100;
constexpr std::uint64_t kUsualGenes = 20;
constexpr std::size_t kLongestName = 64;

json::object gene_json(const risk::GeneMatch& match, risk::Assembly assembly) {
  const auto texts = risk::region_texts(match.regions, assembly, "chr");
  json::array places;
  for (std::size_t at = 0; at < match.regions.size(); ++at) {
    const risk::GeneRegion& one = match.regions[at];
    places.push_back({{"chromosome", one.chromosome},
                      {"start", one.start},
                      {"end", one.end},
                      {"strand", std::string(1, one.strand)},
                      {"region", texts[at]}});
  }
  return {{"symbol", match.regions.front().symbol},
          {"alias", match.alias},
          {"places", std::move(places)}};
}

Result<json::value> find(http::RequestContext& context) {
  const auto& query = context.request().query;
  TRY_ASSIGN(const risk::Assembly assembly,
             risk::parse_assembly(query.find("assembly").value_or("GRCh38")));
  const std::string_view name = query.find("name").value_or("");
  if (name.empty() || name.size() > kLongestName) {
    return fail(Code::kInvalidArgument,
                "parameter 'name' must be the first letters of a gene's "
                "name, 1 to " +
                    std::to_string(kLongestName));
  }
  TRY_ASSIGN(const std::uint64_t most, query_number(context, "limit", kUsualGenes));
  if (most < 1 || most > kMostGenes) {
    return fail(Code::kInvalidArgument,
                "parameter 'limit' must be 1 to " + std::to_string(kMostGenes));
  }
  const risk::GeneMatches found = risk::find_genes(name, assembly, most);
  json::array genes;
  for (const risk::GeneMatch& one : found.genes) genes.push_back(gene_json(one, assembly));
  const risk::GeneTableInfo& info = risk::gene_table_info(assembly);
  return json::value{{"assembly", risk::assembly_name(assembly)},
                     {"genes", std::move(genes)},
                     {"more", found.has_more},
                     {"source", info.source},
                     {"licence", info.licence}};
}

}  // namespace

void add_gene_routes(http::Router& router) {
  router.add(http::Method::kGet, "/v1/genes", json_handler(find));
}

}  // namespace warifu::api
