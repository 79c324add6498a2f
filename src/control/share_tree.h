// An object with all of its shares as the catalog knows them, read as a tree: which cut made a
// share, how long its records are, what its holder has to be told.
//
// A value; whoever changes the catalog reads it anew. One thread at a time.
#pragma once

#include "catalog/catalog.h"
#include "control/messages.h"
#include "planner/policy.h"

namespace warifu::control {

struct ShareTree {
  catalog::Object object;
  planner::PolicyNode policy;
  std::vector<catalog::Share> shares;
  std::map<SiteName, Pseudonym> pseudonyms;  // of the person, by site

  // Errors: the catalog's; kInvalidArgument when the policy cannot be read, kCorrupt when a share
  // stands where the policy has none.
  [[nodiscard]] static Result<ShareTree> read(catalog::Catalog& catalog, const ObjectId& object);

  [[nodiscard]] sharing::Chunking chunking() const { return {{object.length}}; }
  // Of the cut that made this share. Its path must be one of the policy, here and below.
  [[nodiscard]] sharing::Scheme scheme_of(const catalog::Share& share) const;
  [[nodiscard]] sharing::RecordLayout records_of(const catalog::Share& share) const;
  // Ascending by index, whatever their state.
  [[nodiscard]] std::vector<catalog::Share> top_shares() const;
  [[nodiscard]] std::vector<catalog::Share> nested_of(const ShareId& parent) const;
  // All shares of the cut of `share`, one for each index: what is in use, or was cut again; `share`
  // itself in its own place, also when the catalog does not know it.
  [[nodiscard]] std::vector<catalog::Share> cut_around(const catalog::Share& share) const;
  // Whether parts of it are still to be made.
  [[nodiscard]] bool is_to_be_cut(const ShareId& share) const;
  // Of the object's generation, those that stand whole where the policy cuts them again, whether
  // their parts are planned or not; each before what lies below it.
  [[nodiscard]] std::vector<catalog::Share> uncut() const;
  // What is still to be made of `old`, planned to be made of `parent` at the same sites, under new
  // ids: parts of two cuts must not meet in one share. Each before its own parts.
  [[nodiscard]] std::vector<catalog::Share> parts_anew(const ShareId& old, const ShareId& parent,
                                                       os::Random& random) const;
  // Whether it is durable, or was cut into parts that stand.
  [[nodiscard]] bool stands(const catalog::Share& share) const;
  // As its holder is told, at `share.last_site`.
  [[nodiscard]] ShareSpec spec_of(const catalog::Share& share) const;
};

// All shares of a cut as a plan has them, and of the cuts below, each before its parts. `whole` is
// the share that is cut, or, without an id, the object; `records` are its own.
[[nodiscard]] std::vector<catalog::Share> planned_shares(
    const catalog::Share& whole, const std::vector<planner::ShareTarget>& targets,
    const sharing::Scheme& scheme, const sharing::RecordLayout& records, os::Random& random);

[[nodiscard]] std::vector<Sibling> siblings_of(const std::vector<catalog::Share>& shares);

}  // namespace warifu::control
