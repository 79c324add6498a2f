// Bodies of requests 65 to 67, 73 to 79 and 86.
#include "custody/messages.h"

#include "audit/log.h"
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

namespace {

void write_presented(wire::Writer& writer, const consent::Presented& presented) {
  writer.blob(presented.grant);
  writer.raw(consent::encode_evidence(presented.evidence));
}

consent::Presented read_presented(wire::Reader& reader) {
  consent::Presented presented;
  const ByteView grant = reader.blob(card::kMaxGrantBytes);
  presented.grant.assign(grant.begin(), grant.end());
  const ByteView bytes = reader.raw(consent::kEvidenceBytes);
  if (!reader.good()) return presented;
  const auto evidence = consent::parse_evidence(bytes);
  if (evidence) {
    presented.evidence = *evidence;
  } else {
    reader.reject(evidence.error().message);
  }
  return presented;
}

}  // namespace

Bytes encode(const consent::Presented& act) {
  wire::Writer writer;
  write_presented(writer, act);
  return writer.take();
}

Result<consent::Presented> decode_act(ByteView body) {
  wire::Reader reader(body, "act of a person");
  consent::Presented act = read_presented(reader);
  TRY(reader.finish());
  return act;
}

Bytes encode(const EmergencyNote& note) {
  const consent::Emergency& emergency = note.emergency;
  wire::Writer writer;
  writer.id(note.person);
  writer.id(emergency.id);
  writer.id(emergency.object);
  writer.i64(emergency.at.value);
  writer.u8(static_cast<std::uint8_t>(emergency.officers.size()));
  for (const CardId& card : emergency.officers) writer.id(card);
  consent::write_short(writer, emergency.reason);
  return writer.take();
}

Result<EmergencyNote> decode_emergency(ByteView body) {
  wire::Reader reader(body, "note of an emergency");
  EmergencyNote note;
  consent::Emergency& emergency = note.emergency;
  note.person = reader.id<Pseudonym>();
  emergency.id = reader.id<consent::JointId>();
  emergency.object = reader.id<ObjectId>();
  emergency.at = {reader.i64()};
  const std::size_t officers = reader.u8();
  if (officers < 2 || officers > consent::kMaxGuardians) reader.reject("officers must be 2 to 4");
  for (std::size_t i = 0; i < officers && reader.good(); ++i) {
    emergency.officers.push_back(reader.id<CardId>());
  }
  emergency.reason = consent::read_short(reader, consent::kReasonBytes);
  const bool sound = !note.person.is_zero() && !emergency.id.is_zero() &&
                     !emergency.object.is_zero() &&
                     consent::is_showable(emergency.reason, consent::kReasonBytes);
  if (reader.good() && !sound) reader.reject("it makes no sense");
  TRY(reader.finish());
  return note;
}

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
Bytes encode(const consent::LostCard& lost) {
  wire::Writer writer;
  writer.id(lost.card);
  for (const os::UnixMs time : {lost.revoked, lost.from, lost.until}) writer.i64(time.value);
  return writer.take();
}
Result<consent::LostCard> decode_lost(ByteView body) {
  wire::Reader reader(body, "lost card");
  consent::LostCard lost;
  lost.card = reader.id<CardId>();
  for (os::UnixMs* time : {&lost.revoked, &lost.from, &lost.until}) time->value = reader.i64();
  TRY(reader.finish());
  return lost;
}
Bytes encode(const GrantedRecord& granted) {
  wire::Writer writer;
  writer.id(granted.object);
  writer.u8(static_cast<std::uint8_t>(granted.presented.size()));
  for (const consent::Presented& one : granted.presented) write_presented(writer, one);
  return writer.take();
}

Result<GrantedRecord> decode_granted(ByteView body) {
  wire::Reader reader(body, "granted record");
  GrantedRecord granted;
  granted.object = reader.id<ObjectId>();
  const std::size_t count = reader.u8();
  if (count == 0 || count > consent::kMaxGuardians) reader.reject("grants must be 1 to 4");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    granted.presented.push_back(read_presented(reader));
  }
  TRY(reader.finish());
  return granted;
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

Bytes encode(const WantedAccesses& wanted) {
  wire::Writer writer;
  writer.id(wanted.person);
  writer.u64(wanted.after);
  return writer.take();
}

Result<WantedAccesses> decode_wanted_accesses(ByteView body) {
  wire::Reader reader(body, "wish for accesses");
  WantedAccesses wanted;
  wanted.person = reader.id<Pseudonym>();
  wanted.after = reader.u64();
  TRY(reader.finish());
  return wanted;
}

Bytes encode(const AccessPage& page) {
  wire::Writer writer;
  writer.u64(page.seen);
  writer.u8(page.more ? 1 : 0);
  writer.u32(static_cast<std::uint32_t>(page.accesses.size()));
  for (const Access& access : page.accesses) {
    writer.u64(access.sequence);
    writer.i64(access.time.value);
    writer.text(access.event);
    writer.u8(static_cast<std::uint8_t>(access.fields.size()));
    for (const auto& [name, value] : access.fields) {
      writer.text(name);
      writer.text(value);
    }
  }
  return writer.take();
}

Result<AccessPage> decode_access_page(ByteView body) {
  wire::Reader reader(body, "accesses");
  AccessPage page;
  page.seen = reader.u64();
  page.more = reader.u8() != 0;
  const std::uint32_t count = reader.u32();
  if (count > kMaxAccesses) reader.reject("too many entries");
  for (std::uint32_t i = 0; reader.good() && i < count; ++i) {
    Access access{.sequence = reader.u64(), .time = {reader.i64()}};
    access.event = reader.text(64);
    const std::uint8_t fields = reader.u8();
    for (std::uint8_t j = 0; reader.good() && j < fields; ++j) {
      std::string name = reader.text(64);
      access.fields.emplace_back(std::move(name), reader.text(audit::kMaxLineBytes));
    }
    page.accesses.push_back(std::move(access));
  }
  TRY(reader.finish());
  return page;
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
