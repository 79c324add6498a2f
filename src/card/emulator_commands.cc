// The emulated card: loading of keys, object records, and AUTHORISE.
#include <algorithm>

#include "card/consent_commands.h"
#include "card/emulator.h"
#include "wire/wire.h"

namespace warifu::card {
namespace {

ResponseApdu status(Status status) {
  return {{}, word_of(status)};
}

// What the card needs of a grant; the sites parse it whole.
struct GrantParts {
  CardId card;
  KeyIndex index;
  std::vector<SiteName> sites;
};

Result<GrantParts> read_grant(ByteView grant) {
  namespace layout = grant_layout;
  wire::Reader reader(grant, "grant");
  GrantParts parts;
  if (as_text(reader.raw(4)) != layout::kMagic) reader.reject("not a grant");
  if (reader.u16() != layout::kVersion) reader.reject("unknown version");
  if (reader.u16() != grant.size()) reader.reject("another length");
  parts.card = reader.id<CardId>();
  (void)reader.raw(layout::kIndexAt - layout::kCardAt - 16);
  parts.index.value = reader.u32();
  (void)reader.raw(layout::kSiteCountAt - layout::kIndexAt - 4);
  const std::uint8_t count = reader.u8();
  if (count == 0 || count > kMaxSites) reader.reject("number of sites");
  (void)reader.raw(layout::kSitesAt - layout::kSiteCountAt - 1);
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    parts.sites.push_back(reader.site());
    (void)reader.raw(layout::kSiteBytes - 16);
  }
  TRY(reader.check());  // what else is agreed follows
  return parts;
}

// nullptr: the card has no keys for it.
SiteKeys* find_site(CardState& state, const SiteName& site) {
  const auto found = std::ranges::find(state.sites, site, &SiteKeys::site);
  return found == state.sites.end() ? nullptr : &*found;
}

secret::Buffer joined(ByteView first, ByteView second) {
  secret::Buffer out(first.size() + second.size());
  copy_bytes(out.bytes(), first);
  copy_bytes(out.bytes().subspan(first.size()), second);
  return out;
}

}  // namespace

ResponseApdu EmulatedCard::begin_load(const CommandApdu& command) {
  now_.load.reset();
  Load load;
  load.is_top_up = command.header.p1 == profile::kBeginTopUp.p1;
  load.is_renewal = command.header.p1 == profile::kBeginRenewal.p1;
  const bool is_new = !load.is_top_up && !load.is_renewal;
  if (!is_new && !now_.is_verified) return status(Status::kSecurity);
  if (is_new == state_.is_active) return status(Status::kConditions);
  wire::Reader reader(command.data.bytes(), "load header");
  if (is_new) {
    load.card = reader.id<CardId>();
    load.pin = secret::Buffer::copy_of(reader.raw(profile::kPinFieldBytes));
  }
  load.range.first.value = reader.u32();
  load.range.count = reader.u32();
  const std::uint8_t sites = reader.u8();
  if (!load.range.is_valid() || sites == 0 || sites > kMaxSites) reader.reject("range");
  for (std::size_t i = 0; i < sites && reader.good(); ++i) {
    SiteKeys keys{reader.site(), secret::Buffer(load.range.count * kOneTimeKeyBytes)};
    for (const SiteKeys& other : load.sites) {
      if (other.site == keys.site) reader.reject("a site twice");
    }
    load.sites.push_back(std::move(keys));
  }
  if (!reader.finish()) return status(Status::kWrongData);
  if (load.is_top_up) {
    const bool same_sites =
        std::ranges::equal(load.sites, state_.sites, {}, &SiteKeys::site, &SiteKeys::site);
    if (!same_sites || load.range.first != state_.keys.end()) {
      return status(Status::kReferenceUnusable);
    }
    if (state_.keys.count + load.range.count > kMaxKeysPerSite) return status(Status::kNoSpace);
  } else if (load.is_renewal) {
    const bool known = std::ranges::all_of(
        load.sites, [&](const SiteKeys& site) { return find_site(state_, site.site) != nullptr; });
    if (!known || load.range.first != state_.keys.first || load.range.count != state_.keys.count) {
      return status(Status::kReferenceUnusable);
    }
  } else {
    const ByteView pin = load.pin.bytes();
    const bool good = pin[0] >= kMinPinBytes && pin[0] <= kMaxPinBytes && !load.card.is_zero() &&
                      std::ranges::all_of(pin.subspan(1u + pin[0]), [](Byte b) { return b == 0; });
    if (!good) return status(Status::kWrongData);
  }
  load.loaded.assign(load.sites.size(), 0);
  now_.load = std::move(load);
  return status(Status::kOk);
}

ResponseApdu EmulatedCard::load_keys(const CommandApdu& command) {
  if (!now_.load) return status(Status::kConditions);
  Load& load = *now_.load;
  const std::size_t site = command.header.p1;
  if (site >= load.sites.size()) return status(Status::kReferenceNotFound);
  wire::Reader reader(command.data.bytes(), "keys");
  const std::uint32_t offset = reader.u32();
  const ByteView keys = reader.raw(reader.remaining());
  const std::size_t count = keys.size() / kOneTimeKeyBytes;
  if (!reader.finish() || keys.size() % kOneTimeKeyBytes != 0 || count == 0 ||
      offset != load.loaded[site] || count > load.range.count - load.loaded[site]) {
    return status(Status::kWrongData);
  }
  copy_bytes(load.sites[site].keys.bytes().subspan(offset * kOneTimeKeyBytes), keys);
  load.loaded[site] += static_cast<std::uint32_t>(count);
  return status(Status::kOk);
}

ResponseApdu EmulatedCard::commit_load() {
  if (!now_.load) return status(Status::kConditions);
  Load load = std::move(*now_.load);
  now_.load.reset();
  for (const std::uint32_t loaded : load.loaded) {
    if (loaded != load.range.count) return status(Status::kConditions);
  }
  CardState next = state_.clone();
  if (load.is_top_up) {
    next.keys.count += load.range.count;
    for (std::size_t i = 0; i < next.sites.size(); ++i) {
      next.sites[i].keys = joined(next.sites[i].keys.bytes(), load.sites[i].keys.bytes());
    }
  } else if (load.is_renewal) {
    // An index that was spent meanwhile would shift the keys.
    if (load.range.first != state_.keys.first || load.range.count != state_.keys.count) {
      return status(Status::kConditions);
    }
    for (SiteKeys& renewed : load.sites) {
      find_site(next, renewed.site)->keys = std::move(renewed.keys);
    }
  } else {
    next.is_active = true;
    next.tries = kPinTries;
    next.card = load.card;
    next.pin = std::move(load.pin);
    next.keys = load.range;
    next.sites = std::move(load.sites);
  }
  return status(store(std::move(next)) ? Status::kOk : Status::kMemoryFailure);
}

ResponseApdu EmulatedCard::put_object(const CommandApdu& command) {
  if (!now_.is_verified) return status(Status::kSecurity);
  const ByteView record = command.data.bytes();
  if (record.size() != ObjectRecord::kBytes) return status(Status::kWrongLength);
  const ByteView held = state_.find_object(record.first(16));
  if (!held.empty()) {
    return status(secret::equal(held, record) ? Status::kOk : Status::kAlreadyExists);
  }
  if (state_.object_count() == kMaxObjects) return status(Status::kNoSpace);
  CardState next = state_.clone();
  next.objects = joined(state_.objects.bytes(), record);
  return status(store(std::move(next)) ? Status::kOk : Status::kMemoryFailure);
}

ResponseApdu EmulatedCard::list_objects() {
  if (!now_.is_verified) return status(Status::kSecurity);
  secret::Buffer ids(state_.object_count() * 16);
  for (std::size_t i = 0; i < state_.object_count(); ++i) {
    copy_bytes(ids.bytes().subspan(i * 16),
               ByteView(state_.objects.bytes()).subspan(i * ObjectRecord::kBytes, 16));
  }
  return {std::move(ids), word_of(Status::kOk)};
}

ResponseApdu EmulatedCard::get_object(const CommandApdu& command) {
  if (!now_.is_verified) return status(Status::kSecurity);
  if (command.data.size() != 16) return status(Status::kWrongLength);
  const ByteView record = state_.find_object(command.data.bytes());
  if (record.empty()) return status(Status::kRecordNotFound);
  return {secret::Buffer::copy_of(record), word_of(Status::kOk)};
}

ResponseApdu EmulatedCard::authorise(const CommandApdu& command) {
  if (!now_.may_authorise) return status(Status::kSecurity);
  const ByteView grant = command.data.bytes();
  const auto parts = read_grant(grant);
  if (!parts) return status(Status::kWrongData);
  if (parts->card != state_.card) return status(Status::kReferenceUnusable);
  if (state_.keys.count == 0 || parts->index != state_.keys.first) {
    return status(Status::kConditions);
  }
  secret::Buffer tags(parts->sites.size() * mac::kBlockBytes);
  for (std::size_t i = 0; i < parts->sites.size(); ++i) {
    const auto site = std::ranges::find(state_.sites, parts->sites[i], &SiteKeys::site);
    if (site == state_.sites.end()) return status(Status::kReferenceNotFound);
    const ByteView key = ByteView(site->keys.bytes()).first(kOneTimeKeyBytes);
    const mac::Key r(key.first(mac::kBlockBytes));
    copy_bytes(tags.bytes().subspan(i * mac::kBlockBytes),
               mac::one_time_tag(r, grant, key.last(mac::kBlockBytes)));
  }
  now_.may_authorise = false;
  CardState next = state_.clone();
  next.keys = {{state_.keys.first.value + 1}, state_.keys.count - 1};
  for (SiteKeys& site : next.sites) {
    site.keys = secret::Buffer::copy_of(ByteView(site.keys.bytes()).subspan(kOneTimeKeyBytes));
  }
  if (!store(std::move(next))) return status(Status::kMemoryFailure);
  return {std::move(tags), word_of(Status::kOk)};
}

}  // namespace warifu::card
