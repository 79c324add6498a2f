// Checks of orders against headers, and the linear steps.
#include "upkeep/part_maker.h"

#include <algorithm>
#include <set>

#include "control/policy.h"

namespace warifu::upkeep {
namespace {

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kRefused,
              "the part that is ordered does not fit the share that is held: " + why);
}

// Whoever makes a share must not hold another one of the same cut.
Result<> check_siblings(const store::ShareHeader& held, const Making& making) {
  const bool same_cut = making.made.part.has_value() == (held.level == store::Level::kNested) &&
                        (!making.made.part || making.made.top == held.parent_index);
  const std::uint8_t replaced = making.made.part.value_or(making.made.top);
  for (const store::Sibling& sibling : held.siblings) {
    const bool is_made = same_cut && sibling.index == replaced;
    if (sibling.site == making.to && !is_made) {
      return refuse(making.to.text() + " holds a sibling of it");
    }
  }
  return {};
}

}  // namespace

TreePlace place_of(const store::ShareHeader& held) {
  if (held.level == store::Level::kTop) return {.top = held.index, .part = {}};
  return {.top = held.parent_index, .part = held.index};
}

Result<PartMaker> PartMaker::make(const store::ShareHeader& held, const PartOrder& order) {
  const Making& making = order.making;
  if (order.share != held.share) return refuse("it is another share");
  TRY_ASSIGN(const control::PolicyNode policy, control::parse_policy(held.policy));
  TRY(check_making(policy, making));
  const TreePlace own = making.chain[order.own].place;
  if (own != place_of(held)) return refuse("it stands at another place of the policy");
  TRY(check_siblings(held, making));
  PartMaker maker;
  maker.records_ = store::records_of(held);
  if (making.is_move()) return maker;
  std::set<std::uint8_t> tops, parts;
  for (const Helper& helper : making.chain) {
    tops.insert(helper.place.top);
    if (helper.place.top == own.top && helper.place.part) parts.insert(*helper.place.part);
  }
  const bool within_cut = making.made.part.has_value();
  if (!within_cut && own.part) {
    TRY(maker.term_.join(held.scheme, parts, *own.part));
    maker.records_ = store::cut_records_of(held);
  }
  const std::set<std::uint8_t>& helpers = within_cut ? parts : tops;
  const std::uint8_t lost = within_cut ? *making.made.part : making.made.top;
  TRY(maker.term_.weigh(within_cut ? held.scheme : policy.scheme, lost, helpers,
                        within_cut ? *own.part : own.top));
  return maker;
}

void add_into(MutableBytes sum, ByteView term) {
  const ByteView terms[] = {sum, term};
  sharing::repair_mask(terms, sum);
}

secret::Buffer PartMaker::part(ChunkIndex index, secret::Buffer record) const {
  const std::uint32_t length = records_.length(index);
  secret::Buffer part = term_.of(std::move(record), length);
  part.shrink(length);
  return part;
}

}  // namespace warifu::upkeep
