// The codec of person records, and who may consent for whom.
#include "consent/person_record.h"

#include <algorithm>

#include "consent/grant.h"
#include "wire/wire.h"

namespace warifu::consent {
namespace {

constexpr std::string_view kPersonMagic = "WGP1";
constexpr std::uint16_t kPersonVersion = 3;

void write_proxy(wire::Writer& writer, const Proxy& proxy) {
  writer.id(proxy.person);
  writer.id(proxy.card);
  writer.id(proxy.mandate.object);
  writer.u8(proxy.mandate.purposes);
  writer.u8(proxy.mandate.is_testamentary ? 1 : 0);
  writer.u16(0);
  writer.i64(proxy.since.value);
  writer.i64(proxy.mandate.until.value);
  writer.raw(proxy.mandate.authority);
}

Proxy read_proxy(wire::Reader& reader) {
  Proxy proxy;
  proxy.person = reader.id<Pseudonym>();
  proxy.card = reader.id<CardId>();
  proxy.mandate.object = reader.id<ObjectId>();
  proxy.mandate.purposes = reader.u8();
  const std::uint8_t flags = reader.u8();
  if (reader.u16() != 0 || flags > 1 || proxy.mandate.purposes == 0 || proxy.mandate.purposes > 7) {
    reader.reject("a proxy's numbers are out of range");
  }
  proxy.mandate.is_testamentary = flags == 1;
  proxy.since = {reader.i64()};
  proxy.mandate.until = {reader.i64()};
  const ByteView authority = reader.raw(proxy.mandate.authority.size());
  if (reader.good()) copy_bytes(proxy.mandate.authority, authority);
  return proxy;
}

void read_lists(wire::Reader& reader, PersonRecord& record) {
  record.needed = reader.u8();
  const std::size_t guardians = reader.u8();
  if (guardians > kMaxGuardians || record.needed > guardians) reader.reject("too many guardians");
  for (std::size_t i = 0; i < guardians && reader.good(); ++i) {
    record.guardians.push_back(reader.id<Pseudonym>());
  }
  const std::size_t proxies = reader.u8();
  if (proxies > kMaxProxies) reader.reject("too many proxies");
  for (std::size_t i = 0; i < proxies && reader.good(); ++i) {
    record.proxies.push_back(read_proxy(reader));
  }
  const std::size_t waiting = reader.u8();
  if (waiting > kMaxWaitingOrders) reader.reject("too many orders wait");
  for (std::size_t i = 0; i < waiting && reader.good(); ++i) {
    const os::UnixMs received{reader.i64()};
    auto order = parse_order(reader.blob(kMaxOrderBytes));
    if (!order) return reader.reject(order.error().message);
    record.waiting.push_back({received, std::move(*order)});
  }
  const std::size_t done = reader.u8();
  if (done > kMaxDoneOrders) reader.reject("too many orders are done");
  for (std::size_t i = 0; i < done && reader.good(); ++i) {
    record.done.push_back(reader.id<OrderId>());
  }
}

// Versions before 3 did not say who had judged it.
Emergency read_emergency(wire::Reader& reader, std::uint16_t version) {
  Emergency emergency;
  emergency.id = reader.id<JointId>();
  emergency.object = reader.id<ObjectId>();
  emergency.at = {reader.i64()};
  emergency.told = {reader.i64()};
  if (version > 2) {
    const std::uint8_t own = reader.u8();
    if (own > 1) reader.reject("who judged an emergency is unknown");
    emergency.is_own = own == 1;
  }
  const std::size_t officers = reader.u8();
  if (officers > kMaxGuardians) reader.reject("too many officers");
  for (std::size_t j = 0; j < officers && reader.good(); ++j) {
    emergency.officers.push_back(reader.id<CardId>());
  }
  emergency.reason = read_short(reader, kReasonBytes);
  return emergency;
}

void write_emergencies(wire::Writer& writer, const PersonRecord& record) {
  writer.u8(static_cast<std::uint8_t>(record.leaves.size()));
  for (const EmergencyLeave& leave : record.leaves) {
    writer.id(leave.object);
    writer.id(leave.card);
    writer.i64(leave.since.value);
    writer.i64(leave.until.value);
  }
  writer.u8(static_cast<std::uint8_t>(record.emergencies.size()));
  for (const Emergency& emergency : record.emergencies) {
    write_emergency(writer, emergency);
  }
}

void read_emergencies(wire::Reader& reader, std::uint16_t version, PersonRecord& record) {
  const std::size_t leaves = reader.u8();
  if (leaves > kMaxLeaves) reader.reject("too many leaves for emergencies");
  for (std::size_t i = 0; i < leaves && reader.good(); ++i) {
    EmergencyLeave leave;
    leave.object = reader.id<ObjectId>();
    leave.card = reader.id<CardId>();
    leave.since = {reader.i64()};
    leave.until = {reader.i64()};
    record.leaves.push_back(leave);
  }
  const std::size_t emergencies = reader.u8();
  if (emergencies > kMaxEmergencies) reader.reject("too many emergencies");
  for (std::size_t i = 0; i < emergencies && reader.good(); ++i) {
    record.emergencies.push_back(read_emergency(reader, version));
  }
}

// The proxy by which it could be allowed now; nullptr: there is none.
const Proxy* mandate_for(const Acting& acting, const PersonRecord& record, bool has_died,
                         os::UnixMs now) {
  const auto found = std::ranges::find_if(record.proxies, [&](const Proxy& proxy) {
    return proxy.person == acting.person && now < proxy.mandate.until &&
           proxy.mandate.is_testamentary == has_died &&
           proxy.mandate.covers(acting.purpose, acting.object);
  });
  return found == record.proxies.end() ? nullptr : &*found;
}

}  // namespace

void PersonRecord::finish(const OrderId& id) {
  std::erase_if(waiting, [&](const WaitingOrder& one) { return one.order.id == id; });
  if (done.size() >= kMaxDoneOrders) done.erase(done.begin());
  done.push_back(id);
}

bool PersonRecord::allows_emergency(const ObjectId& object, os::UnixMs now) const {
  return std::ranges::any_of(
      leaves, [&](const EmergencyLeave& leave) { return leave.covers(object, now); });
}

bool PersonRecord::note(const Emergency& emergency, bool is_used_first) {
  const auto known = std::ranges::find(emergencies, emergency.id, &Emergency::id);
  if (known != emergencies.end()) {
    // Who tried it with other officers before is not forgotten.
    const std::size_t before = known->officers.size();
    for (const CardId& card : emergency.officers) {
      const bool is_there = std::ranges::find(known->officers, card) != known->officers.end();
      if (!is_there && known->officers.size() < kMaxGuardians) known->officers.push_back(card);
    }
    // An id that the person was told of before may not hide what is opened after that.
    const bool is_new = is_used_first && known->told.value != 0;
    if (is_new) known->told = {};
    if (is_new) known->at = emergency.at;
    const bool becomes_own = emergency.is_own && !known->is_own;
    known->is_own = known->is_own || emergency.is_own;
    return is_new || becomes_own || known->officers.size() != before;
  }
  if (emergencies.size() >= kMaxEmergencies) {
    const auto gives_way = [&](const auto& what) {
      return std::ranges::find_if(emergencies, what);
    };
    auto oldest = gives_way([](const Emergency& one) { return one.told.value != 0; });
    // Whatever share control tells, what this gate has judged itself stays.
    if (oldest == emergencies.end()) {
      oldest = gives_way([](const Emergency& one) { return !one.is_own; });
    }
    if (oldest == emergencies.end() && !emergency.is_own) return false;
    emergencies.erase(oldest != emergencies.end() ? oldest : emergencies.begin());
  }
  emergencies.push_back(emergency);
  return true;
}

std::vector<Emergency> PersonRecord::untold(os::UnixMs before) const {
  std::vector<Emergency> all;
  for (const Emergency& one : emergencies) {
    if (one.told.value != 0 || one.at >= before || all.size() >= kMaxShown) continue;
    all.push_back(one);
  }
  return all;
}

std::string PersonRecord::tell(std::span<const JointId> shown, os::UnixMs now) {
  std::string ids;
  for (Emergency& one : emergencies) {
    if (one.told.value != 0 || std::ranges::find(shown, one.id) == shown.end()) continue;
    one.told = now;
    ids += (ids.empty() ? "" : ", ") + one.id.text();
  }
  return ids;
}

void write_emergency(wire::Writer& writer, const Emergency& emergency) {
  writer.id(emergency.id);
  writer.id(emergency.object);
  writer.i64(emergency.at.value);
  writer.i64(emergency.told.value);
  writer.u8(emergency.is_own ? 1 : 0);
  writer.u8(static_cast<std::uint8_t>(emergency.officers.size()));
  for (const CardId& card : emergency.officers) writer.id(card);
  write_short(writer, emergency.reason);
}

Emergency read_emergency(wire::Reader& reader) {
  return read_emergency(reader, kPersonVersion);
}

Bytes encode_person(const PersonRecord& record) {
  wire::Writer writer;
  writer.raw(as_bytes(kPersonMagic));
  writer.u16(kPersonVersion);
  writer.u16(0);
  writer.id(record.person);
  writer.i64(record.died.value);
  writer.i64(record.of_age.value);
  writer.u8(record.needed);
  writer.u8(static_cast<std::uint8_t>(record.guardians.size()));
  for (const Pseudonym& guardian : record.guardians) writer.id(guardian);
  writer.u8(static_cast<std::uint8_t>(record.proxies.size()));
  for (const Proxy& proxy : record.proxies) write_proxy(writer, proxy);
  writer.u8(static_cast<std::uint8_t>(record.waiting.size()));
  for (const WaitingOrder& waiting : record.waiting) {
    writer.i64(waiting.received.value);
    writer.blob(encode_order(waiting.order));
  }
  writer.u8(static_cast<std::uint8_t>(record.done.size()));
  for (const OrderId& id : record.done) writer.id(id);
  write_emergencies(writer, record);
  writer.checksum();
  return writer.take();
}

Result<PersonRecord> parse_person(ByteView bytes) {
  if (bytes.size() < 4) return fail(Code::kCorrupt, "it is cut short");
  const auto body = wire::before_checksum(bytes);
  if (!body) return fail(Code::kCorrupt, "its checksum does not match");
  wire::Reader reader(*body, "person record");
  PersonRecord record;
  if (as_text(reader.raw(4)) != kPersonMagic) reader.reject("it does not begin with WGP1");
  const std::uint16_t version = reader.u16();
  if (version < 1 || version > kPersonVersion || reader.u16() != 0) {
    reader.reject("its version is unknown");
  }
  record.person = reader.id<Pseudonym>();
  record.died = {reader.i64()};
  record.of_age = {reader.i64()};
  read_lists(reader, record);
  if (version > 1) read_emergencies(reader, version, record);
  if (const auto finished = reader.finish(); !finished) {
    return fail(Code::kCorrupt, finished.error().message);
  }
  return record;
}

Bar bar_to(const Acting& acting, const Pseudonym& owner, const PersonRecord* record,
           os::UnixMs now) {
  const bool has_died = record != nullptr && record->died.value != 0;
  if (acting.capacity == Capacity::kOwn) {
    if (acting.person != owner) return Bar::kOtherPerson;
    if (has_died) return Bar::kDied;
    return record != nullptr && record->is_ward(now) ? Bar::kUnderAge : Bar::kNone;
  }
  if (record == nullptr || acting.person == owner) return Bar::kNotEntitled;
  if (acting.capacity == Capacity::kEmergency) {
    if (has_died) return Bar::kDied;
    return record->allows_emergency(acting.object, now) ? Bar::kNone : Bar::kNotEntitled;
  }
  if (acting.capacity == Capacity::kProxy) {
    if (mandate_for(acting, *record, has_died, now) != nullptr) return Bar::kNone;
    return has_died ? Bar::kDied : Bar::kNotEntitled;
  }
  if (has_died) return Bar::kDied;
  if (record->guardians.empty()) return Bar::kNotEntitled;
  if (!record->is_ward(now)) return Bar::kOfAge;
  const bool is_guardian =
      std::ranges::find(record->guardians, acting.person) != record->guardians.end();
  return is_guardian && acting.together >= record->needed ? Bar::kNone : Bar::kNotEntitled;
}

os::UnixMs latest_end(const Acting& acting, const PersonRecord* record, os::UnixMs expiry) {
  if (record == nullptr) return expiry;
  if (acting.capacity == Capacity::kGuardian) return std::min(expiry, record->of_age);
  os::UnixMs latest{0};
  if (acting.capacity == Capacity::kEmergency) {
    for (const EmergencyLeave& leave : record->leaves) {
      if (leave.object.is_zero() || leave.object == acting.object) {
        latest = std::max(latest, leave.until);
      }
    }
    return std::min(expiry, latest);
  }
  if (acting.capacity != Capacity::kProxy) return expiry;
  for (const Proxy& proxy : record->proxies) {
    if (proxy.person != acting.person) continue;
    if (!proxy.mandate.covers(acting.purpose, acting.object)) continue;
    latest = std::max(latest, proxy.mandate.until);
  }
  return std::min(expiry, latest);
}

}  // namespace warifu::consent
