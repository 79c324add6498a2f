// The connection between the two stand-in devices: greeting, keys one way, bookkeeping both ways.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "http/tls_stream.h"
#include "kme/rate_model.h"

namespace warifu::kme {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience(5000);  // for a word of the other device
constexpr milliseconds kHeartbeat(1000);
constexpr milliseconds kRetryPause(200);
constexpr milliseconds kLongestPause(50);  // while tokens gather
constexpr double kBurstSeconds = 0.25;
constexpr double kBurstKeys = 4;
constexpr std::size_t kBatchBytes = 64 * 1024;  // small keys leave together

std::unexpected<Error> protocol(std::string message) {
  return fail(Code::kProtocol, std::move(message));
}

bool is_named(const crypto::PeerIdentity& peer, const std::string& name) {
  return peer.common_name == name || std::ranges::find(peer.uris, name) != peer.uris.end();
}

}  // namespace

void RateModel::link_loop() {
  std::string told;  // a problem is logged once, not with every attempt
  while (!stopping_) {
    auto stream = open_connection();
    Result<> outcome;
    if (stream) {
      {
        const std::lock_guard lock(mutex_);
        link_ = stream->get();
        link_ended_ = false;
      }
      if (!stopping_) outcome = serve_link(**stream);
      const std::lock_guard lock(mutex_);
      if (link_up_) told.clear();
      link_ = nullptr;
      link_up_ = false;
    } else {
      outcome = std::unexpected(std::move(stream).error());
    }
    if (stopping_) return;
    const std::string problem = outcome ? "the connection ended" : outcome.error().message;
    if (problem != told) {
      told = problem;
      log_warning("origin RATE_MODEL: " + config_.kme_id + " has no link to " +
                  config_.peer_kme_id + " and makes no key: " + problem);
    }
    std::unique_lock lock(mutex_);
    (void)changed_.wait_for(lock, kRetryPause, [this] { return stopping_.load(); });
  }
}

Result<std::unique_ptr<os::ByteStream>> RateModel::open_connection() {
  std::unique_ptr<os::ByteStream> stream;
  if (config_.role == RateModelRole::kAlice) {
    TRY_ASSIGN(stream, os::connect_tcp(config_.peer, kPatience));
  } else {
    TRY_ASSIGN(stream, listener_->accept());
  }
  if (config_.link_tls) {
    TRY_ASSIGN(stream, secure(std::move(stream)));
  }
  stream->set_timeout(kPatience);
  return stream;
}

Result<std::unique_ptr<os::ByteStream>> RateModel::secure(std::unique_ptr<os::ByteStream> stream) {
  TRY_ASSIGN(auto tls, http::TlsStream::wrap(std::move(stream), tls_, config_.peer.host));
  TRY(tls->handshake(kPatience));
  if (!is_named(tls->peer(), config_.peer_identity)) {
    return fail(Code::kRefused, "the certificate of '" + tls->peer().common_name +
                                    "' is not that of " + config_.peer_identity);
  }
  return std::unique_ptr<os::ByteStream>(std::move(tls));
}

Result<> RateModel::serve_link(os::ByteStream& stream) {
  TRY(greet(stream));
  log_info("origin RATE_MODEL: " + config_.kme_id + " is linked to " + config_.peer_kme_id);
  std::thread writer([&] { write_loop(stream); });
  Result<> outcome;
  while (outcome && !stopping_) {
    auto message = receive(stream);
    outcome = message ? handle(stream, *message) : std::unexpected(std::move(message).error());
  }
  {
    const std::lock_guard lock(mutex_);
    link_ended_ = true;
  }
  changed_.notify_all();
  stream.shutdown();
  writer.join();
  return outcome;
}

Result<> RateModel::greet(os::ByteStream& stream) {
  rate_wire::Hello own;
  {
    const std::lock_guard lock(mutex_);
    own = {.role = config_.role,
           .key_bytes = static_cast<std::uint32_t>(config_.key_bytes()),
           .max_key_count = config_.max_key_count,
           .rate = config_.rate_bits_per_second,
           .instance = instance_,
           .known_instance = peer_instance_,
           .kme_id = config_.kme_id,
           .local_sae = config_.local_sae,
           .remote_sae = config_.remote_sae,
           .received = store_.last_received()};
  }
  TRY(stream.write_all(rate_wire::encode(own)));
  TRY_ASSIGN(const rate_wire::Message message, receive(stream));
  const auto* peer = std::get_if<rate_wire::Hello>(&message);
  if (peer == nullptr) return protocol("the other device did not greet");
  return accept_hello(*peer);
}

Result<> RateModel::accept_hello(const rate_wire::Hello& peer) {
  if (peer.role == config_.role) return protocol("both devices have the same role");
  if (peer.kme_id != config_.peer_kme_id || peer.local_sae != config_.remote_sae ||
      peer.remote_sae != config_.local_sae) {
    return protocol(
        fmt::format("the other device is {} between {} and {}, not {} between {} and {}",
                    peer.kme_id, peer.local_sae, peer.remote_sae, config_.peer_kme_id,
                    config_.remote_sae, config_.local_sae));
  }
  if (peer.key_bytes != config_.key_bytes() || peer.max_key_count != config_.max_key_count ||
      peer.rate != config_.rate_bits_per_second) {
    return protocol("the devices differ in rate, key_size_bits or max_key_count");
  }
  const std::lock_guard lock(mutex_);
  const bool same = peer.instance == peer_instance_ && peer.known_instance == instance_;
  if (same) {
    store_.resume(peer.received);
  } else {
    const std::size_t dropped = store_.reset();
    if (dropped > 0) {
      log_warning(fmt::format("origin RATE_MODEL: {} was started anew; {} keys here are dropped",
                              config_.peer_kme_id, dropped));
    }
    peer_instance_ = peer.instance;
  }
  taken_sent_ = 0;
  ack_due_ = false;
  state_due_ = true;
  tokens_ = 0;
  last_refill_ = system_.clock.monotonic();
  link_up_ = true;
  return {};
}

Result<rate_wire::Message> RateModel::receive(os::ByteStream& stream) {
  std::array<Byte, rate_wire::kFrameHead> head_bytes{};
  TRY(stream.read_exact(head_bytes));
  TRY_ASSIGN(const rate_wire::FrameHead head, rate_wire::decode_head(head_bytes));
  Bytes body(head.length);
  TRY(stream.read_exact(body));
  return rate_wire::decode(head.type, body);
}

Result<> RateModel::handle(os::ByteStream& stream, const rate_wire::Message& message) {
  if (const auto* key = std::get_if<rate_wire::KeyHead>(&message)) return receive_key(stream, *key);
  {
    const std::lock_guard lock(mutex_);
    if (const auto* ack = std::get_if<rate_wire::Ack>(&message)) {
      store_.acknowledged(ack->sequence);
    } else if (const auto* taken = std::get_if<rate_wire::Taken>(&message)) {
      store_.peer_took(taken->first, taken->ids, system_.clock.monotonic());
      state_due_ = true;
    } else if (const auto* state = std::get_if<rate_wire::State>(&message)) {
      const std::uint64_t base = store_.taken_base();
      const std::uint64_t heard =
          std::min<std::uint64_t>(taken_sent_, std::max(state->taken_heard, base) - base);
      store_.taken_heard(base + heard);
      taken_sent_ -= heard;
      store_.peer_released(state->released);
      peer_discarded_bits_ = state->discarded_bits;
    } else {
      return protocol("the other device greets twice");
    }
  }
  changed_.notify_all();
  return {};
}

Result<> RateModel::receive_key(os::ByteStream& stream, const rate_wire::KeyHead& head) {
  if (config_.role == RateModelRole::kAlice) return protocol("bob does not make keys");
  SlotArena::Slot slot = 0;
  MutableBytes place;
  {
    const std::lock_guard lock(mutex_);
    slot = store_.arena().take();
    place = store_.arena().bytes(slot);
  }
  const auto read = stream.read_exact(place);
  {
    const std::lock_guard lock(mutex_);
    if (!read || !store_.add_received(head.sequence, head.direction, {head.id, slot})) {
      store_.arena().give_back(slot);
      return read ? protocol("a key came out of order") : read;
    }
    ack_due_ = true;
  }
  changed_.notify_all();
  return {};
}

void RateModel::write_loop(os::ByteStream& stream) {
  for (;;) {
    const auto written = write_once(stream);
    if (!written) break;
    std::unique_lock lock(mutex_);
    const auto due = [this] {
      return link_ended_ || stopping_ || ack_due_ || state_due_ || store_.has_to_send() ||
             taken_sent_ < store_.taken_log().size();
    };
    (void)changed_.wait_for(lock, due() ? milliseconds(0) : pause(), due);
    if (link_ended_ || stopping_) break;
  }
  stream.shutdown();  // wakes the reader
}

// How long the writer may sleep when nothing happens.
milliseconds RateModel::pause() const {
  if (config_.role == RateModelRole::kBob) return kHeartbeat / 4;
  const double missing = static_cast<double>(config_.key_size_bits) - tokens_;
  const double wait_ms = missing / static_cast<double>(config_.rate_bits_per_second) * 1000;
  return std::clamp(milliseconds(std::llround(std::ceil(wait_ms))), milliseconds(1), kLongestPause);
}

Result<> RateModel::write_once(os::ByteStream& stream) {
  const Bytes control = collect_control();
  if (!control.empty()) TRY(stream.write_all(control));
  if (config_.role == RateModelRole::kBob) return {};
  make_keys();
  return send_keys(stream);
}

// Everything but keys that is due now.
Bytes RateModel::collect_control() {
  Bytes frames;
  const auto add = [&](const rate_wire::Message& message) {
    const Bytes frame = rate_wire::encode(message);
    frames.insert(frames.end(), frame.begin(), frame.end());
  };
  const auto now = system_.clock.monotonic();
  const std::lock_guard lock(mutex_);
  const std::size_t expired = store_.expire(now);
  expired_keys_ += expired;
  if (std::exchange(ack_due_, false)) add(rate_wire::Ack{store_.last_received()});
  const auto& log = store_.taken_log();
  while (taken_sent_ < log.size()) {
    rate_wire::Taken taken{store_.taken_base() + taken_sent_, {}};
    while (taken_sent_ < log.size() && taken.ids.size() < rate_wire::kIdsInTaken) {
      taken.ids.push_back(log.at(taken_sent_++));
    }
    add(taken);
  }
  if (std::exchange(state_due_, false) || expired > 0 || now - last_state_ >= kHeartbeat) {
    last_state_ = now;
    add(rate_wire::State{store_.released(), store_.peer_taken(), discarded_bits_});
  }
  return frames;
}

void RateModel::refill_tokens() {
  const auto now = system_.clock.monotonic();
  const double seconds = std::chrono::duration<double>(now - last_refill_).count();
  const auto rate = static_cast<double>(config_.rate_bits_per_second);
  const double most =
      std::max(rate * kBurstSeconds, kBurstKeys * static_cast<double>(config_.key_size_bits));
  last_refill_ = now;
  tokens_ = std::min(tokens_ + seconds * rate, most);
}

// Pays for one key; none when there are not enough tokens or there is no room for it.
std::optional<KeyDirection> RateModel::spend_tokens() {
  const std::lock_guard lock(mutex_);
  refill_tokens();
  const auto price = static_cast<double>(config_.key_size_bits);
  if (tokens_ < price || store_.window_full()) return std::nullopt;
  const auto direction = store_.next_direction();
  if (!direction) {
    // Both directions are full: a device goes on counting photons, and drops what they give.
    const double keys = std::floor(tokens_ / price);
    tokens_ -= keys * price;
    discarded_bits_ += static_cast<std::uint64_t>(keys) * config_.key_size_bits;
    return std::nullopt;
  }
  tokens_ -= price;
  return direction;
}

void RateModel::make_keys() {
  std::size_t made = 0;
  while (made < kBatchBytes) {
    const auto direction = spend_tokens();
    if (!direction) return;
    StoredKey key;
    std::array<Byte, 16> id{};
    system_.random.fill(id);
    key.id = etsi014::uuid_text(id);
    MutableBytes place;
    {
      const std::lock_guard lock(mutex_);
      key.slot = store_.arena().take();
      place = store_.arena().bytes(key.slot);
    }
    system_.random.fill(place);
    made += place.size();
    const std::lock_guard lock(mutex_);
    store_.add_made(*direction, std::move(key));
  }
}

Result<> RateModel::send_keys(os::ByteStream& stream) {
  secret::Buffer batch(kBatchBytes);
  std::size_t size = 0;
  for (;;) {
    std::optional<KeyInFlight> next;
    MutableBytes place;
    {
      const std::lock_guard lock(mutex_);
      next = store_.next_to_send();
      if (next) place = store_.arena().bytes(next->key.slot);
    }
    if (!next) break;
    const Bytes head =
        rate_wire::encode(rate_wire::KeyHead{next->sequence, next->direction, next->key.id});
    if (size + head.size() + place.size() > batch.size() && size > 0) {
      TRY(stream.write_all(batch.bytes().first(std::exchange(size, 0))));
    }
    if (head.size() + place.size() > batch.size()) {
      TRY(stream.write_all(head));
      TRY(stream.write_all(place));
      continue;
    }
    copy_bytes(batch.bytes().subspan(size), head);
    copy_bytes(batch.bytes().subspan(size + head.size()), place);
    size += head.size() + place.size();
  }
  return size == 0 ? Result<>() : stream.write_all(batch.bytes().first(size));
}

}  // namespace warifu::kme
