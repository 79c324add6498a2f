// The canonical codec of grants. One function says what is canonical, for both directions.
#include "consent/grant.h"

#include <algorithm>
#include <array>

#include "consent/veil.h"
#include "wire/wire.h"

namespace warifu::consent {
namespace {

namespace layout = card::grant_layout;

constexpr std::uint8_t kAllPurposes = (1U << kLastPurpose) - 1;
constexpr std::array<std::string_view, 2> kLocales = {"en", "ja"};
static_assert(layout::kSitesAt % mac::kBlockBytes == 0);

std::string flaw_of(const Grant& grant, const Appointment& appointment) {
  const Mandate& mandate = appointment.mandate;
  if (appointment.proxy.is_zero() || appointment.proxy == grant.card) {
    return "the proxy must be named by a card of its own";
  }
  if (mandate.object != grant.object) return "the mandate's object must be the grant's";
  if (mandate.purposes == 0 || mandate.purposes > kAllPurposes) {
    return "the mandate's purposes are unknown";
  }
  if (mandate.until <= grant.not_before) return "the mandate must end after the beginning";
  return {};
}

// What an act of the person's has to be beside its own part.
std::string flaw_of_act(const Grant& grant) {
  const int parts =
      (grant.appointment ? 1 : 0) + (grant.top_up ? 1 : 0) + (grant.emergency_until ? 1 : 0);
  if (parts == 0) return grant.object.is_zero() ? "card and object must be named" : "";
  if (parts > 1) return "it is one act only";
  const bool is_plain = grant.uses == 1 && grant.purpose == Purpose::kHealthManagement &&
                        grant.data_uses.empty() && grant.scope.is_whole() &&
                        grant.capacity == Capacity::kOwn;
  if (!is_plain) return "an act of the person's allows no use beside it";
  if (grant.appointment) return flaw_of(grant, *grant.appointment);
  if (grant.emergency_until) {
    const bool is_later = *grant.emergency_until > grant.not_before;
    return is_later ? "" : "the leave must end after the beginning";
  }
  if (!grant.object.is_zero()) return "keys of a card are of no object";
  const bool is_ahead = grant.top_up->is_valid() && grant.top_up->first > grant.index;
  return is_ahead ? "" : "the new keys must be 1 to 2000, behind the index";
}

// Officers act together, for one restore, now, and say why.
std::string flaw_of_emergency(const Grant& grant) {
  if (grant.capacity != Capacity::kEmergency) {
    return grant.reason.empty() ? "" : "only an emergency has a reason";
  }
  if (grant.together < 2) return "an emergency needs two officers or more";
  if (!is_showable(grant.reason, kReasonBytes)) {
    return "the reason of an emergency must be 1 to 160 bytes of visible text";
  }
  const auto life = std::chrono::milliseconds(kEmergencyLife + std::chrono::minutes(1)).count();
  const bool is_plain = grant.uses == 1 && grant.purpose == Purpose::kMedicine &&
                        grant.data_uses.empty() &&
                        grant.expiry.value - grant.not_before.value <= life;
  return is_plain ? "" : "an emergency is one use, for medicine, within four hours";
}

std::string flaw_of_capacity(const Grant& grant) {
  if (grant.capacity > Capacity::kEmergency) return "the capacity is unknown";
  const bool is_joint = grant.together > 1;
  if (grant.together < 1 || grant.together > kMaxGuardians) return "guardians must be 1 to 4";
  if (is_joint && grant.capacity < Capacity::kGuardian) {
    return "only guardians and officers consent together";
  }
  if (is_joint == grant.joint.is_zero()) return "what guardians consent to together has one id";
  return flaw_of_emergency(grant);
}

// What the person is told of stands in an order, and is nobody else's to be told of.
std::string flaw_of_shown(const Grant& grant) {
  if (grant.shown.empty()) return {};
  if (grant.capacity != Capacity::kOwn || grant.shown.size() > kMaxShown) {
    return "the person's own card is told of emergencies, of 16 at a time";
  }
  const bool is_sorted =
      std::ranges::adjacent_find(grant.shown, std::ranges::greater_equal()) == grant.shown.end();
  return is_sorted && !grant.shown.front().is_zero()
             ? ""
             : "emergencies must be named, sorted and distinct";
}

// Empty when the grant has a canonical encoding, else what is wrong with it.
std::string flaw_of(const Grant& grant) {
  if (grant.card.is_zero()) return "card and object must be named";
  const auto purpose = static_cast<std::size_t>(grant.purpose);
  if (purpose < 1 || purpose > kLastPurpose) return "the purpose is unknown";
  if (grant.uses < 1 || grant.uses > kMaxUses) return "uses must be 1 to 1000";
  if (grant.destination.empty()) return "the destination must be named";
  if (grant.not_before.value < 0 || grant.expiry <= grant.not_before) {
    return "the expiry must be after the beginning";
  }
  if (grant.index.value == 0) return "the index must be at least 1";
  if (static_cast<std::size_t>(grant.locale) >= kLocales.size()) return "the locale is unknown";
  if (!is_plain(grant.terminal, kTerminalBytes)) {
    return "the terminal must be 1 to 16 printable characters";
  }
  if (grant.sites.empty() || grant.sites.size() > card::kMaxSites) return "sites must be 1 to 7";
  for (std::size_t i = 0; i < grant.sites.size(); ++i) {
    if (grant.sites[i].site.empty() ||
        (i > 0 && !(grant.sites[i - 1].site < grant.sites[i].site))) {
      return "sites must be sorted by name and distinct";
    }
  }
  if (std::string flaw = flaw_of(grant.grantee); !flaw.empty()) return flaw;
  if (std::string flaw = flaw_of(grant.data_uses, grant.purpose); !flaw.empty()) return flaw;
  if (std::string flaw = flaw_of(grant.scope); !flaw.empty()) return flaw;
  if (!grant.scope.is_whole() && grant.scope.chunks.empty()) {
    return "regions need the chunks of the stored data that hold them";
  }
  if (std::string flaw = flaw_of_capacity(grant); !flaw.empty()) return flaw;
  if (std::string flaw = flaw_of_shown(grant); !flaw.empty()) return flaw;
  return flaw_of_act(grant);
}

void write_padded(wire::Writer& writer, std::string_view text, std::size_t size) {
  writer.raw(as_bytes(text));
  writer.raw(Bytes(size - text.size()));
}

// Text up to the first zero; every byte after it must be zero.
std::string read_padded(wire::Reader& reader, std::size_t size) {
  const std::string_view field = as_text(reader.raw(size));
  const std::size_t length = std::min(field.find('\0'), field.size());
  if (field.find_first_not_of('\0', length) != std::string_view::npos) {
    reader.reject("a text has bytes after its end");
  }
  return std::string(field.substr(0, length));
}

void skip_zeros(wire::Reader& reader, std::size_t size) {
  if (std::ranges::any_of(reader.raw(size), [](Byte b) { return b != 0; })) {
    reader.reject("reserved bytes are not zero");
  }
}

void read_sites(wire::Reader& reader, Grant& grant) {
  const std::uint8_t count = reader.u8();
  skip_zeros(reader, 3);
  if (count > card::kMaxSites) reader.reject("too many sites");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    GrantSite site;
    site.site = reader.site();
    site.nonce = reader.id<Nonce>();
    grant.sites.push_back(std::move(site));
  }
}

void write_appointment(wire::Writer& writer, const Appointment& appointment) {
  writer.id(appointment.proxy);
  writer.u8(appointment.mandate.purposes);
  writer.u8(appointment.mandate.is_testamentary ? 1 : 0);
  writer.u16(0);
  writer.i64(appointment.mandate.until.value);
  writer.raw(appointment.mandate.authority);
}

Appointment read_appointment(wire::Reader& reader, const ObjectId& object) {
  Appointment appointment;
  appointment.proxy = reader.id<CardId>();
  appointment.mandate.object = object;
  appointment.mandate.purposes = reader.u8();
  const std::uint8_t flags = reader.u8();
  if (flags > 1) reader.reject("a flag of the mandate is unknown");
  appointment.mandate.is_testamentary = flags == 1;
  skip_zeros(reader, 2);
  appointment.mandate.until = {reader.i64()};
  const ByteView authority = reader.raw(appointment.mandate.authority.size());
  if (reader.good()) copy_bytes(appointment.mandate.authority, authority);
  return appointment;
}

// The part that only some grants have, last of all.
void write_act(wire::Writer& writer, const Grant& grant) {
  if (grant.appointment) write_appointment(writer, *grant.appointment);
  if (grant.top_up) {
    writer.u32(grant.top_up->first.value);
    writer.u32(grant.top_up->count);
  }
  if (grant.emergency_until) writer.i64(grant.emergency_until->value);
  if (grant.capacity == Capacity::kEmergency) write_short(writer, grant.reason);
}

void read_act(wire::Reader& reader, std::uint8_t act, Grant& grant) {
  switch (static_cast<Act>(act)) {
    case Act::kUse: break;
    case Act::kAppoint: grant.appointment = read_appointment(reader, grant.object); break;
    case Act::kTopUp: {
      const card::KeyIndex first{reader.u32()};
      grant.top_up = card::KeyRange{first, reader.u32()};
      break;
    }
    case Act::kEmergencyLeave: grant.emergency_until = os::UnixMs{reader.i64()}; break;
    default: reader.reject("it allows another kind of act"); break;
  }
  if (grant.capacity == Capacity::kEmergency) grant.reason = read_short(reader, kReasonBytes);
}

void read_head(wire::Reader& reader, std::size_t size) {
  const std::string_view magic = as_text(reader.raw(4));
  if (magic == "WGR1" || magic == "WGR2") {
    reader.reject("it is of version " + std::string(magic.substr(3)) +
                  ", which no site honours any more; the person must be asked again");
  }
  if (magic != layout::kMagic) reader.reject("it does not begin with WGR4");
  if (reader.u16() != layout::kVersion) reader.reject("its version is unknown");
  if (reader.u16() != size) reader.reject("its length is not what it says");
}

}  // namespace

Result<Bytes> encode_grant(const Grant& grant) {
  if (const std::string flaw = flaw_of(grant); !flaw.empty()) {
    return fail(Code::kInvalidArgument, "grant: " + flaw);
  }
  wire::Writer tail;
  write_grantee(tail, grant.grantee);
  write_data_uses(tail, grant.data_uses);
  write_scope(tail, grant.scope);
  write_act(tail, grant);
  for (const JointId& emergency : grant.shown) tail.id(emergency);
  const std::size_t size =
      layout::kSitesAt + grant.sites.size() * layout::kSiteBytes + tail.bytes().size();
  if (size > card::kMaxGrantBytes) {
    return fail(Code::kInvalidArgument,
                "grant: it says more than fits on a card (" + std::to_string(size) + " of " +
                    std::to_string(card::kMaxGrantBytes) + " bytes); name fewer regions");
  }
  wire::Writer writer;
  writer.raw(as_bytes(layout::kMagic));
  writer.u16(layout::kVersion);
  writer.u16(static_cast<std::uint16_t>(size));
  WARIFU_CHECK(writer.bytes().size() == layout::kCardAt);
  writer.id(grant.card);
  writer.id(grant.object);
  writer.u8(static_cast<std::uint8_t>(act_of(grant)));
  writer.u8(static_cast<std::uint8_t>(grant.purpose));
  writer.u16(grant.uses);
  writer.site(grant.destination);
  writer.i64(grant.not_before.value);
  writer.i64(grant.expiry.value);
  write_padded(writer, kLocales.at(static_cast<std::size_t>(grant.locale)), 4);
  write_padded(writer, grant.terminal, kTerminalBytes);
  writer.u32(0);
  WARIFU_CHECK(writer.bytes().size() == layout::kIndexAt);
  writer.u32(grant.index.value);
  writer.raw(grant.text_digest);
  writer.id(grant.joint);
  writer.u8(static_cast<std::uint8_t>(grant.capacity));
  writer.u8(grant.together);
  writer.u8(static_cast<std::uint8_t>(grant.shown.size()));
  writer.u8(0);
  WARIFU_CHECK(writer.bytes().size() == layout::kSiteCountAt);
  writer.u8(static_cast<std::uint8_t>(grant.sites.size()));
  writer.raw(Bytes(3));
  for (const GrantSite& site : grant.sites) {
    writer.site(site.site);
    writer.id(site.nonce);
  }
  writer.raw(tail.bytes());
  WARIFU_CHECK(writer.bytes().size() == size);
  return writer.take();
}

Result<Grant> parse_grant(ByteView bytes) {
  wire::Reader reader(bytes, "grant");
  Grant grant;
  read_head(reader, bytes.size());
  grant.card = reader.id<CardId>();
  grant.object = reader.id<ObjectId>();
  const std::uint8_t act = reader.u8();
  grant.purpose = static_cast<Purpose>(reader.u8());
  grant.uses = reader.u16();
  grant.destination = reader.site();
  grant.not_before.value = reader.i64();
  grant.expiry.value = reader.i64();
  const std::string locale = read_padded(reader, 4);
  const auto known = std::ranges::find(kLocales, locale);
  if (known == kLocales.end()) reader.reject("its locale is unknown");
  grant.locale = static_cast<Locale>(known - kLocales.begin());
  grant.terminal = read_padded(reader, kTerminalBytes);
  skip_zeros(reader, 4);
  grant.index.value = reader.u32();
  const ByteView digest = reader.raw(grant.text_digest.size());
  grant.joint = reader.id<JointId>();
  grant.capacity = static_cast<Capacity>(reader.u8());
  grant.together = reader.u8();
  const std::size_t shown = reader.u8();
  skip_zeros(reader, 1);
  read_sites(reader, grant);
  grant.grantee = read_grantee(reader);
  grant.data_uses = read_data_uses(reader);
  grant.scope = read_scope(reader);
  read_act(reader, act, grant);
  if (shown > kMaxShown) reader.reject("too many emergencies");
  for (std::size_t i = 0; i < shown && reader.good(); ++i) {
    grant.shown.push_back(reader.id<JointId>());
  }
  if (bytes.size() > card::kMaxGrantBytes) reader.reject("it is longer than a grant may be");
  TRY(reader.finish());
  copy_bytes(grant.text_digest, digest);
  if (const std::string flaw = flaw_of(grant); !flaw.empty()) {
    return fail(Code::kProtocol, "grant is malformed: " + flaw);
  }
  return grant;
}

Act act_of(const Grant& grant) {
  return grant.appointment       ? Act::kAppoint
         : grant.top_up          ? Act::kTopUp
         : grant.emergency_until ? Act::kEmergencyLeave
                                 : Act::kUse;
}

bool same_terms(const Grant& one, const Grant& other) {
  return one.object == other.object && one.purpose == other.purpose && one.uses == other.uses &&
         one.grantee == other.grantee && one.destination == other.destination &&
         one.expiry == other.expiry && one.data_uses == other.data_uses &&
         closed(one.scope) == closed(other.scope) && one.capacity == other.capacity &&
         one.together == other.together && one.joint == other.joint &&
         one.appointment == other.appointment && one.top_up == other.top_up &&
         one.emergency_until == other.emergency_until && one.reason == other.reason;
}

std::string purposes_text(std::uint8_t purposes) {
  std::string text;
  for (unsigned bit = 0; bit < kLastPurpose; ++bit) {
    if (((std::uint32_t{purposes} >> bit) & 1U) == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(purpose_name(static_cast<Purpose>(bit + 1)));
  }
  return text;
}

GrantId grant_id(ByteView grant) {
  return GrantId::from_view(ByteView(crypto::sha256(grant)).first(16));
}

}  // namespace warifu::consent
