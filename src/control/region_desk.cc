// One quote.
#include "control/region_desk.h"

namespace warifu::control {

Result<RegionQuote> RegionDesk::quote(const GrantId& index, const consent::Scope& regions,
                                      std::uint32_t decoys) {
  TRY_ASSIGN(const catalog::Grant record, catalog_.grant(index));
  TRY_ASSIGN(const consent::Grant grant, consent::parse_grant(record.grant_bytes));
  if (!grant.scope.is_index() || regions.regions.empty()) {
    return fail(Code::kInvalidArgument, "consent " + index.text() + " is for " +
                                            consent::scope_text(grant.scope) +
                                            "; a quote is for regions, under one to the index");
  }
  TRY(check_decoys(decoys, regions));
  const os::UnixMs now = site_.system.clock.now();
  if (record.state == catalog::GrantState::kGiven && now < grant.expiry) {
    if (auto known = quotes_.find(index, regions, decoys, now)) return *std::move(known);
  }
  TRY_ASSIGN(const JobId job, restore_.begin({.object = grant.object,
                                              .grant = index,
                                              .using_letters = {},
                                              .gather = {},
                                              .purpose = {},
                                              .grantee = grant.grantee,
                                              .stated = {},
                                              .scope = grant.scope,
                                              .format = {}}));
  RegionQuote quote{.index = index, .object = grant.object, .cuts = {}, .decoys = decoys};
  std::optional<Hiding> hiding;
  if (decoys > 0) hiding = {decoys, grant.object, site_.keys.root_key().bytes()};
  std::uint32_t chunk_count = 0;  // of the object
  {
    TRY_ASSIGN(const secret::Buffer bytes, restore_.read_index(job));
    TRY_ASSIGN(const catalog::Object object, catalog_.object(grant.object));
    chunk_count = static_cast<std::uint32_t>(object.chunk_count);
    TRY_ASSIGN(const genome::Lead lead, genome::parse_lead(bytes.bytes()));
    TRY_ASSIGN(quote.cuts, find_cuts(lead, regions, hiding));
  }
  quote.bytes = quote.cuts.cuts.front().cut.bytes();
  TRY_ASSIGN(quote.key_bytes, restore_.key_bytes(job, quote.scope().chunks));
  const consent::ChunkRanges all = {{0, chunk_count}};
  TRY_ASSIGN(quote.key_bytes_of_whole, restore_.key_bytes(job, all));
  TRY(site_.log.append("region_quote", {{"grant", index.text()},
                                        {"object", grant.object.text()},
                                        {"scope", consent::scope_text(quote.scope())},
                                        {"key_bytes", std::to_string(quote.key_bytes)}}));
  quotes_.add(quote, site_.system.clock.now());
  return quote;
}

}  // namespace warifu::control
