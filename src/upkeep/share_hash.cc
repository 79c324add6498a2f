// Terms of a sum, and their hashes.
#include "upkeep/share_hash.h"

#include <algorithm>

#include "upkeep/part_maker.h"

namespace warifu::upkeep {
namespace {

// The largest granule of a scheme: whatever a share is joined or halved to is padded to it.
constexpr std::size_t kTermBytes = 2 * sharing::kWordBytes;

}  // namespace

Result<ShareHash> ShareHash::make(const store::ShareHeader& held, const AuditRound& round,
                                  const SiteName& own) {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  ShareHash hash;
  const sharing::RecordLayout object(sharing::Chunking{{held.object_length}, held.chunk_bytes});
  hash.key_ = std::make_unique<const mac::Key>(round.key);
  for (std::size_t i = 0; i < round.sums.size(); ++i) {
    const AuditSum& sum = round.sums[i];
    TRY(check_sum(policy, sum));
    const auto at = sum.place_of(own);
    if (!at) continue;
    if (sum.chain[*at].place != held.path) {
      return fail(Code::kRefused, "the audit takes the share that " + own.text() +
                                      " holds for another one of its object");
    }
    // The first share of the sum is what the others make.
    const std::vector<sharing::SharePath> places = sum.places();
    const sharing::SharePath cut = cut_of(places);
    const std::uint8_t made = std::ranges::min(places).step(cut.size());
    TRY_ASSIGN(LinearTerm term, LinearTerm::make(policy, object, cut, made, places, held.path));
    hash.sums_.push_back(i);
    hash.terms_.push_back(std::move(term));
    hash.hashers_.emplace_back(*hash.key_);
  }
  if (!hash.sums_.empty()) return hash;
  return fail(Code::kRefused, own.text() + " has no part in this audit");
}

void ShareHash::add(ChunkIndex index, ByteView record) {
  constexpr std::array<Byte, kTermBytes> kZeros{};
  const auto take = [&](mac::Hasher& hasher, ByteView term) {
    hasher.update(term);
    const std::size_t over = term.size() % kTermBytes;
    if (over > 0) hasher.update(ByteView(kZeros).first(kTermBytes - over));
  };
  for (std::size_t i = 0; i < terms_.size(); ++i) {
    if (terms_[i].is_plain()) {
      take(hashers_[i], record);
      continue;
    }
    const secret::Buffer term = terms_[i].of(index, secret::Buffer::copy_of(record));
    take(hashers_[i], term.bytes());
  }
}

std::vector<mac::Tag> ShareHash::finish() const {
  std::vector<mac::Tag> tags;
  for (const mac::Hasher& hasher : hashers_) tags.push_back(hasher.finish());
  return tags;
}

std::uint64_t audit_blocks(const sharing::RecordLayout& records) {
  const auto padded = [](std::uint64_t bytes) {
    return (bytes + kTermBytes - 1) / kTermBytes * (kTermBytes / mac::kBlockBytes);
  };
  if (records.count() == 0) return 0;
  return (records.count() - 1) * padded(records.full_bytes()) + padded(records.last_bytes());
}

}  // namespace warifu::upkeep
