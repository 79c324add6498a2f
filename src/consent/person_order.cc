// The codec of orders about persons, and their names.
#include "consent/person_order.h"

#include <algorithm>
#include <array>

#include "wire/wire.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kOrderMagic = "WPO1";
constexpr std::uint16_t kOrderVersion = 1;
constexpr std::array<std::string_view, 4> kCapacities = {"own", "proxy", "guardian", "emergency"};
constexpr std::array<std::string_view, 5> kOrders = {"guardians", "died", "remove_proxy", "lives",
                                                     "forbid_emergency"};

void read_guardian_order(wire::Reader& reader, PersonOrder& order) {
  order.card = reader.id<CardId>();
  order.of_age = {reader.i64()};
  order.needed = reader.u8();
  const std::size_t count = reader.u8();
  if (count > kMaxGuardians) reader.reject("it names too many guardians");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    order.guardians.push_back(reader.id<CardId>());
  }
}

}  // namespace

std::string_view capacity_name(Capacity capacity) {
  return kCapacities.at(static_cast<std::size_t>(capacity));
}

Result<Capacity> parse_capacity(std::string_view name) {
  for (std::size_t i = 0; i < kCapacities.size(); ++i) {
    if (kCapacities[i] == name) return static_cast<Capacity>(i);
  }
  return fail(Code::kInvalidArgument, "capacity '" + std::string(name.substr(0, 40)) +
                                          "' must be own, proxy, guardian or emergency");
}

std::string_view order_name(PersonOrderKind kind) {
  return kOrders.at(static_cast<std::size_t>(kind) - 1);
}

std::string flaw_of(const PersonOrder& order) {
  const auto kind = static_cast<std::size_t>(order.kind);
  if (kind < 1 || kind > kOrders.size()) return "the order is of an unknown kind";
  if (order.id.is_zero() || order.person.is_zero()) return "order and person must be named";
  const bool names_card =
      order.kind == PersonOrderKind::kGuardians || order.kind == PersonOrderKind::kRemoveProxy;
  if (names_card == order.card.is_zero()) return "the order names a card wrongly";
  if (order.kind != PersonOrderKind::kGuardians) return {};
  const auto& guardians = order.guardians;
  if (guardians.empty() || guardians.size() > kMaxGuardians) return "guardians must be 1 to 4";
  if (std::ranges::adjacent_find(guardians, std::ranges::greater_equal()) != guardians.end() ||
      guardians.front().is_zero()) {
    return "guardians must be sorted and distinct";
  }
  if (order.needed < 1 || order.needed > guardians.size()) {
    return "so many guardians together as are needed there must be";
  }
  return order.of_age.value > 0 ? "" : "the day of coming of age must be named";
}

Bytes encode_order(const PersonOrder& order) {
  wire::Writer writer;
  writer.raw(as_bytes(kOrderMagic));
  writer.u16(kOrderVersion);
  writer.u8(static_cast<std::uint8_t>(order.kind));
  writer.u8(0);
  writer.id(order.id);
  writer.id(order.person);
  writer.i64(order.at.value);
  if (order.kind == PersonOrderKind::kRemoveProxy) {
    writer.id(order.card);
    return writer.take();
  }
  if (order.kind == PersonOrderKind::kForbidEmergency) {
    writer.id(order.object);
    return writer.take();
  }
  if (order.kind == PersonOrderKind::kGuardians) {
    writer.id(order.card);
    writer.i64(order.of_age.value);
    writer.u8(order.needed);
    writer.u8(static_cast<std::uint8_t>(order.guardians.size()));
    for (const CardId& card : order.guardians) writer.id(card);
  }
  writer.raw(order.authority);
  return writer.take();
}

Result<PersonOrder> parse_order(ByteView bytes) {
  wire::Reader reader(bytes, "order about a person");
  PersonOrder order;
  if (as_text(reader.raw(4)) != kOrderMagic) reader.reject("it does not begin with WPO1");
  if (reader.u16() != kOrderVersion) reader.reject("its version is unknown");
  order.kind = static_cast<PersonOrderKind>(reader.u8());
  if (reader.u8() != 0) reader.reject("a reserved byte is not zero");
  order.id = reader.id<OrderId>();
  order.person = reader.id<Pseudonym>();
  order.at = {reader.i64()};
  if (order.kind == PersonOrderKind::kRemoveProxy) {
    order.card = reader.id<CardId>();
  } else if (order.kind == PersonOrderKind::kForbidEmergency) {
    order.object = reader.id<ObjectId>();
  } else {
    if (order.kind == PersonOrderKind::kGuardians) read_guardian_order(reader, order);
    const ByteView authority = reader.raw(order.authority.size());
    if (reader.good()) copy_bytes(order.authority, authority);
  }
  if (reader.good()) {
    if (const std::string flaw = flaw_of(order); !flaw.empty()) reader.reject(flaw);
  }
  TRY(reader.finish());
  return order;
}

}  // namespace warifu::consent
