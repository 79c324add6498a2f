// A holder's side of audits: hashes a share of its own in one pass, masks the hashes with what it
// shares with its neighbours in each chain, and answers share control with 16 bytes a sum.
//
// Share control orders, and a holder checks for itself, so that a rooted one learns nothing: every
// sum is one that is zero for shares that belong together; each site in it carries the label that
// the object's policy asks for, and is the one that the share's header knows there; neighbours have
// a link of their own, and were told the same round and key; share control stands at an end of a
// chain or outside; nobody else who sees the answer stands in the chain or may know a mask of it.
// Then answers of every proper subset of a chain are uniform, whatever the shares are
// (docs/adr/0027). A record that has rotted is told instead of an answer. Thread-safe; handlers run
// on the channel's threads.
#pragma once

#include "control/share_service.h"
#include "upkeep/audit_book.h"

namespace warifu::upkeep {

class ShareAuditor {
 public:
  explicit ShareAuditor(control::SiteContext& site) : site_(site), book_(site.config.name) {}

  void add_handlers(channel::Server& server);

  // Takes an order of share control. Errors: kNotFound (no such share), kRefused, kBusy.
  [[nodiscard]] Result<> accept(const AuditOrder& order);

  // Called with hashed and all bytes; false ends the audit.
  using Watch = std::function<bool(std::uint64_t done, std::uint64_t total)>;
  // The masked hashes, for a request that has passed those sites. Errors: kNotFound, kRefused (a
  // site that sees the answer could unmask it), kCorrupt (the share has rotted), kCancelled;
  // kUnavailable when a neighbour cannot be given its mask.
  [[nodiscard]] Result<std::vector<mac::Tag>> answer(const JobId& session,
                                                     const std::vector<SiteName>& passed,
                                                     const Watch& watch);

 private:
  Result<> check_holders(const store::ShareHeader& held, const AuditRound& round) const;
  Result<std::vector<mac::Tag>> make_answers(const AuditOrder& order,
                                             const std::vector<SiteName>& passed,
                                             const Watch& watch);
  // The mask for the next holder in that chain, sent.
  Result<mac::Tag> give_mask(const AuditRound& round, std::size_t sum, const SiteName& next);

  control::SiteContext& site_;
  AuditBook book_;
};

// Whether answers of the holder `own` may be seen by those who stand on their way to `collector`:
// see above. Errors: kRefused naming the site that may not.
[[nodiscard]] Result<> check_seeing(const std::vector<config::LinkEntry>& links,
                                    const AuditSum& sum, const SiteName& collector,
                                    const std::set<SiteName>& seeing);

}  // namespace warifu::upkeep
