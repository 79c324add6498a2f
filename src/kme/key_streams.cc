// What applications ask: OPEN_CONNECT, GET_KEY, CLOSE.
#include "kme/key_streams.h"

#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "kme/material.h"

namespace warifu::kme {
namespace {

constexpr std::uint32_t kUsualChunk = 256 << 10;
constexpr std::uint32_t kUsualTimeout = 10'000;  // ms
constexpr std::uint32_t kLongestTimeout = 60'000;
constexpr std::size_t kEndedRemembered = 1024;
constexpr std::chrono::milliseconds kPauseStep(100);

std::uint32_t whole_chunk(std::uint32_t bytes) {
  const std::uint32_t most = std::min(bytes, kMaxStreamChunk);
  return std::max(kChunkStep, (most + kChunkStep - 1) / kChunkStep * kChunkStep);
}

}  // namespace

KeyStreams::KeyStreams(os::System system, SiteName self, const SaeSettings& settings,
                       KeyManager& keys, SaeGate& gate, StreamCarrier& carrier)
    : system_(system),
      self_(std::move(self)),
      settings_(settings),
      keys_(keys),
      gate_(gate),
      carrier_(carrier),
      job_(os::random_id<JobId>(system.random)) {}

void KeyStreams::stop() {
  stopping_ = true;
  std::map<KeyStreamId, EntryPtr> streams;
  {
    const std::lock_guard lock(mutex_);
    streams.swap(streams_);
  }
  for (const auto& [id, entry] : streams) entry->stream.break_off();
  for (const auto& [id, entry] : streams) {
    if (entry->thread.joinable()) entry->thread.join();
  }
}

bool KeyStreams::belongs(const SaeEntry& sae, std::uint32_t user) const {
  if (sae.site != self_) return false;
  if (sae.users.empty()) return user == ::geteuid();
  return std::ranges::find(sae.users, user) != sae.users.end();
}

bool KeyStreams::serves(std::uint32_t user) const {
  return std::ranges::any_of(settings_.saes,
                             [&](const SaeEntry& sae) { return belongs(sae, user); });
}

const SaeEntry* KeyStreams::own_sae(const std::string& id, std::uint32_t user) const {
  const SaeEntry* sae = settings_.find(id);
  return sae != nullptr && belongs(*sae, user) ? sae : nullptr;
}

KeyStreams::EntryPtr KeyStreams::find(const KeyStreamId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second;
}

std::expected<KeyStreams::EntryPtr, StreamStatus> KeyStreams::find_own(const KeyStreamId& id,
                                                                       std::uint32_t user) const {
  const EntryPtr entry = find(id);
  if (entry == nullptr) {
    const std::lock_guard lock(mutex_);
    const auto ended = ended_.find(id);
    return std::unexpected(ended == ended_.end() ? StreamStatus::kNoStream : ended->second);
  }
  if (own_sae(entry->stream.own(), user) == nullptr) {
    return std::unexpected(StreamStatus::kNotAllowed);
  }
  return entry;
}

// Threads of streams that ended are joined by whoever gets them, outside the lock.
void KeyStreams::reap(std::vector<EntryPtr>& ended) {
  for (auto it = streams_.begin(); it != streams_.end();) {
    if (!it->second->over) {
      ++it;
      continue;
    }
    const auto state = it->second->stream.progress().state;
    ended_[it->first] = state == KeyStream::State::kBroken       ? StreamStatus::kNoConnection
                        : state == KeyStream::State::kPeerClosed ? StreamStatus::kPeerNotConnected
                                                                 : StreamStatus::kNoStream;
    ended_order_.push_back(it->first);
    if (ended_order_.size() > kEndedRemembered) {
      ended_.erase(ended_order_.front());
      ended_order_.pop_front();
    }
    ended.push_back(std::move(it->second));
    it = streams_.erase(it);
  }
}

Result<KeyStreams::EntryPtr> KeyStreams::add(KeyStream::Terms terms) {
  std::vector<EntryPtr> ended;  // joined after the lock is gone
  const std::lock_guard lock(mutex_);
  reap(ended);
  if (stopping_) return fail(Code::kCancelled, "the site stops");
  if (streams_.contains(terms.id) || ended_.contains(terms.id)) {
    return fail(Code::kAlreadyExists, "the key stream id is in use");
  }
  if (streams_.size() >= static_cast<std::size_t>(settings_.streams.most)) {
    return fail(Code::kBusy, self_.text() + " has " + std::to_string(streams_.size()) +
                                 " key streams, which is the limit");
  }
  const KeyStreamId id = terms.id;
  return streams_[id] = std::make_shared<Entry>(std::move(terms));
}

void KeyStreams::drop(const KeyStreamId& id) {
  const std::lock_guard lock(mutex_);
  streams_.erase(id);
}

StreamQos KeyStreams::qos_of(const Entry& entry) const {
  const KeyStream::Terms& terms = entry.stream.terms();
  StreamQos qos{
      .chunk_bytes = terms.chunk_bytes, .max_bps = terms.max_bps, .timeout_ms = entry.timeout_ms};
  const auto left = std::chrono::ceil<std::chrono::seconds>(terms.ends - system_.clock.monotonic());
  qos.ttl_seconds = static_cast<std::uint32_t>(std::max<std::int64_t>(0, left.count()));
  return qos;
}

// What the request comes to here, or kQosNotMet and what could be met in `counter`.
std::expected<StreamQos, StreamStatus> KeyStreams::agree(const StreamOpenRequest& request,
                                                         const Link& link,
                                                         StreamQos& counter) const {
  StreamQos qos = request.qos;
  if (qos.chunk_bytes == 0) qos.chunk_bytes = kUsualChunk;
  if (qos.ttl_seconds == 0)
    qos.ttl_seconds = static_cast<std::uint32_t>(settings_.streams.life.count());
  if (qos.timeout_ms == 0) qos.timeout_ms = kUsualTimeout;
  qos.timeout_ms = std::min(qos.timeout_ms, kLongestTimeout);
  counter = qos;
  counter.jitter = counter.priority = 0;
  if (!is_chunk_size(qos.chunk_bytes)) counter.chunk_bytes = whole_chunk(qos.chunk_bytes);
  counter.ttl_seconds =
      std::min(qos.ttl_seconds, static_cast<std::uint32_t>(settings_.streams.life.count()));
  if (!qos.mimetype.empty() && qos.mimetype != kStreamMetadata) counter.mimetype = kStreamMetadata;
  if (qos.min_bps > 0) {
    // What is there spread over the stream's life, and what comes in.
    const double stock = static_cast<double>(link.drawable(job_)) * 8 / counter.ttl_seconds;
    double rate = stock + link.status().inflow_bits_per_second;
    if (const auto quota = gate_.quota(request.source)) {
      const double hour = static_cast<double>(quota->bytes_per_hour) * 8 / 3600;
      rate =
          std::min(rate, hour + static_cast<double>(quota->left_bytes) * 8 / counter.ttl_seconds);
    }
    if (qos.max_bps > 0) rate = std::min(rate, static_cast<double>(qos.max_bps));
    if (rate < qos.min_bps) counter.min_bps = static_cast<std::uint32_t>(rate);
  }
  StreamQos asked = qos;
  asked.jitter = asked.priority = 0;
  if (!(asked == counter)) return std::unexpected(StreamStatus::kQosNotMet);
  return counter;
}

StreamOpenAnswer KeyStreams::attach(Entry& entry, const StreamOpenRequest& request,
                                    std::uint32_t user) {
  StreamOpenAnswer answer{.id = request.id};
  const std::string& own = entry.stream.own();
  const bool named = request.source == own || request.destination == own;
  if (!named || own_sae(own, user) == nullptr) {
    answer.status = named ? StreamStatus::kNotAllowed : StreamStatus::kIdInUse;
    return answer;
  }
  const auto state = entry.stream.progress().state;
  if (state == KeyStream::State::kClosed || state == KeyStream::State::kBroken) {
    answer.status =
        state == KeyStream::State::kClosed ? StreamStatus::kIdInUse : StreamStatus::kNoConnection;
    return answer;
  }
  const std::uint32_t timeout =
      request.qos.timeout_ms == 0 ? kUsualTimeout : request.qos.timeout_ms;
  entry.timeout_ms = std::min(timeout, kLongestTimeout);
  answer.qos = qos_of(entry);
  answer.qos.mimetype = request.qos.mimetype == kStreamMetadata ? request.qos.mimetype : "";
  const std::uint32_t chunk = request.qos.chunk_bytes;
  if (chunk != 0 && chunk != answer.qos.chunk_bytes) {
    answer.status = StreamStatus::kQosNotMet;
    return answer;
  }
  if (!entry.stream.terms().at_source && !entry.stream.progress().joined) {
    if (const auto told = tell(entry, StreamNote::Kind::kJoined, 0); !told) {
      log_info("key stream " + stream_id_text(request.id) + ": " + told.error().message);
      answer.status = StreamStatus::kNoConnection;
      return answer;
    }
    entry.stream.join();
  }
  if (!entry.stream.progress().joined) answer.status = StreamStatus::kOkPeerNotConnected;
  return answer;
}

StreamOpenAnswer KeyStreams::open(const StreamOpenRequest& request, std::uint32_t user) {
  StreamOpenAnswer answer{.qos = request.qos, .id = request.id};
  if (!request.id.is_zero()) {
    if (const EntryPtr known = find(request.id)) return attach(*known, request, user);
  }
  const SaeEntry* source = own_sae(request.source, user);
  const SaeEntry* destination = settings_.find(request.destination);
  if (!request.id.is_zero() && (source == nullptr || request.destination.empty())) {
    answer.status = find_own(request.id, user).error();
    return answer;
  }
  Link* link = destination == nullptr ? nullptr : keys_.link_to(destination->site);
  if (source == nullptr || link == nullptr) {
    answer.status = StreamStatus::kNotAllowed;
    return answer;
  }
  StreamQos counter;
  const auto qos = agree(request, *link, counter);
  answer.qos = counter;
  if (!qos) {
    answer.status = qos.error();
    return answer;
  }
  if (answer.id.is_zero()) {
    answer.id = os::random_id<KeyStreamId>(system_.random);
    answer.id.bytes[6] = static_cast<Byte>((answer.id.bytes[6] & 0x0F) | 0x40);  // version 4
    answer.id.bytes[8] = static_cast<Byte>((answer.id.bytes[8] & 0x3F) | 0x80);
  }
  const auto now = system_.clock.monotonic();
  const std::chrono::seconds life(qos->ttl_seconds);
  auto entry = add({answer.id, source->id, destination->id, destination->site, true,
                    qos->chunk_bytes, qos->max_bps, now, now + life});
  if (entry) {
    (*entry)->timeout_ms = qos->timeout_ms;
    const StreamOpening opening{answer.id, source->id, destination->id, qos->chunk_bytes,
                                static_cast<std::uint32_t>(life.count() * 1000)};
    const auto told = carrier_.tell(destination->site, StreamMethod::kOpen, encode(opening));
    if (!told) {
      drop(answer.id);
      entry = std::unexpected(told.error());
    }
  }
  if (!entry) {
    refusals().note(LogLevel::kInfo, "'" + source->id + "'",
                    "key stream of " + source->id + " to " + destination->id +
                        " refused: " + entry.error().message);
    const Code code = entry.error().code;
    answer.status = code == Code::kBusy            ? StreamStatus::kTooMany
                    : code == Code::kAlreadyExists ? StreamStatus::kIdInUse
                    : code == Code::kRefused       ? StreamStatus::kNotAllowed
                                                   : StreamStatus::kNoConnection;
    return answer;
  }
  start_thread(*entry);
  log_info("key stream " + stream_id_text(answer.id) + " of " + source->id + " to " +
           destination->id + " is open");
  answer.status = StreamStatus::kOkPeerNotConnected;
  return answer;
}

std::expected<KeyStream::Chunk, StreamStatus> KeyStreams::take(const StreamGetRequest& request,
                                                               std::uint32_t user) {
  const auto entry = find_own(request.id, user);
  if (!entry) return std::unexpected(entry.error());
  auto patience = std::chrono::milliseconds((*entry)->timeout_ms);
  while (gate_.is_sae_paused((*entry)->stream.own())) {
    if (patience < kPauseStep || stopping_) return std::unexpected(StreamStatus::kInsufficientKey);
    (*entry)->stream.wait(kPauseStep);
    patience -= kPauseStep;
  }
  return (*entry)->stream.take(request.index, patience);
}

StreamStatus KeyStreams::close(const KeyStreamId& id, std::uint32_t user) {
  const auto entry = find_own(id, user);
  if (!entry) return entry.error();
  if ((*entry)->stream.progress().state == KeyStream::State::kClosed) {
    return StreamStatus::kNoStream;
  }
  (*entry)->stream.close();
  return StreamStatus::kOk;
}

std::string KeyStreams::metadata(const KeyStreamId& id, const KeyStream::Chunk& chunk) const {
  const EntryPtr entry = find(id);
  Material material{.id = stream_id_text(id) + "/" + std::to_string(chunk.index()),
                    .kind = Material::Kind::kKey,
                    .origins = chunk.origins(),
                    .bytes = chunk.bytes().size(),
                    .made = chunk.drawn(),
                    .given = system_.clock.now()};
  if (entry != nullptr) {
    const KeyStream::Terms& terms = entry->stream.terms();
    material.link = terms.peer.text();
    material.direction =
        terms.at_source ? Material::Direction::kSend : Material::Direction::kReceive;
  }
  return to_json(material);
}

std::vector<KeyStreams::Info> KeyStreams::list() const {
  const auto now = system_.clock.monotonic();
  const std::lock_guard lock(mutex_);
  std::vector<Info> all;
  for (const auto& [id, entry] : streams_) {
    if (entry->over) continue;
    const KeyStream::Terms& terms = entry->stream.terms();
    all.push_back({terms, entry->stream.progress(),
                   std::max(0.0, std::chrono::duration<double>(terms.ends - now).count())});
  }
  return all;
}

}  // namespace warifu::kme
