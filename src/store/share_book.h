// What a directory store knows of its committed shares without reading their headers again: 100,000
// headers take seconds to read, and sites are asked for their state all the time.
//
// A name that is in the folder and not in the book has to be read; one that is in the book and not
// in the folder is gone. Internal to `store`. Thread rule: none of its own; the store's mutex.
#pragma once

#include <map>
#include <set>

#include "store/share_store.h"

namespace warifu::store {

class ShareBook {
 public:
  // New, or known better.
  void put(const ShareSummary& share);
  void drop(const ShareId& share);
  [[nodiscard]] bool has(const ShareId& share) const { return shares_.contains(share); }
  // Forgets all that `there` does not have; it ascends.
  void keep_only(const std::vector<ShareId>& there);
  // Ascending by id.
  [[nodiscard]] std::vector<ShareSummary> all() const;
  // Those of an object, ascending by id, without a walk over the others.
  [[nodiscard]] std::vector<ShareSummary> of(const ObjectId& object) const;
  [[nodiscard]] StoreTotals totals() const { return {shares_.size(), bytes_}; }

 private:
  using Shares = std::map<ShareId, ShareSummary>;
  Shares::iterator drop(Shares::iterator at);

  Shares shares_;
  std::set<std::pair<ObjectId, ShareId>> by_object_;  // of shares_
  std::uint64_t bytes_ = 0;
};

[[nodiscard]] ShareSummary summary_of(const ShareHeader& header);

}  // namespace warifu::store
