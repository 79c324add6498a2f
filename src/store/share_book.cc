// A sorted book.
#include "store/share_book.h"

namespace warifu::store {

ShareSummary summary_of(const ShareHeader& header) {
  return {header.share, header.object, header.path, ShareLayout(header).file_bytes()};
}

ShareBook::Shares::iterator ShareBook::drop(Shares::iterator at) {
  bytes_ -= at->second.file_bytes;
  by_object_.erase({at->second.object, at->first});
  return shares_.erase(at);
}

void ShareBook::put(const ShareSummary& share) {
  drop(share.share);
  shares_.emplace(share.share, share);
  by_object_.emplace(share.object, share.share);
  bytes_ += share.file_bytes;
}

void ShareBook::drop(const ShareId& share) {
  if (const auto known = shares_.find(share); known != shares_.end()) drop(known);
}

void ShareBook::keep_only(const std::vector<ShareId>& there) {
  auto next = there.begin();
  for (auto at = shares_.begin(); at != shares_.end();) {
    while (next != there.end() && *next < at->first) ++next;
    const bool stays = next != there.end() && *next == at->first;
    at = stays ? std::next(at) : drop(at);
  }
}

std::vector<ShareSummary> ShareBook::all() const {
  std::vector<ShareSummary> all;
  all.reserve(shares_.size());
  for (const auto& [id, share] : shares_) all.push_back(share);
  return all;
}

std::vector<ShareSummary> ShareBook::of(const ObjectId& object) const {
  std::vector<ShareSummary> found;
  for (auto at = by_object_.lower_bound({object, ShareId()});
       at != by_object_.end() && at->first == object; ++at) {
    found.push_back(shares_.at(at->second));
  }
  return found;
}

}  // namespace warifu::store
