// Client side of the consent card.
#include "card/consent_profile.h"

#include <algorithm>

#include "card/consent_commands.h"
#include "wire/wire.h"

namespace warifu::card {
Result<> check_pin(ByteView pin) {
  const bool digits = std::ranges::all_of(pin, [](Byte b) { return b >= '0' && b <= '9'; });
  if (pin.size() < kMinPinBytes || pin.size() > kMaxPinBytes || !digits) {
    return fail(Code::kInvalidArgument, "a PIN has " + std::to_string(kMinPinBytes) + " to " +
                                            std::to_string(kMaxPinBytes) + " digits");
  }
  return {};
}

namespace {

Code code_of(Status status) {
  switch (status) {
    case Status::kTriesLeft:
    case Status::kSecurity:
    case Status::kBlocked:
    case Status::kReferenceUnusable:
    case Status::kConditions:
    case Status::kReferenceNotFound: return Code::kRefused;
    case Status::kMemoryFailure: return Code::kIo;
    case Status::kWrongData: return Code::kInvalidArgument;
    case Status::kNotFound:
    case Status::kRecordNotFound: return Code::kNotFound;
    case Status::kNoSpace: return Code::kNoSpace;
    case Status::kAlreadyExists: return Code::kAlreadyExists;
    default: return Code::kProtocol;
  }
}

// What a reader says instead of the card when nothing was entered at its pad (PC/SC part 10).
Result<> check_pad_entry(StatusWord status) {
  switch (status.value) {
    case 0x6400: return fail(Code::kTimeout, "no PIN was entered at the reader's pad");
    case 0x6401: return fail(Code::kCancelled, "the entry was cancelled at the reader's pad");
    case 0x6403:
      return fail(Code::kInvalidArgument,
                  "the PIN entered at the reader's pad is too short or too "
                  "long");
    default: return {};
  }
}

Result<KeyRange> range_of(KeyIndex first, std::span<const SiteKeys> sites) {
  if (sites.empty() || sites.size() > kMaxSites) {
    return fail(Code::kInvalidArgument, "a card takes keys of 1 to 7 sites");
  }
  const KeyRange range{first, static_cast<std::uint32_t>(sites[0].count())};
  bool good = range.is_valid();
  for (std::size_t i = 0; i < sites.size(); ++i) {
    good = good && sites[i].keys.size() == range.count * kOneTimeKeyBytes;
    for (std::size_t j = 0; j < i; ++j) good = good && sites[i].site != sites[j].site;
  }
  if (!good) {
    return fail(Code::kInvalidArgument,
                "every site must bring the same number of keys, 1 to 2000, and be named once");
  }
  return range;
}

void write_range(wire::Writer& writer, KeyRange range, std::span<const SiteKeys> sites) {
  writer.u32(range.first.value);
  writer.u32(range.count);
  writer.u8(static_cast<std::uint8_t>(sites.size()));
  for (const SiteKeys& site : sites) writer.site(site.site);
}

}  // namespace

Result<secret::Buffer> ConsentCard::run(const CommandHeader& header, secret::Buffer data,
                                        std::uint32_t expected, std::string_view what) {
  const CommandApdu command{header, std::move(data), expected};
  auto answer = session_->exchange(command);
  if (!answer) return fail_in(what, answer.error());
  if (answer->status.kind() != Status::kOk) {
    return fail(code_of(answer->status.kind()),
                std::string(what) + ": the card answers " + answer->status.text());
  }
  return std::move(answer->data);
}

Result<ConsentCard> ConsentCard::select(Session& session) {
  ConsentCard card(session);
  TRY(card.run(profile::kSelect, secret::Buffer::copy_of(profile::kAid), kShortExpected,
               "select the consent application"));
  return card;
}

Result<CardIdentity> ConsentCard::identity() {
  TRY_ASSIGN(const secret::Buffer data,
             run(profile::kReadIdentity, {}, kShortExpected, "read the card's identity"));
  wire::Reader reader(data.bytes(), "card identity");
  CardIdentity identity;
  if (reader.u8() != profile::kVersion) reader.reject("another profile version");
  identity.is_active = reader.u8() == 1;
  identity.is_emulated = (reader.u8() & profile::kFlagEmulated) != 0;
  identity.pin_tries_left = reader.u8();
  identity.site_count = reader.u8();
  (void)reader.u8();  // reserved
  identity.object_count = reader.u16();
  identity.keys.first.value = reader.u32();
  identity.keys.count = reader.u32();
  identity.card = reader.id<CardId>();
  TRY(reader.finish());
  return identity;
}

// The counter first: the last try is not spent by accident.
Result<> ConsentCard::check_tries(LastTry last_try) {
  TRY_ASSIGN(const ResponseApdu counter, session_->exchange({profile::kVerify, {}, 0}));
  if (counter.status.kind() == Status::kBlocked || counter.status.value == 0x63C0) {
    return fail(Code::kRefused, "the card's PIN is blocked; the card must be issued again");
  }
  if (counter.status.kind() != Status::kTriesLeft) {
    return fail(code_of(counter.status.kind()),
                "read the PIN counter: the card answers " + counter.status.text());
  }
  if (counter.status.argument() == 1 && last_try == LastTry::kRefuse) {
    return fail(Code::kRefused, "only one try of the PIN is left; nothing was sent to the card");
  }
  return {};
}

Result<> ConsentCard::check_verified(StatusWord status) {
  switch (status.kind()) {
    case Status::kOk: return {};
    case Status::kTriesLeft:
      return fail(Code::kRefused,
                  "wrong PIN: " + std::to_string(status.argument()) + " tries left");
    case Status::kBlocked: return fail(Code::kRefused, "wrong PIN: the card's PIN is now blocked");
    default:
      return fail(code_of(status.kind()), "verify the PIN: the card answers " + status.text());
  }
}

Result<> ConsentCard::verify_pin(ByteView pin, LastTry last_try) {
  TRY(check_pin(pin));
  TRY(check_tries(last_try));
  TRY_ASSIGN(const ResponseApdu answer,
             session_->exchange({profile::kVerify, secret::Buffer::copy_of(pin), 0}));
  return check_verified(answer.status);
}

Result<bool> ConsentCard::verify_on_pad(LastTry last_try) {
  TRY(check_tries(last_try));
  TRY_ASSIGN(const auto status,
             session_->verify_on_pad({profile::kVerify, kMinPinBytes, kMaxPinBytes}));
  if (!status) return false;
  TRY(check_pad_entry(*status));
  TRY(check_verified(*status));
  return true;
}

Result<> ConsentCard::load(std::span<const SiteKeys> sites, std::string_view what,
                           const std::function<void(std::size_t)>& loaded) {
  for (std::size_t site = 0; site < sites.size(); ++site) {
    CommandHeader header = profile::kLoadKeys;
    header.p1 = static_cast<Byte>(site);
    const std::size_t count = sites[site].count();
    for (std::size_t at = 0; at < count; at += profile::kKeysPerLoad) {
      const std::size_t now = std::min(profile::kKeysPerLoad, count - at);
      wire::Writer offset;
      offset.u32(static_cast<std::uint32_t>(at));
      secret::Buffer data(4 + now * kOneTimeKeyBytes);
      copy_bytes(data.bytes(), offset.bytes());
      copy_bytes(data.bytes().subspan(4),
                 sites[site].keys.bytes().subspan(at * kOneTimeKeyBytes, now * kOneTimeKeyBytes));
      TRY(run(header, std::move(data), 0, what));
    }
    if (loaded) loaded(site + 1);
  }
  TRY(run(profile::kCommitLoad, {}, 0, what));
  return {};
}

Result<> ConsentCard::personalise(const Personalisation& content) {
  TRY(check_pin(content.pin.bytes()));
  TRY_ASSIGN(const KeyRange range, range_of(content.first_index, content.sites));
  wire::Writer rest;
  write_range(rest, range, content.sites);
  secret::Buffer data(16 + profile::kPinFieldBytes + rest.bytes().size());
  const MutableBytes to = data.bytes();
  copy_bytes(to, content.card.view());
  to[16] = static_cast<Byte>(content.pin.size());
  copy_bytes(to.subspan(17), content.pin.bytes());
  copy_bytes(to.subspan(16 + profile::kPinFieldBytes), rest.bytes());
  constexpr std::string_view kWhat = "personalise the card";
  TRY(run(profile::kBeginPersonalise, std::move(data), 0, kWhat));
  return load(content.sites, kWhat, content.loaded);
}

Result<> ConsentCard::load_range(const CommandHeader& begin, KeyIndex first,
                                 std::span<const SiteKeys> sites, std::string_view what) {
  TRY_ASSIGN(const KeyRange range, range_of(first, sites));
  wire::Writer header;
  write_range(header, range, sites);
  TRY(run(begin, secret::Buffer::copy_of(header.bytes()), 0, what));
  return load(sites, what);
}

Result<> ConsentCard::top_up(KeyIndex first, std::span<const SiteKeys> sites) {
  return load_range(profile::kBeginTopUp, first, sites, "load more keys on the card");
}

Result<> ConsentCard::renew(KeyIndex first, std::span<const SiteKeys> sites) {
  return load_range(profile::kBeginRenewal, first, sites, "load other keys on the card");
}

Result<> ConsentCard::may_renew(KeyRange range, const SiteName& site) {
  std::vector<SiteKeys> sites;
  sites.push_back({site, secret::Buffer(range.count * kOneTimeKeyBytes)});
  wire::Writer header;
  write_range(header, range, sites);
  TRY(run(profile::kBeginRenewal, secret::Buffer::copy_of(header.bytes()), 0,
          "load other keys on the card"));
  return {};
}

Result<std::vector<SiteName>> ConsentCard::list_sites() {
  TRY_ASSIGN(const secret::Buffer data,
             run(profile::kListSites, {}, kShortExpected, "list the sites of the card"));
  wire::Reader reader(data.bytes(), "the card's list of sites");
  std::vector<SiteName> sites;
  while (reader.good() && reader.remaining() > 0) {
    if (sites.size() == kMaxSites) reader.reject("it is too long");
    sites.push_back(reader.site());
  }
  TRY(reader.finish());
  return sites;
}

Result<> ConsentCard::put_object(const ObjectRecord& record) {
  if (record.hash_key.size() != mac::kBlockBytes) {
    return fail(Code::kInvalidArgument, "an object's hash key has 16 bytes");
  }
  wire::Writer numbers;
  numbers.raw(record.tag);
  numbers.u64(record.chunk_count);
  numbers.u64(record.length.value);
  secret::Buffer data(ObjectRecord::kBytes);
  copy_bytes(data.bytes(), record.object.view());
  copy_bytes(data.bytes().subspan(16), record.hash_key.bytes());
  copy_bytes(data.bytes().subspan(32), numbers.bytes());
  TRY(run(profile::kPutObject, std::move(data), 0, "store the object's record on the card"));
  return {};
}

Result<std::vector<ObjectId>> ConsentCard::list_objects() {
  TRY_ASSIGN(const secret::Buffer data,
             run(profile::kListObjects, {}, kShortExpected, "list the objects of the card"));
  if (data.size() % 16 != 0 || data.size() / 16 > kMaxObjects) {
    return fail(Code::kProtocol, "the card's list of objects is malformed");
  }
  std::vector<ObjectId> objects;
  for (std::size_t at = 0; at < data.size(); at += 16) {
    objects.push_back(ObjectId::from_view(ByteView(data.bytes()).subspan(at, 16)));
  }
  return objects;
}

Result<ObjectRecord> ConsentCard::get_object(const ObjectId& object) {
  const std::string what = "read the record of object " + object.text();
  TRY_ASSIGN(
      const secret::Buffer data,
      run(profile::kGetObject, secret::Buffer::copy_of(object.view()), kShortExpected, what));
  wire::Reader reader(data.bytes(), "object record");
  ObjectRecord record;
  record.object = reader.id<ObjectId>();
  record.hash_key = secret::Buffer::copy_of(reader.raw(mac::kBlockBytes));
  const ByteView tag = reader.raw(mac::kBlockBytes);
  record.chunk_count = reader.u64();
  record.length.value = reader.u64();
  if (record.object != object) reader.reject("it is of another object");
  TRY(reader.finish());
  copy_bytes(record.tag, tag);
  return record;
}

Result<std::vector<mac::Tag>> ConsentCard::authorise(ByteView grant) {
  if (grant.size() < grant_layout::kSitesAt || grant.size() > kMaxGrantBytes) {
    return fail(Code::kInvalidArgument, "the grant has a wrong length");
  }
  TRY_ASSIGN(const secret::Buffer data, run(profile::kAuthorise, secret::Buffer::copy_of(grant),
                                            kShortExpected, "authorise the grant"));
  const std::size_t sites = grant[grant_layout::kSiteCountAt];
  if (data.size() != sites * mac::kBlockBytes) {
    return fail(Code::kProtocol, "the card answered a grant with a wrong number of tags");
  }
  std::vector<mac::Tag> tags(sites);
  for (std::size_t i = 0; i < sites; ++i) {
    copy_bytes(tags[i], data.bytes().subspan(i * mac::kBlockBytes, mac::kBlockBytes));
  }
  return tags;
}

}  // namespace warifu::card
