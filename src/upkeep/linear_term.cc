// The linear steps.
#include "upkeep/linear_term.h"

#include <array>
#include <set>

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

Result<LinearTerm> LinearTerm::make(const planner::PolicyNode& policy,
                                    const sharing::RecordLayout& object,
                                    const sharing::SharePath& cut, std::uint8_t made,
                                    const std::vector<sharing::SharePath>& places,
                                    const sharing::SharePath& own) {
  if (own.size() <= cut.size() || !own.is_within(cut) || policy.find(own) == nullptr) {
    return fail(Code::kInvalidArgument, "the share is not in the sum");
  }
  // Which shares of a cut there are.
  const auto shares_of = [&](const sharing::SharePath& of) {
    std::set<std::uint8_t> shares;
    for (const sharing::SharePath& place : places) {
      if (place.size() > of.size() && place.is_within(of)) shares.insert(place.step(of.size()));
    }
    return shares;
  };
  LinearTerm term;
  for (std::size_t steps = own.size() - 1; steps > cut.size(); --steps) {
    const sharing::SharePath joined = own.above(steps);
    const std::set<std::uint8_t> parts = shares_of(joined);
    TRY_ASSIGN(sharing::Joiner joiner,
               sharing::Joiner::make(policy.find(joined)->scheme, indices(parts)));
    TRY_ASSIGN(const std::size_t at, place_in(parts, own.step(steps)));
    term.joins_.push_back({std::move(joiner), at, planner::records_at(policy, object, joined)});
  }
  std::set<std::uint8_t> helpers = shares_of(cut);
  helpers.erase(made);
  const std::uint8_t weighed = own.step(cut.size());
  if (weighed == made) return term;
  TRY_ASSIGN(term.repairer_,
             sharing::Repairer::make(policy.find(cut)->scheme,
                                     static_cast<sharing::ShareIndex>(made), indices(helpers)));
  TRY_ASSIGN(term.own_helper_, place_in(helpers, weighed));
  return term;
}

secret::Buffer LinearTerm::of(ChunkIndex index, secret::Buffer record) const {
  for (std::size_t i = 0; i < joins_.size(); ++i) {
    const Join& join = joins_[i];
    // What was padded when it was cut is no part of the share above.
    if (i > 0) record.shrink(joins_[i - 1].records.length(index));
    std::vector<ByteView> shares(join.joiner.from().size(), zeros(record.size()));
    shares[join.own] = record.bytes();
    secret::Buffer joined(join.joiner.scheme().padded(join.records.length(index)));
    join.joiner.join(shares, joined.bytes());
    record = std::move(joined);
  }
  if (!repairer_) return record;
  secret::Buffer weighed(record.size());
  repairer_->part(own_helper_, record.bytes(), zeros(record.size()), weighed.bytes());
  return weighed;
}

}  // namespace warifu::upkeep
