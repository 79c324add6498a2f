// Scripts over a dialogue: personalise, authorise, records, identify.
#include "card/desfire_layout.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::card::desfire {
namespace {

// What a card says when the site's key does not fit and no other may be tried.
Error not_this_card() {
  return {Code::kRefused, "this is not the card that this site has personalised"};
}

constexpr std::array<Byte, kKeyBytes> kFactoryKey{};
constexpr Byte kKeySettings = 0x0B;  // key 0 changes keys and files; listing is free
constexpr Byte kOneAesKey = 0x81;
constexpr Byte kKeyVersion = 1;
constexpr std::string_view kLabelMagic = "WID1";

// Everything that one try of a personalisation knows; shared by its steps.
struct Personalising : SiteSetup {
  std::function<Result<>(CardKind)> done;
  CardKind kind = CardKind::kDesfire;
};
using Shared = std::shared_ptr<Personalising>;

secret::Buffer copy(const secret::Buffer& bytes) {
  return secret::Buffer::copy_of(bytes.bytes());
}

Result<CardKind> kind_of(ByteView version) {
  if (version.size() < kVersionBytes) return fail(Code::kNotFound, "this is no DESFire card");
  if (version[0] == kVendorNxp && (version[1] & 0x0F) == 0x01) return CardKind::kDesfire;
  if (version[0] == kVendorEmulated) return CardKind::kDesfireEmulated;
  return fail(Code::kNotFound, "this type A card is no DESFire card");
}

Dialogue::Taken expect(std::string_view what) {
  return [what = std::string(what)](const Dialogue::Answer& answer) -> Result<> {
    if (answer.status != Status::kOk) return refused(what, answer.status);
    return {};
  };
}

void make_file(Dialogue& dialogue, Command command, FileNumber file, Comm comm, AccessRights rights,
               std::uint32_t size) {
  wire::Writer writer;
  writer.u8(file.value);
  writer.u8(static_cast<Byte>(comm));
  writer.raw(rights.bytes());
  const std::array<Byte, 3> length = {static_cast<Byte>(size), static_cast<Byte>(size >> 8),
                                      static_cast<Byte>(size >> 16)};
  writer.raw(length);
  dialogue.secured(command, writer.bytes(), {}, Comm::kMac, expect("make a file"));
}

void fill_files(Dialogue& dialogue, const Shared& work) {
  dialogue.secured(Command::kGetFileIds, {}, {}, Comm::kMac,
                   [&dialogue, work](const Dialogue::Answer& answer) -> Result<> {
                     if (answer.status != Status::kOk)
                       return refused("list the files", answer.status);
                     const ByteView there = answer.data.bytes();
                     const auto missing = [&](FileNumber file) {
                       return std::ranges::find(there, file.value) == there.end();
                     };
                     constexpr AccessRights kReadByAll{.read = AccessRights::kFree};
                     if (missing(kIdFile)) {
                       make_file(dialogue, Command::kCreateStdDataFile, kIdFile, Comm::kMac,
                                 kReadByAll, kIdBytes);
                     }
                     if (missing(kGrantFile)) {
                       make_file(dialogue, Command::kCreateBackupDataFile, kGrantFile, Comm::kMac,
                                 {}, kDigestBytes);
                     }
                     if (missing(kTokenFile)) {
                       make_file(dialogue, Command::kCreateBackupDataFile, kTokenFile, Comm::kFull,
                                 {}, kTokenBytes);
                     }
                     if (work->own.number == kRecordsApplication && missing(kRecordsFile)) {
                       make_file(dialogue, Command::kCreateBackupDataFile, kRecordsFile,
                                 Comm::kFull, {}, kRecordSlots * ObjectRecord::kBytes);
                     }
                     dialogue.write(kTokenFile, 0, work->token.bytes(), Comm::kFull);
                     dialogue.commit([]() -> Result<> { return {}; });
                     dialogue.write(kIdFile, 0, work->label.bytes(), Comm::kMac);
                     dialogue.then([work] { return work->done(work->kind); });
                     return {};
                   });
}

void change_factory_key(Dialogue& dialogue, const Shared& work) {
  const auto with_factory_key = [&dialogue, work](bool fits) -> Result<> {
    if (!fits) {
      return fail(Code::kRefused,
                  "the card has an application of somebody else where this site's "
                  "should be; take a blank card");
    }
    const secret::Buffer data = key_data(work->own.key.bytes(), kKeyVersion);
    dialogue.secured(Command::kChangeKey, std::array<Byte, 1>{0}, data.bytes(), Comm::kFull,
                     expect("change the key"));
    dialogue.authenticate_ev2(0, copy(work->own.key), [&dialogue, work](bool own) -> Result<> {
      if (!own) return fail(Code::kRefused, "the card did not take the site's key");
      fill_files(dialogue, work);
      return {};
    });
    return {};
  };
  dialogue.authenticate_ev2(0, secret::Buffer::copy_of(kFactoryKey), with_factory_key);
}

void make_application(Dialogue& dialogue, const Shared& work) {
  const ApplicationId application = application_of(work->own.number);
  const auto id = application.bytes();
  const std::array<Byte, 5> parameters = {id[0], id[1], id[2], kKeySettings, kOneAesKey};
  dialogue.select({});
  dialogue.plain(Command::kCreateApplication, parameters, expect("make the application"));
  dialogue.select(application);
  dialogue.then([&dialogue, work]() -> Result<> {
    change_factory_key(dialogue, work);
    return {};
  });
}

// An earlier try of this site may have changed the key already.
void enter_application(Dialogue& dialogue, const Shared& work) {
  dialogue.plain(Command::kSelectApplication, application_of(work->own.number).bytes(),
                 [&dialogue, work](const Dialogue::Answer& answer) -> Result<> {
                   if (answer.status == Status::kNoApplication) {
                     if (work->is_known) return std::unexpected(not_this_card());
                     make_application(dialogue, work);
                     return {};
                   }
                   if (answer.status != Status::kOk) {
                     return refused("select the application", answer.status);
                   }
                   dialogue.authenticate_ev2(0, copy(work->own.key),
                                             [&dialogue, work](bool own) -> Result<> {
                                               if (own) {
                                                 fill_files(dialogue, work);
                                               } else if (work->is_known) {
                                                 return std::unexpected(not_this_card());
                                               } else {
                                                 change_factory_key(dialogue, work);
                                               }
                                               return {};
                                             });
                   return {};
                 });
}

// Selects and authenticates, or refuses.
void enter(Dialogue& dialogue, const SiteKey& own, std::function<Result<>()> inside) {
  dialogue.select(application_of(own.number));
  dialogue.authenticate_ev2(0, copy(own.key), [inside = std::move(inside)](bool fits) -> Result<> {
    if (!fits) {
      return fail(Code::kRefused, "the card does not know this site's key");
    }
    return inside();
  });
}

constexpr std::uint32_t slot_at(std::uint32_t slot) {
  return slot * static_cast<std::uint32_t>(ObjectRecord::kBytes);
}

// Reads slot after slot until `seen` says that it has found what it looks for.
void walk(Dialogue& dialogue, std::uint32_t slot,
          std::function<Result<bool>(std::uint32_t slot, ByteView record)> seen,
          std::function<Result<>()> at_end) {
  dialogue.read({kRecordsFile, slot_at(slot), ObjectRecord::kBytes}, Comm::kFull,
                [&dialogue, slot, seen, at_end](ByteView record) -> Result<> {
                  TRY_ASSIGN(const bool found, seen(slot, record));
                  if (found) return {};
                  if (slot + 1 == kRecordSlots) return at_end();
                  walk(dialogue, slot + 1, seen, at_end);
                  return {};
                });
}

bool is_free(ByteView record) {
  return std::ranges::all_of(record.first(16), [](Byte b) { return b == 0; });
}

}  // namespace

bool is_ours(ApplicationId application) {
  return (application.value & 0xFFFF00U) == 0x574100U && (application.value & 0xFFU) >= 1 &&
         (application.value & 0xFFU) <= kMaxApplications;
}

std::array<Byte, kIdBytes> CardLabel::bytes() const {
  std::array<Byte, kIdBytes> out{};
  copy_bytes(out, as_bytes(kLabelMagic));
  out[4] = 1;  // version
  out[5] = number;
  out[6] = applications;
  copy_bytes(MutableBytes(out).subspan(8), card.view());
  return out;
}

Result<CardLabel> CardLabel::parse(ByteView bytes) {
  wire::Reader reader(bytes, "the card's label");
  CardLabel label;
  if (as_text(reader.raw(4)) != kLabelMagic || reader.u8() != 1) reader.reject("not version 1");
  label.number = reader.u8();
  label.applications = reader.u8();
  (void)reader.u8();
  label.card = reader.id<CardId>();
  (void)reader.raw(8);
  if (label.card.is_zero() || label.number == 0 || label.applications > kMaxApplications) {
    reader.reject("a number is out of range");
  }
  if (const auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  return label;
}

void personalise(Dialogue& dialogue, SiteSetup setup, std::function<Result<>(CardKind)> done) {
  const Shared work = std::make_shared<Personalising>(
      Personalising{{std::move(setup)}, std::move(done), CardKind::kDesfire});
  dialogue.select({});
  dialogue.plain(Command::kGetVersion, {},
                 [&dialogue, work](const Dialogue::Answer& answer) -> Result<> {
                   if (answer.status != Status::kOk)
                     return refused("ask what it is", answer.status);
                   TRY_ASSIGN(work->kind, kind_of(answer.data.bytes()));
                   enter_application(dialogue, work);
                   return {};
                 });
}

void authorise(Dialogue& dialogue, const SiteKey& own, ByteView grant_digest,
               std::function<Result<secret::Buffer>(ByteView token)> renew,
               std::function<Result<>()> done) {
  const Bytes digest(grant_digest.begin(), grant_digest.end());
  enter(dialogue, own, [&dialogue, digest, renew, done]() -> Result<> {
    dialogue.read({kTokenFile, 0, kTokenBytes}, Comm::kFull,
                  [&dialogue, digest, renew, done](ByteView token) -> Result<> {
                    TRY_ASSIGN(const secret::Buffer fresh, renew(token));
                    dialogue.write(kGrantFile, 0, digest, Comm::kMac);
                    dialogue.write(kTokenFile, 0, fresh.bytes(), Comm::kFull);
                    dialogue.commit(done);
                    return {};
                  });
    return {};
  });
}

secret::Buffer record_bytes(const ObjectRecord& record) {
  wire::Writer numbers;
  numbers.raw(record.tag);
  numbers.u64(record.chunk_count);
  numbers.u64(record.length.value);
  return joined({record.object.view(), record.hash_key.bytes(), numbers.bytes()});
}

Result<ObjectRecord> parse_record_bytes(ByteView bytes) {
  wire::Reader reader(bytes, "object record");
  ObjectRecord record;
  record.object = reader.id<ObjectId>();
  record.hash_key = secret::Buffer::copy_of(reader.raw(mac::kBlockBytes));
  const ByteView tag = reader.raw(mac::kBlockBytes);
  record.chunk_count = reader.u64();
  record.length.value = reader.u64();
  if (const auto good = reader.finish(); !good) return fail(Code::kCorrupt, good.error().message);
  copy_bytes(record.tag, tag);
  return record;
}

void get_record(Dialogue& dialogue, const SiteKey& own, const ObjectId& object,
                std::function<Result<>(ObjectRecord)> done) {
  const auto missing = [object]() -> Result<> {
    return fail(Code::kNotFound, "the card has no record of object " + object.text());
  };
  const auto seen = [object, done, missing](std::uint32_t, ByteView bytes) -> Result<bool> {
    if (is_free(bytes)) TRY(missing());
    TRY_ASSIGN(ObjectRecord record, parse_record_bytes(bytes));
    if (record.object != object) return false;
    TRY(done(std::move(record)));
    return true;
  };
  enter(dialogue, own, [&dialogue, seen, missing]() -> Result<> {
    walk(dialogue, 0, seen, missing);
    return {};
  });
}

void put_record(Dialogue& dialogue, const SiteKey& own, const ObjectRecord& record) {
  const auto wanted = std::make_shared<secret::Buffer>(record_bytes(record));
  const auto seen = [&dialogue, wanted](std::uint32_t slot, ByteView bytes) -> Result<bool> {
    if (secret::equal(bytes, wanted->bytes())) return true;
    if (std::ranges::equal(bytes.first(16), ByteView(wanted->bytes()).first(16))) {
      return fail(Code::kAlreadyExists, "the card has another record of this object");
    }
    if (!is_free(bytes)) return false;
    dialogue.write(kRecordsFile, slot_at(slot), wanted->bytes(), Comm::kFull);
    dialogue.commit([]() -> Result<> { return {}; });
    return true;
  };
  enter(dialogue, own, [&dialogue, seen]() -> Result<> {
    walk(dialogue, 0, seen, []() -> Result<> {
      return fail(Code::kNoSpace, "the card has records of " + std::to_string(kRecordSlots) +
                                      " objects, all that it takes");
    });
    return {};
  });
}

Result<DesfireIdentity> identify(Session& session, os::Random& random) {
  Dialogue dialogue(random);
  DesfireIdentity identity;
  dialogue.plain(Command::kGetVersion, {}, [&](const Dialogue::Answer& answer) -> Result<> {
    if (answer.status != Status::kOk) return fail(Code::kNotFound, "this is no DESFire card");
    TRY_ASSIGN(identity.kind, kind_of(answer.data.bytes()));
    const ByteView version = answer.data.bytes();
    identity.version.assign(version.begin(), version.end());
    return {};
  });
  dialogue.select({});
  dialogue.plain(Command::kGetApplicationIds, {}, [&](const Dialogue::Answer& answer) -> Result<> {
    if (answer.status != Status::kOk) return refused("list the applications", answer.status);
    const ByteView ids = answer.data.bytes();
    for (std::size_t at = 0; at + 3 <= ids.size(); at += 3) {
      const ApplicationId id{ids[at] | std::uint32_t{ids[at + 1]} << 8 |
                             std::uint32_t{ids[at + 2]} << 16};
      if (is_ours(id)) ++identity.applications;
      if (id != application_of(kRecordsApplication)) continue;
      dialogue.select(id);
      dialogue.plain(Command::kReadData, Span{kIdFile, 0, kIdBytes}.bytes(),
                     [&](const Dialogue::Answer& read) -> Result<> {
                       // Half personalised: no file yet, or zeros in it.
                       if (read.status != Status::kOk) return {};
                       const auto label = CardLabel::parse(read.data.bytes());
                       identity.is_active = label.has_value();
                       if (label) identity.label = *label;
                       return {};
                     });
    }
    return {};
  });
  const auto done = run(dialogue, session);
  if (!done && done.error().code == Code::kProtocol) {
    return fail(Code::kNotFound, "this is no DESFire card: " + done.error().message);
  }
  TRY(done);
  return identity;
}

}  // namespace warifu::card::desfire
