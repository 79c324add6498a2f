// Rounds of safekeeping, and bringing records back.
#include "custody/record_keeper.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "control/card_records.h"
#include "control/sealed_secret.h"
#include "sharing/guarded.h"
#include "wire/wire.h"

namespace warifu::custody {
namespace {

constexpr std::chrono::seconds kRoundInterval(20);
constexpr std::size_t kRecordsAtOnce = 100;

// object:16 r:16 tag:16 chunks:u64 length:u64, as the card keeps it. No Writer has seen r: what it
// outgrows is not wiped.
secret::Buffer encode_record(const card::ObjectRecord& record) {
  wire::Writer sizes;
  sizes.u64(record.chunk_count);
  sizes.u64(record.length.value);
  const std::array<ByteView, 4> parts = {record.object.view(), record.hash_key.bytes(), record.tag,
                                         sizes.bytes()};
  std::size_t size = 0;
  for (const ByteView part : parts) size += part.size();
  secret::Buffer out(size);
  MutableBytes rest = out.bytes();
  for (const ByteView part : parts) {
    copy_bytes(rest, part);
    rest = rest.subspan(part.size());
  }
  return out;
}

Result<card::ObjectRecord> decode_record(ByteView bytes) {
  wire::Reader reader(bytes, "card record");
  card::ObjectRecord record;
  record.object = reader.id<ObjectId>();
  record.hash_key = secret::Buffer::copy_of(reader.raw(mac::kBlockBytes));
  const ByteView tag = reader.raw(mac::kBlockBytes);
  if (reader.good()) copy_bytes(record.tag, tag);
  record.chunk_count = reader.u64();
  record.length = {reader.u64()};
  if (const auto read = reader.finish(); !read) return fail(Code::kCorrupt, read.error().message);
  return record;
}

}  // namespace

void RecordKeeper::start() {
  if (!is_on()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void RecordKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void RecordKeeper::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_all();
}

void RecordKeeper::run(const std::stop_token& stop) {
  std::string told;
  while (!stop.stop_requested()) {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kRoundInterval, [this] { return woken_; });
    woken_ = false;
    lock.unlock();
    if (stop.stop_requested()) return;
    const auto made = round();
    const std::string problem = made ? "" : made.error().message;
    if (!problem.empty() && problem != told) {
      log_warning("card records are not in safekeeping yet: " + problem);
    }
    told = problem;
  }
}

Result<> RecordKeeper::put(const SiteName& holder, const KeptShare& kept) {
  if (holder == site_.config.name) return own_.keep(kept);
  Bytes body = encode(kept);
  const auto put = site_.caller.ask(holder, number(Method::kRecordKeep), body);
  secret::wipe(body);
  if (!put) return fail_in(holder.text(), put.error());
  return {};
}

Result<> RecordKeeper::keep(const catalog::UnkeptRecord& unkept) {
  TRY_ASSIGN(const catalog::Object object, catalog_.object(unkept.object));
  TRY_ASSIGN(const control::ObjectSecrets secrets,
             control::open_object_secrets(site_.keys.root_key().bytes(), unkept.sealed_secret));
  TRY_ASSIGN(const auto pseudonyms, catalog_.pseudonyms(object.person_id));
  const config::CardRecords& records = site_.config.records;
  const secret::Buffer plain =
      encode_record({.object = unkept.object,
                     .hash_key = secret::Buffer::copy_of(secrets.hash_key.bytes()),
                     .tag = secrets.tag,
                     .chunk_count = object.chunk_count,
                     .length = {object.length}});
  const std::array pieces = {ByteView(plain.bytes())};
  const secret::Buffer guarded = sharing::guard(pieces, site_.system.random);
  TRY_ASSIGN(
      std::vector<secret::Buffer> shares,
      sharing::cut_guarded(records.scheme, guarded.bytes(), control::numbers_for_sharing(site_)));
  const auto keeping = os::random_id<KeepingId>(site_.system.random);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const SiteName& holder = records.holders[i];
    const auto owner = std::ranges::find(pseudonyms, holder, &catalog::SitePseudonym::site);
    if (owner == pseudonyms.end()) {
      return fail(Code::kNotFound,
                  "person '" + object.person_id + "' is not known at " + holder.text());
    }
    TRY(put(holder, {.object = unkept.object,
                     .owner = owner->pseudonym,
                     .keeping = keeping,
                     .made = site_.system.clock.now(),
                     .scheme = records.scheme,
                     .index = static_cast<sharing::ShareIndex>(i),
                     .share = std::move(shares[i])}));
  }
  TRY(catalog_.set_record_kept(unkept.object, site_.system.clock.now()));
  return forget_if_safe(unkept.object);
}

Result<> RecordKeeper::check_holders() {
  TRY_ASSIGN(const std::uint64_t kept, catalog_.kept_records());
  if (kept == 0) return {};
  for (const SiteName& holder : site_.config.records.holders) {
    std::uint64_t there = own_.count();
    if (holder != site_.config.name) {
      // Who does not answer has not lost anything that one knows of.
      const auto answer = site_.caller.ask(holder, number(Method::kRecordCount), {});
      if (!answer) continue;
      TRY_ASSIGN(there, decode_count(*answer));
    }
    if (there >= kept) continue;
    log_warning(holder.text() + " keeps " + std::to_string(there) + " of " + std::to_string(kept) +
                " card records: they are put into safekeeping again as their cards are used");
    return catalog_.forget_kept_records();
  }
  return {};
}

Result<std::size_t> RecordKeeper::round() {
  const std::lock_guard lock(rounds_);
  std::optional<Error> trouble;
  std::size_t count = 0;
  if (is_on()) {
    if (const auto checked = check_holders(); !checked) trouble = checked.error();
    if (const auto gone = forget_deleted(); !gone) trouble = gone.error();
    TRY_ASSIGN(const auto unkept, catalog_.unkept_records(kRecordsAtOnce));
    for (const catalog::UnkeptRecord& record : unkept) {
      const auto kept = keep(record);
      if (!kept) trouble = kept.error();
      if (kept) ++count;
    }
  }
  const std::lock_guard status_lock(mutex_);
  problem_ = trouble ? trouble->message : "";
  if (trouble) return std::unexpected(*trouble);
  return count;
}

template <typename Give>
Result<KeptShare> RecordKeeper::fetch(const SiteName& holder, const ObjectId& object, Method method,
                                      Bytes body, const Give& give) {
  if (holder == site_.config.name) return give();
  TRY_ASSIGN(Bytes answer, site_.caller.ask(holder, number(method), std::move(body)));
  auto kept = decode_kept(answer);
  secret::wipe(answer);
  if (kept && kept->object != object) {
    return fail(Code::kProtocol, holder.text() + " gives the record of another object");
  }
  return kept;
}

Result<card::ObjectRecord> RecordKeeper::bring_back(const ObjectId& object, const CardId& card) {
  const WantedRecord wanted{object, card};
  return join(object, [&](const SiteName& holder) {
    return fetch(holder, object, Method::kRecordGive, encode(wanted),
                 [&] { return own_.give(wanted); });
  });
}

Result<card::ObjectRecord> RecordKeeper::bring_under(const ObjectId& object,
                                                     std::span<const ProvedGrant> grants) {
  return join(object, [&](const SiteName& holder) -> Result<KeptShare> {
    GrantedRecord granted{object, {}};
    for (const ProvedGrant& one : grants) {
      const auto proof = std::ranges::find(one.evidence, holder, &consent::Evidence::site);
      if (proof == one.evidence.end()) {
        return fail(Code::kUnavailable, holder.text() +
                                            ", which keeps a share of the record, did "
                                            "not take part in the consent");
      }
      granted.presented.push_back({one.grant, *proof});
    }
    return fetch(holder, object, Method::kRecordUnder, encode(granted),
                 [&] { return own_.give_under(granted); });
  });
}

Result<card::ObjectRecord> RecordKeeper::join(const ObjectId& object, const Fetch& fetch) {
  std::map<KeepingId, std::vector<KeptShare>> found;
  std::optional<Error> trouble;
  for (const SiteName& holder : site_.config.records.holders) {
    auto kept = fetch(holder);
    if (!kept) {
      // That a holder has nothing tells less than that another one refuses.
      if (!trouble || trouble->code == Code::kNotFound) trouble = kept.error();
      continue;
    }
    found[kept->keeping].push_back(std::move(*kept));
  }
  for (const auto& [keeping, shares] : found) {
    const sharing::Scheme& scheme = shares.front().scheme;
    if (shares.size() < scheme.threshold) continue;
    std::vector<sharing::GuardedShare> guarded;
    for (const KeptShare& share : shares) guarded.push_back({share.index, share.share.bytes()});
    auto joined = sharing::join_guarded(scheme, guarded);
    if (!joined) {
      trouble = joined.error();
      continue;
    }
    if (!joined->wrong.empty()) {
      log_error("a share of the card record of object " + object.text() + " was changed");
      TRY(site_.log.append("record_changed", {{"object", object.text()}}));
    }
    TRY_ASSIGN(const ByteView plain, sharing::open_guarded(joined->guarded.bytes()));
    TRY_ASSIGN(card::ObjectRecord record, decode_record(plain));
    if (record.object == object) return record;
    trouble = Error{Code::kCorrupt, "the record in safekeeping is of another object"};
  }
  if (trouble) return std::unexpected(*trouble);
  return fail(Code::kNotFound, "no record of object " + object.text() + " is in safekeeping");
}

Result<> RecordKeeper::forget_if_safe(const ObjectId& object) {
  TRY_ASSIGN(const bool safe, control::is_record_safe(site_, catalog_, object));
  if (!safe) return {};
  TRY_ASSIGN(
      const auto jobs,
      catalog_.list_jobs({.kind = catalog::JobKind::kStore, .object = object}, {.count = 1}));
  if (jobs.empty() || jobs.front().sealed_secret.empty()) return {};
  return catalog_.set_job_secret(jobs.front().job, {});
}

Result<> RecordKeeper::forget_deleted() {
  TRY_ASSIGN(const auto deleted, catalog_.kept_records_of_deleted(kRecordsAtOnce));
  for (const ObjectId& object : deleted) {
    for (const SiteName& holder : site_.config.records.holders) {
      if (holder == site_.config.name) {
        TRY(own_.forget(object));
      } else {
        TRY(site_.caller.ask(holder, number(Method::kRecordForget), encode(object)));
      }
    }
    TRY(catalog_.forget_kept_record(object));
  }
  return {};
}

Result<RecordKeeper::Status> RecordKeeper::status() {
  Status status;
  TRY_ASSIGN(status.kept, catalog_.kept_records());
  TRY_ASSIGN(const auto waiting, catalog_.unkept_records(1'000'000));
  status.waiting = waiting.size();
  const std::lock_guard lock(mutex_);
  status.problem = problem_;
  return status;
}

}  // namespace warifu::custody
