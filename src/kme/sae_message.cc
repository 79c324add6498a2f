// Encoding and strict decoding; names and blocks stand once in a table, orders point into it.
#include "kme/sae_message.h"

#include <algorithm>

#include "crypto/crypto.h"
#include "kme/etsi014_json.h"
#include "kme/sae_settings.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::size_t kMaxOrders = 1024;
constexpr std::size_t kMaxNames = 4096;
constexpr std::size_t kMaxName = 256;

KeyId version_4(ByteView random) {
  KeyId id = KeyId::from_view(random);
  id.bytes[6] = static_cast<Byte>((id.bytes[6] & 0x0F) | 0x40);
  id.bytes[8] = static_cast<Byte>((id.bytes[8] & 0x3F) | 0x80);
  return id;
}

// The place of `value` in a table that grows.
template <typename T>
std::uint16_t place_in(std::vector<T>& table, const T& value) {
  const auto found = std::ranges::find(table, value);
  if (found != table.end()) return static_cast<std::uint16_t>(found - table.begin());
  table.push_back(value);
  return static_cast<std::uint16_t>(table.size() - 1);
}

Order read_order(wire::Reader& reader, const std::vector<std::string>& names,
                 const std::vector<BlockId>& blocks) {
  Order order;
  const auto name = [&]() -> std::string {
    const std::uint16_t at = reader.u16();
    if (at < names.size()) return names[at];
    reader.reject("no such name");
    return {};
  };
  order.id = reader.id<OrderId>();
  order.master = name();
  const std::uint8_t slaves = reader.u8();
  for (std::uint8_t i = 0; i < slaves && reader.good(); ++i) order.slaves.push_back(name());
  order.key_bytes = reader.u32();
  order.keys = reader.u32();
  if (slaves == 0 || slaves > kMaxAdditionalSaes + 1 || order.key_bytes == 0 ||
      order.key_bytes > kMaxSaeKeyBits / 8 || order.keys == 0 ||
      order.keys > kMaxSaeKeysPerRequest) {
    reader.reject("an order out of range");
  }
  const std::uint16_t pieces = reader.u16();
  std::uint64_t keys = 0;
  for (std::uint16_t i = 0; i < pieces && reader.good(); ++i) {
    const std::uint16_t block = reader.u16();
    Piece piece{.block = {}, .offset = reader.u32(), .keys = reader.u32()};
    if (block >= blocks.size()) {
      reader.reject("no such block");
      break;
    }
    piece.block = blocks[block];
    keys += piece.keys;
    order.pieces.push_back(piece);
  }
  if (pieces > 0 && keys != order.keys) reader.reject("the pieces do not add up");
  return order;
}

}  // namespace

std::vector<KeyId> key_ids(const OrderId& order, std::size_t count) {
  std::vector<KeyId> ids;
  ids.reserve(count);
  if (count == 1) return {version_4(order.view())};
  for (std::size_t i = 0; i < count; ++i) {
    wire::Writer text;
    text.raw(as_bytes("warifu key id"));
    text.id(order);
    text.u64(i);
    ids.push_back(version_4(ByteView(crypto::sha256(text.bytes())).first(16)));
  }
  return ids;
}

std::string uuid_of(const KeyId& id) {
  return etsi014::uuid_text(id.bytes);
}

Result<KeyId> parse_uuid(std::string_view text) {
  TRY_ASSIGN(std::string normal, etsi014::normal_uuid(text));
  std::erase(normal, '-');
  return KeyId::parse(normal);
}

Bytes encode(const BlockHead& head) {
  wire::Writer writer;
  writer.id(head.incarnation);
  writer.id(head.block);
  return writer.take();
}

Result<BlockHead> decode_block_head(ByteView bytes) {
  wire::Reader reader(bytes, "block of key");
  BlockHead head{reader.id<OrderId>(), reader.id<BlockId>()};
  TRY(reader.finish());
  return head;
}

Bytes encode(const Assignment& assignment) {
  std::vector<std::string> names;
  std::vector<BlockId> blocks;
  wire::Writer orders;
  orders.u16(static_cast<std::uint16_t>(assignment.orders.size()));
  for (const Order& order : assignment.orders) {
    orders.id(order.id);
    orders.u16(place_in(names, order.master));
    orders.u8(static_cast<std::uint8_t>(order.slaves.size()));
    for (const std::string& slave : order.slaves) orders.u16(place_in(names, slave));
    orders.u32(order.key_bytes);
    orders.u32(order.keys);
    orders.u16(static_cast<std::uint16_t>(order.pieces.size()));
    for (const Piece& piece : order.pieces) {
      orders.u16(place_in(blocks, piece.block));
      orders.u32(piece.offset);
      orders.u32(piece.keys);
    }
  }
  wire::Writer writer;
  writer.id(assignment.batch);
  writer.u16(static_cast<std::uint16_t>(names.size()));
  for (const std::string& name : names) writer.text(name);
  writer.u16(static_cast<std::uint16_t>(blocks.size()));
  for (const BlockId& block : blocks) writer.id(block);
  writer.raw(orders.bytes());
  return writer.take();
}

Result<Assignment> decode_assignment(ByteView bytes) {
  wire::Reader reader(bytes, "keys of applications");
  Assignment assignment{.batch = reader.id<OrderId>(), .orders = {}};
  std::vector<std::string> names;
  std::vector<BlockId> blocks;
  const std::uint16_t name_count = reader.u16();
  if (name_count > kMaxNames) reader.reject("too many names");
  for (std::uint16_t i = 0; i < name_count && reader.good(); ++i) {
    names.push_back(reader.text(kMaxName));
  }
  const std::uint16_t block_count = reader.u16();
  for (std::uint16_t i = 0; i < block_count && reader.good(); ++i) {
    blocks.push_back(reader.id<BlockId>());
  }
  const std::uint16_t count = reader.u16();
  if (count == 0 || count > kMaxOrders) reader.reject("number of orders out of range");
  for (std::uint16_t i = 0; i < count && reader.good(); ++i) {
    assignment.orders.push_back(read_order(reader, names, blocks));
  }
  TRY(reader.finish());
  return assignment;
}

Bytes encode(const std::vector<VoidOrder>& orders) {
  wire::Writer writer;
  writer.u16(static_cast<std::uint16_t>(orders.size()));
  for (const VoidOrder& order : orders) {
    writer.id(order.order);
    writer.u32(order.keys);
  }
  return writer.take();
}

Result<std::vector<VoidOrder>> decode_voids(ByteView bytes) {
  wire::Reader reader(bytes, "void keys");
  std::vector<VoidOrder> orders;
  const std::uint16_t count = reader.u16();
  if (count > kMaxOrders) reader.reject("too many orders");
  for (std::uint16_t i = 0; i < count && reader.good(); ++i) {
    VoidOrder order{reader.id<OrderId>(), reader.u32()};
    if (order.keys == 0 || order.keys > kMaxSaeKeysPerRequest) reader.reject("keys out of range");
    orders.push_back(order);
  }
  TRY(reader.finish());
  return orders;
}

}  // namespace warifu::kme
