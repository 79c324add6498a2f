// Bodies of requests 73 to 78.
#include "custody/messages.h"

#include "wire/wire.h"

namespace warifu::custody {
namespace {

template <typename Id>
Bytes encode_id(const Id& id) {
  wire::Writer writer;
  writer.id(id);
  return writer.take();
}

template <typename Id>
Result<Id> decode_id(ByteView body, const char* what) {
  wire::Reader reader(body, what);
  const Id id = reader.id<Id>();
  if (reader.good() && id.is_zero()) reader.reject("the identifier is zero");
  TRY(reader.finish());
  return id;
}

}  // namespace

Bytes encode(const WithdrawOrder& order) {
  wire::Writer writer;
  writer.id(order.card);
  writer.id(order.grant);
  writer.i64(order.expiry.value);
  return writer.take();
}

Result<WithdrawOrder> decode_withdraw(ByteView body) {
  wire::Reader reader(body, "withdrawal");
  WithdrawOrder order;
  order.card = reader.id<CardId>();
  order.grant = reader.id<GrantId>();
  order.expiry = {reader.i64()};
  if (reader.good() && (order.card.is_zero() || order.grant.is_zero())) {
    reader.reject("card and grant must be named");
  }
  TRY(reader.finish());
  return order;
}

Bytes encode(const CardId& card) {
  return encode_id(card);
}
Result<CardId> decode_card(ByteView body) {
  return decode_id<CardId>(body, "revocation");
}
Bytes encode(const ObjectId& object) {
  return encode_id(object);
}
Result<ObjectId> decode_object(ByteView body) {
  return decode_id<ObjectId>(body, "forgetting of a record");
}

Bytes encode(const KeptShare& kept) {
  wire::Writer writer;
  writer.id(kept.object);
  writer.id(kept.owner);
  writer.id(kept.keeping);
  writer.i64(kept.made.value);
  writer.u16(static_cast<std::uint16_t>(kept.scheme.kind));
  writer.u8(kept.scheme.threshold);
  writer.u8(kept.scheme.shares);
  writer.u8(static_cast<std::uint8_t>(kept.index));
  writer.blob(kept.share.bytes());
  return writer.take();
}

Result<KeptShare> decode_kept(ByteView body) {
  wire::Reader reader(body, "share of a card record");
  KeptShare kept;
  kept.object = reader.id<ObjectId>();
  kept.owner = reader.id<Pseudonym>();
  kept.keeping = reader.id<KeepingId>();
  kept.made = {reader.i64()};
  const std::uint16_t kind = reader.u16();
  const std::uint8_t threshold = reader.u8();
  const std::uint8_t shares = reader.u8();
  const auto scheme = sharing::Scheme::from_numbers(kind, threshold, shares);
  if (scheme) kept.scheme = *scheme;
  const std::uint8_t index = reader.u8();
  kept.index = static_cast<sharing::ShareIndex>(index);
  const ByteView share = reader.blob(kMaxKeptBytes);
  kept.share = secret::Buffer::copy_of(share);
  const bool sound = scheme && scheme->kind != sharing::SchemeKind::kRamp && index < shares &&
                     !share.empty() && !kept.object.is_zero() && !kept.owner.is_zero();
  if (reader.good() && !sound) reader.reject("it makes no sense");
  TRY(reader.finish());
  return kept;
}

Bytes encode(const WantedRecord& wanted) {
  wire::Writer writer;
  writer.id(wanted.object);
  writer.id(wanted.card);
  return writer.take();
}

Result<WantedRecord> decode_wanted(ByteView body) {
  wire::Reader reader(body, "wish for a card record");
  WantedRecord wanted;
  wanted.object = reader.id<ObjectId>();
  wanted.card = reader.id<CardId>();
  TRY(reader.finish());
  return wanted;
}

Bytes encode_count(std::uint64_t count) {
  wire::Writer writer;
  writer.u64(count);
  return writer.take();
}

Result<std::uint64_t> decode_count(ByteView body) {
  wire::Reader reader(body, "count of card records");
  const std::uint64_t count = reader.u64();
  TRY(reader.finish());
  return count;
}

}  // namespace warifu::custody
