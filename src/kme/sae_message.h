// What sites tell each other about keys of applications (docs/formats/sae-keys.md): blocks of drawn
// key, orders that cut keys from them, and voids.
//
// The ids of an order's keys follow from its nonce, so that an order of many keys costs little pad;
// they never depend on a key. Bodies carry no key bytes.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"

namespace warifu::kme {

using KeyId = Id16<struct ApplicationKeyTag>;  // a UUID of version 4
using BlockId = Id16<struct KeyBlockTag>;
using OrderId = Id16<struct KeyOrderTag>;  // random, of the kernel's generator

// Numbers of the channel's methods.
enum class SaeMethod : std::uint16_t { kBlock = 110, kAssign = 111, kVoid = 112 };

// The ids of the `count` keys of an order.
[[nodiscard]] std::vector<KeyId> key_ids(const OrderId& order, std::size_t count);
[[nodiscard]] std::string uuid_of(const KeyId& id);
// Errors: kInvalidArgument.
[[nodiscard]] Result<KeyId> parse_uuid(std::string_view text);

// A block comes as the drawn upload of kBlock. A new incarnation makes all earlier blocks void.
struct BlockHead {
  OrderId incarnation;
  BlockId block;
};

struct Piece {
  BlockId block;
  std::uint32_t offset = 0;
  std::uint32_t keys = 0;
};

struct Order {
  OrderId id;
  std::string master;
  std::vector<std::string> slaves;  // those at the receiving site
  std::uint32_t key_bytes = 0;
  std::uint32_t keys = 0;
  std::vector<Piece> pieces;  // empty: the bytes come in the upload
  [[nodiscard]] std::uint64_t bytes() const { return std::uint64_t{key_bytes} * keys; }
};

struct Assignment {
  OrderId batch;
  std::vector<Order> orders;
};

struct VoidOrder {
  OrderId order;
  std::uint32_t keys = 0;
};

[[nodiscard]] Bytes encode(const BlockHead& head);
[[nodiscard]] Result<BlockHead> decode_block_head(ByteView bytes);
[[nodiscard]] Bytes encode(const Assignment& assignment);
// Errors of the decoders: kProtocol.
[[nodiscard]] Result<Assignment> decode_assignment(ByteView bytes);
[[nodiscard]] Bytes encode(const std::vector<VoidOrder>& orders);
[[nodiscard]] Result<std::vector<VoidOrder>> decode_voids(ByteView bytes);

}  // namespace warifu::kme
