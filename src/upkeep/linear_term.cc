// The two linear steps.
#include "upkeep/linear_term.h"

#include <array>
#include <vector>

#include "base/limits.h"

namespace warifu::upkeep {
namespace {

std::vector<sharing::ShareIndex> indices(const std::set<std::uint8_t>& numbers) {
  std::vector<sharing::ShareIndex> list;
  for (const std::uint8_t number : numbers)
    list.push_back(static_cast<sharing::ShareIndex>(number));
  return list;
}

// What is added where nothing is.
ByteView zeros(std::size_t size) {
  static constexpr std::array<Byte, limits::kMaxRecordBytes + 2 * sharing::kWordBytes> kZeros{};
  WARIFU_CHECK(size <= kZeros.size());
  return ByteView(kZeros).first(size);
}

Result<std::size_t> place_in(const std::set<std::uint8_t>& numbers, std::uint8_t number) {
  const auto found = numbers.find(number);
  if (found == numbers.end()) return fail(Code::kInvalidArgument, "the share is not in the sum");
  return static_cast<std::size_t>(std::distance(numbers.begin(), found));
}

}  // namespace

Result<> LinearTerm::join(const sharing::Scheme& scheme, const std::set<std::uint8_t>& parts,
                          std::uint8_t own) {
  TRY_ASSIGN(joiner_, sharing::Joiner::make(scheme, indices(parts)));
  TRY_ASSIGN(own_part_, place_in(parts, own));
  return {};
}

Result<> LinearTerm::weigh(const sharing::Scheme& scheme, std::uint8_t made,
                           const std::set<std::uint8_t>& helpers, std::uint8_t own) {
  TRY_ASSIGN(repairer_, sharing::Repairer::make(scheme, static_cast<sharing::ShareIndex>(made),
                                                indices(helpers)));
  TRY_ASSIGN(own_helper_, place_in(helpers, own));
  return {};
}

secret::Buffer LinearTerm::of(secret::Buffer record, std::size_t cut_bytes) const {
  if (joiner_) {
    std::vector<ByteView> shares(joiner_->from().size(), zeros(record.size()));
    shares[own_part_] = record.bytes();
    secret::Buffer joined(joiner_->scheme().padded(cut_bytes));
    joiner_->join(shares, joined.bytes());
    record = std::move(joined);
  }
  if (!repairer_) return record;
  secret::Buffer weighed(record.size());
  repairer_->part(own_helper_, record.bytes(), zeros(record.size()), weighed.bytes());
  return weighed;
}

}  // namespace warifu::upkeep
