// Checks of orders against headers, and the linear steps.
#include "upkeep/part_maker.h"

#include <algorithm>

#include "control/policy.h"

namespace warifu::upkeep {
namespace {

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kRefused,
              "the part that is ordered does not fit the share that is held: " + why);
}

bool is_at(const Place& place, const sharing::Scheme& scheme, std::uint8_t index) {
  return place.scheme == scheme && static_cast<std::uint8_t>(place.index()) == index;
}

// Whoever makes a share must not hold another one of the same cut.
Result<> check_siblings(const store::ShareHeader& held, const PartOrder& order) {
  std::uint8_t moved = held.index;
  if (order.repair && !order.join) moved = static_cast<std::uint8_t>(order.repair->lost);
  for (const store::Sibling& sibling : held.siblings) {
    const bool replaced = sibling.index == moved && !order.join;
    if (sibling.site == order.to && !replaced) {
      return refuse(order.to.text() + " holds a sibling of it");
    }
  }
  return {};
}

}  // namespace

Result<PartMaker> PartMaker::make(const store::ShareHeader& held, const PartOrder& order) {
  if (order.share != held.share) return refuse("it is another share");
  TRY(check_siblings(held, order));
  PartMaker maker;
  maker.records_ = store::records_of(held);
  if (!order.repair) return maker;
  const Place& helpers = order.repair->helpers;
  TRY_ASSIGN(maker.repairer_,
             sharing::Repairer::make(helpers.scheme, order.repair->lost, helpers.shares));
  maker.own_helper_ = helpers.own;
  if (!order.join) {
    if (!is_at(helpers, held.scheme, held.index)) return refuse("another place in its cut");
    return maker;
  }
  TRY_ASSIGN(const control::PolicyNode policy, control::parse_policy(held.policy));
  if (held.level != store::Level::kNested || !is_at(*order.join, held.scheme, held.index) ||
      !is_at(helpers, policy.scheme, held.parent_index)) {
    return refuse("another place in its cuts");
  }
  TRY_ASSIGN(maker.joiner_, sharing::Joiner::make(order.join->scheme, order.join->shares));
  maker.own_part_ = order.join->own;
  maker.records_ = store::cut_records_of(held);
  return maker;
}

secret::Buffer PartMaker::part(ChunkIndex index, secret::Buffer record) const {
  if (joiner_) {
    const secret::Buffer nothing = [&] {
      secret::Buffer zeros(record.size());
      std::ranges::fill(zeros.bytes(), Byte{0});
      return zeros;
    }();
    std::vector<ByteView> shares(joiner_->from().size(), nothing.bytes());
    shares[own_part_] = record.bytes();
    const std::uint32_t length = records_.length(index);
    secret::Buffer joined(joiner_->scheme().padded(length));
    joiner_->join(shares, joined.bytes());
    joined.shrink(length);
    record = std::move(joined);
  }
  if (!repairer_) return record;
  secret::Buffer zeros(record.size()), weighed(record.size());
  std::ranges::fill(zeros.bytes(), Byte{0});
  repairer_->part(own_helper_, record.bytes(), zeros.bytes(), weighed.bytes());
  return weighed;
}

}  // namespace warifu::upkeep
