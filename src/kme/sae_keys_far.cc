// What other sites ask of a site's keys for applications: blocks, assignments, voids.
#include <algorithm>

#include "kme/sae_keys.h"

namespace warifu::kme {
namespace {
constexpr std::size_t kBatchesRemembered = 256;
}

Result<> SaeKeys::take_block(const SiteName& from, const BlockHead& head, secret::Buffer bytes) {
  const auto far = far_.find(from);
  if (far == far_.end()) return fail(Code::kRefused, "blocks of key come from neighbours only");
  const std::lock_guard lock(far->second.mutex);
  far->second.blocks.put(head, std::move(bytes));
  return {};
}

// Both sites must agree on who lives where: a key must never wait for an application that its own
// site does not mean.
Result<> SaeKeys::check_order(const SiteName& from, const Order& order) const {
  const SaeEntry* master = settings_.find(order.master);
  if (master == nullptr || master->site != from) {
    return fail(Code::kRefused, self_.text() + " does not know SAE " + order.master + " at site " +
                                    from.text());
  }
  for (const std::string& id : order.slaves) {
    const SaeEntry* slave = settings_.find(id);
    if (slave == nullptr || slave->site != self_) {
      return fail(Code::kRefused, "SAE " + id + " is not at " + self_.text());
    }
  }
  return {};
}

Result<> SaeKeys::take_assignment(const SiteName& from, const Assignment& assignment,
                                  const secret::Buffer& sent) {
  const auto found = far_.find(from);
  if (found == far_.end()) return fail(Code::kRefused, "keys come from neighbours only");
  Far& far = found->second;
  const std::lock_guard lock(far.mutex);
  if (std::ranges::find(far.done, assignment.batch) != far.done.end()) return {};
  std::uint64_t sent_bytes = 0;
  for (const Order& order : assignment.orders) {
    TRY(check_order(from, order));
    if (order.pieces.empty()) sent_bytes += order.bytes();
    for (const Piece& piece : order.pieces) {
      if (!far.blocks.holds(piece.block)) {
        return fail(Code::kNotFound, "a block of key is not here any more");
      }
    }
  }
  if (sent_bytes != sent.size()) {
    return fail(Code::kProtocol, "the keys that were sent are not those of the orders");
  }
  TRY_ASSIGN(std::vector<NewKeys> keys, cut_orders(far, assignment, sent));
  TRY(store_->add(std::move(keys)));
  far.done.push_back(assignment.batch);
  if (far.done.size() > kBatchesRemembered) far.done.pop_front();
  return {};
}

Result<std::vector<NewKeys>> SaeKeys::cut_orders(Far& far, const Assignment& assignment,
                                                 const secret::Buffer& sent) {
  std::vector<NewKeys> all;
  std::size_t sent_at = 0;
  for (const Order& order : assignment.orders) {
    NewKeys keys{order.master, order.slaves, key_ids(order.id, order.keys),
                 secret::Buffer(order.bytes())};
    MutableBytes out = keys.bytes.bytes();
    if (order.pieces.empty()) {
      copy_bytes(out, sent.bytes().subspan(sent_at, out.size()));
      sent_at += out.size();
    }
    for (const Piece& piece : order.pieces) {
      const std::size_t size = std::size_t{piece.keys} * order.key_bytes;
      TRY(far.blocks.cut(piece, order.key_bytes, out.first(size)));
      out = out.subspan(size);
    }
    all.push_back(std::move(keys));
  }
  return all;
}

Result<> SaeKeys::take_voids(const SiteName& from, const std::vector<VoidOrder>& orders) {
  if (!far_.contains(from)) return fail(Code::kRefused, "voids come from neighbours only");
  std::vector<KeyId> ids;
  for (const VoidOrder& order : orders) {
    for (const KeyId& id : key_ids(order.order, order.keys)) ids.push_back(id);
  }
  return store_->drop(ids, [&](const std::string& master) {
    const SaeEntry* sae = settings_.find(master);
    return sae != nullptr && sae->site == from;
  });
}

}  // namespace warifu::kme
