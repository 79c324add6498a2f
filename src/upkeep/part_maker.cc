// Checks of orders against headers, and the linear steps.
#include "upkeep/part_maker.h"

#include <algorithm>

#include "planner/policy.h"

namespace warifu::upkeep {
namespace {

std::unexpected<Error> refuse(const std::string& why) {
  return fail(Code::kRefused,
              "the part that is ordered does not fit the share that is held: " + why);
}

// Whoever makes a share must not hold another one of the same cut.
Result<> check_siblings(const store::ShareHeader& held, const Making& making) {
  for (const store::Sibling& sibling : held.siblings) {
    const bool is_made = making.made.same_cut(held.path) && sibling.index == making.made.index();
    if (sibling.site == making.to && !is_made) {
      return refuse(making.to.text() + " holds a sibling of it");
    }
  }
  return {};
}

}  // namespace

Result<PartMaker> PartMaker::make(const store::ShareHeader& held, const PartOrder& order) {
  const Making& making = order.making;
  if (order.share != held.share) return refuse("it is another share");
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  TRY(check_making(policy, making));
  if (making.chain[order.own].place != held.path) {
    return refuse("it stands at another place of the policy");
  }
  TRY(check_siblings(held, making));
  PartMaker maker;
  maker.records_ = store::records_of(held);
  if (making.is_move()) return maker;
  std::vector<sharing::SharePath> places;
  for (const Helper& helper : making.chain) places.push_back(helper.place);
  const sharing::RecordLayout object(sharing::Chunking{{held.object_length}, held.chunk_bytes});
  maker.records_ = planner::records_at(policy, object, making.made);
  TRY_ASSIGN(maker.term_, LinearTerm::make(policy, object, making.made.parent(),
                                           making.made.index(), places, held.path));
  return maker;
}

void add_into(MutableBytes sum, ByteView term) {
  const ByteView terms[] = {sum, term};
  sharing::repair_mask(terms, sum);
}

secret::Buffer PartMaker::part(ChunkIndex index, secret::Buffer record) const {
  const std::uint32_t length = records_.length(index);
  secret::Buffer part = term_.of(index, std::move(record));
  part.shrink(length);
  return part;
}

}  // namespace warifu::upkeep
