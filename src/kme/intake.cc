// The rounds of the leading end and the answers of the following end.
#include "kme/intake.h"

#include <algorithm>
#include <iterator>

#include "base/limits.h"
#include "base/log.h"
#include "base/reason.h"
#include "kme/key_offer.h"
#include "wire/wire.h"

namespace warifu::kme {
namespace {

constexpr std::size_t kMaxDevices = 16;
constexpr std::chrono::milliseconds kPauseFull(50);
constexpr std::chrono::milliseconds kPauseShort(50);
constexpr std::chrono::milliseconds kPauseBroken(1000);

Result<secret::Buffer> join(std::vector<DeviceKey> keys) {
  std::size_t size = 0;
  for (const DeviceKey& key : keys) size += key.bytes.size();
  if (size == 0 || size > limits::kSegmentBytes) {
    return fail(Code::kProtocol,
                "the device handed out " + std::to_string(size) + " bytes at once");
  }
  secret::Buffer material(size);
  std::size_t at = 0;
  for (const DeviceKey& key : keys) {
    copy_bytes(material.bytes().subspan(at), key.bytes.bytes());
    at += key.bytes.size();
  }
  return material;
}

Bytes encode_place(SegmentNumber number, PadOffset base) {
  wire::Writer writer;
  writer.u64(number.value);
  writer.u64(base.value);
  return writer.take();
}

}  // namespace

Intake::Intake(os::System system, Link& link, const std::vector<IntakeDevice>& devices,
               std::uint64_t high_water_bytes)
    : system_(system), link_(link), high_water_bytes_(high_water_bytes) {
  WARIFU_CHECK(!devices.empty() && devices.size() <= kMaxDevices);
  for (const IntakeDevice& given : devices) {
    sources_.emplace_back(given);
  }
}

void Intake::run(const AskPeer& ask, const std::atomic<bool>& stop) {
  std::string last_problem;
  while (!stop) {
    while (link_.sync_wanted() && !stop) system_.clock.sleep(kPauseShort);
    const auto taken = round(ask);
    tell_link();
    if (taken || taken.error().code == Code::kOutOfKey) {
      if (!last_problem.empty())
        log_info("link to " + link_.peer().text() + ": intake works again");
      last_problem.clear();
      if (!taken) {
        system_.clock.sleep(kPauseShort);
      } else if (*taken == 0) {
        system_.clock.sleep(kPauseFull);
      }
      continue;
    }
    if (taken.error().message != last_problem) {
      last_problem = taken.error().message;
      log_warning("link to " + link_.peer().text() + ": intake: " + last_problem);
    }
    for (int i = 0; i < 10 && !stop; ++i) system_.clock.sleep(kPauseBroken / 10);
  }
}

Result<> Intake::confirm_all(const AskPeer& ask) {
  for (const auto& entry : link_.send().segments()) {
    if (entry.state == keypool::SegmentState::kIngested) {
      TRY(link_.send().discard(entry.number));  // its offer was cut short; the key is lost
    } else if (entry.state == keypool::SegmentState::kSynced) {
      TRY(ask(IntakeMethod::kCommit, encode_place(entry.number, entry.base)));
    }
  }
  confirm_needed_ = false;
  return {};
}

Result<std::uint64_t> Intake::round(const AskPeer& ask) {
  const std::lock_guard one_change(link_.sync_mutex());
  if (link_.sync_paused()) return 0;
  if (confirm_needed_) {
    if (auto confirmed = confirm_all(ask); !confirmed) {
      for (Source& source : sources_) set_state(source, confirmed.error());
      return std::unexpected(confirmed.error());
    }
  }
  if (link_.send().status().available_bytes >= high_water_bytes_) {
    look_while_full();
    return 0;
  }
  TRY_ASSIGN(Batch batch, take_from_next());
  Source& source = sources_[batch.source];
  std::uint64_t taken = 0;
  auto offered = offer(ask, std::move(batch), taken);
  if (!offered) {
    set_state(source, offered.error());
    return std::unexpected(offered.error());
  }
  set_delivering(source);
  return taken;
}

Result<> Intake::offer(const AskPeer& ask, Batch batch, std::uint64_t& taken) {
  keypool::Pool& pool = link_.send();
  KeyOffer offer{.number = pool.next_segment(),
                 .base = pool.status().synced_end,
                 .origin = sources_[batch.source].device->origin(),
                 .device = static_cast<std::uint8_t>(batch.source),
                 .hash_key = secret::Buffer(mac::kBlockBytes)};
  const bool relayed = offer.origin == keypool::Origin::kRelayed;
  if (!relayed) system_.random.fill(offer.hash_key.bytes());
  std::vector<RelayPath> ways;
  for (DeviceKey& key : batch.keys) {
    offer.ids.push_back(key.id);
    offer.parts = static_cast<std::uint16_t>(offer.parts | key.origins);
    std::ranges::move(key.ways, std::back_inserter(ways));
  }
  TRY_ASSIGN(const secret::Buffer material, join(std::move(batch.keys)));
  TRY_ASSIGN(const Compared compared, compare_by(offer, material.bytes()));
  TRY(note_ways(pool, offer.number, compared.key.size(), ways));
  TRY(pool.ingest(offer.number, offer.origin, compared.key, offer.parts));
  confirm_needed_ = true;

  auto answer = ask(IntakeMethod::kOffer, encode(offer));
  if (!answer) {
    TRY(pool.discard(offer.number));
    return std::unexpected(answer.error());
  }
  if (!secret::equal(*answer, compared.tag)) {
    log_error("link to " + link_.peer().text() + ": " +
              (relayed ? "relayed key differs at the two ends, in segment "
                       : "the two devices gave different key for segment ") +
              std::to_string(offer.number.value) + "; it is quarantined");
    TRY(pool.quarantine(offer.number));
    TRY(ask(IntakeMethod::kQuarantine, encode_place(offer.number, {})));
    return {};
  }
  TRY(pool.mark_synced(offer.number, offer.base));
  link_.note_inflow({compared.key.size()});
  taken = compared.key.size();
  TRY(ask(IntakeMethod::kCommit, encode_place(offer.number, offer.base)));
  confirm_needed_ = false;
  return {};
}

Result<Bytes> Intake::answer(IntakeMethod method, ByteView body) {
  if (method == IntakeMethod::kOffer) return answer_offer(body);
  wire::Reader reader(body, "key confirmation");
  const SegmentNumber number{reader.u64()};
  const PadOffset base{reader.u64()};
  TRY(reader.finish());
  if (method == IntakeMethod::kQuarantine) {
    TRY(link_.receive().quarantine(number));
  } else {
    TRY(link_.receive().mark_synced(number, base));
  }
  return Bytes{};
}

Result<Bytes> Intake::answer_offer(ByteView body) {
  TRY_ASSIGN(const KeyOffer offer, decode_key_offer(body));
  if (offer.device >= sources_.size()) {
    return fail(Code::kRefused, "a key offer is from device " + std::to_string(offer.device + 1) +
                                    " of the link; this end lists " +
                                    std::to_string(sources_.size()));
  }
  Source& source = sources_[offer.device];
  if (source.alarm.stopped()) {
    return fail(Code::kRefused, "device " + source.name + " has a QBER alarm at this end",
                Reason::kQberHigh);
  }
  keypool::Pool& pool = link_.receive();
  // Before anything changes: at that place this end may hold other key already.
  if (const PadOffset end = pool.status().synced_end; offer.base != end) {
    return fail(Code::kRefused, "key is offered for place " + std::to_string(offer.base.value) +
                                    " of the stream, which ends at " + std::to_string(end.value) +
                                    " at this end; was a backup restored? `warifu keys reconcile`");
  }
  for (const auto& entry : pool.segments()) {  // offers that the far end has given up
    if (entry.state == keypool::SegmentState::kIngested) TRY(pool.discard(entry.number));
  }
  const bool relayed = offer.origin == keypool::Origin::kRelayed;
  if (relayed != (source.device->origin() == keypool::Origin::kRelayed)) {
    return fail(Code::kRefused, "key from a device and relayed key are not for one link");
  }
  TRY_ASSIGN(std::vector<DeviceKey> keys, source.device->by_ids(offer.ids));
  std::vector<RelayPath> ways;
  for (DeviceKey& key : keys) std::ranges::move(key.ways, std::back_inserter(ways));
  TRY_ASSIGN(const secret::Buffer material, join(std::move(keys)));
  TRY_ASSIGN(const Compared compared, compare_by(offer, material.bytes()));
  TRY(note_ways(pool, offer.number, compared.key.size(), ways));
  TRY(pool.ingest(offer.number, offer.origin, compared.key, relayed ? offer.parts : 0));
  return Bytes(compared.tag.begin(), compared.tag.end());
}

// Durable before the key is: no relayed key without a record of its relays.
Result<> Intake::note_ways(const keypool::Pool& pool, SegmentNumber number, std::uint64_t bytes,
                           const std::vector<RelayPath>& ways) {
  if (ways.empty() || link_.relay_ways() == nullptr) return {};
  return link_.relay_ways()->add(pool, number, bytes, ways);
}

}  // namespace warifu::kme
