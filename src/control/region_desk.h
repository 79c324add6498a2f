// From a person's consent to the index of a genome to what reading regions of it would take: the
// index is restored into locked memory, the regions are looked up in it, and all of it is forgotten
// but the quote.
//
// Why two consents: a holder can check which chunks leave, and nothing of genomes; which chunks
// hold a gene only the index says, and the index is as secret as the data (ADR 0043). Thread-safe.
#pragma once

#include "control/consent_desk.h"
#include "control/restore_desk.h"

namespace warifu::control {

class RegionDesk {
 public:
  RegionDesk(SiteContext& site, catalog::Catalog& catalog, RestoreDesk& restore,
             RegionQuotes& quotes)
      : site_(site), catalog_(catalog), restore_(restore), quotes_(quotes) {}

  // With `decoys` > 0 for each region (decoys.h) the regions are hidden from the holders. Takes one
  // use of the consent; none when the same was found under it less than an hour ago. Errors:
  // kInvalidArgument (it is none to an index; regions that the genome does not have; no room for
  // decoys), kNotFound (a reference), kRefused, kUnavailable, kCorrupt.
  [[nodiscard]] Result<RegionQuote> quote(const GrantId& index, const consent::Scope& regions,
                                          std::uint32_t decoys);

 private:
  SiteContext& site_;
  catalog::Catalog& catalog_;
  RestoreDesk& restore_;
  RegionQuotes& quotes_;
};

}  // namespace warifu::control
