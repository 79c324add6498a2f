// Rounds among witnesses, and the answers to theirs.
#include "upkeep/log_keeper.h"

#include <fmt/format.h>

#include "base/log.h"
#include "wire/wire.h"

namespace warifu::upkeep {
namespace {

constexpr std::uint32_t kSeedDomain = 0x59454B4C;  // "LKEY"
constexpr std::size_t kMaxNoteBytes = 64 * 1024;
constexpr std::size_t kMaxLineBytes = 1024;

using audit::Digest;

void write_leaves(wire::Writer& writer, const std::vector<Digest>& leaves) {
  writer.u32(static_cast<std::uint32_t>(leaves.size()));
  for (const Digest& leaf : leaves) writer.raw(leaf);
}

std::vector<Digest> read_leaves(wire::Reader& reader) {
  const std::uint32_t count = reader.u32();
  if (count > audit::kMaxLeavesAtOnce) reader.reject("too many leaves");
  std::vector<Digest> leaves;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const ByteView bytes = reader.raw(sizeof(Digest));
    if (reader.good()) copy_bytes(leaves.emplace_back(), bytes);
  }
  return leaves;
}

Bytes encode(const audit::LogOffer& offer) {
  wire::Writer writer;
  writer.blob(as_bytes(offer.note));
  writer.raw(offer.key);
  writer.u64(offer.after);
  write_leaves(writer, offer.leaves);
  return writer.take();
}

Result<audit::LogOffer> decode_offer(ByteView body) {
  wire::Reader reader(body, "offer of a log");
  audit::LogOffer offer;
  offer.note = std::string(as_text(reader.blob(kMaxNoteBytes)));
  const ByteView key = reader.raw(offer.key.size());
  if (reader.good()) copy_bytes(offer.key, key);
  offer.after = reader.u64();
  offer.leaves = read_leaves(reader);
  TRY(reader.finish());
  return offer;
}

// The seed of the signing key, made when there is none yet.
Result<crypto::SigningKey> open_key(const control::SiteContext& site, const std::string& path) {
  secret::Buffer seed(crypto::kSigningSeedBytes);
  Bytes sealed(seed.size() + crypto::kSealOverhead);
  const ByteView root = site.keys.root_key().bytes();
  if (!site.system.files.exists(path)) {
    site.system.random.fill(seed.bytes());
    crypto::seal(root, kSeedDomain, 0, seed.bytes(), sealed);
    TRY(os::replace_file(site.system.files, path, sealed));
    return crypto::SigningKey(seed);
  }
  TRY_ASSIGN(sealed, os::read_file(site.system.files, path, sealed.size()));
  if (sealed.size() != seed.size() + crypto::kSealOverhead ||
      !crypto::open_sealed(root, kSeedDomain, 0, sealed, seed.bytes())) {
    return fail(Code::kCorrupt, "'" + path + "' is damaged, or sealed under another root key");
  }
  return crypto::SigningKey(seed);
}

}  // namespace

std::string_view verdict_name(WitnessVerdict verdict) {
  switch (verdict) {
    case WitnessVerdict::kUnknown: return "unknown";
    case WitnessVerdict::kAgrees: return "agrees";
    case WitnessVerdict::kDiffers: return "differs";
    case WitnessVerdict::kSawMore: return "saw more";
    case WitnessVerdict::kUnreachable: return "unreachable";
  }
  return "unknown";
}

Result<std::unique_ptr<LogKeeper>> LogKeeper::open(control::SiteContext& site,
                                                   const std::string& folder,
                                                   std::chrono::seconds interval) {
  TRY_ASSIGN(crypto::SigningKey key, open_key(site, folder + "/audit.key"));
  std::unique_ptr<LogKeeper> keeper(new LogKeeper(site, std::move(key), interval));
  TRY_ASSIGN(keeper->witness_, audit::Witness::open(site.system, folder + "/audit-witness",
                                                    site.config.name, keeper->key_));
  for (const auto& peer : site.config.peers) keeper->states_[peer.link.peer] = {};
  return keeper;
}

void LogKeeper::add_handlers(channel::Server& server) {
  server.handle(number(LogMethod::kSeen), [this](channel::Exchange& exchange) -> Result<> {
    const audit::Seen seen = witness_->seen(exchange.request().from);
    wire::Writer writer;
    writer.u64(seen.size);
    writer.raw(seen.root);
    return exchange.reply(writer.take());
  });
  server.handle(number(LogMethod::kOffer), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const audit::LogOffer offer, decode_offer(exchange.request().body));
    const auto line = witness_->take(exchange.request().from, offer);
    if (!line && line.error().code == Code::kRefused) {
      log_warning(line.error().message);
      TRY(site_.log.append("log_refused", {{"site", exchange.request().from.text()},
                                           {"reason", line.error().message}}));
    }
    if (!line) return std::unexpected(line.error());
    wire::Writer writer;
    writer.text(*line);
    return exchange.reply(writer.take());
  });
  server.handle(number(LogMethod::kLeaves), [this](channel::Exchange& exchange) -> Result<> {
    wire::Reader reader(exchange.request().body, "question for leaves");
    const std::uint64_t after = reader.u64();
    TRY(reader.finish());
    TRY_ASSIGN(const auto leaves, witness_->leaves(exchange.request().from, after));
    wire::Writer writer;
    write_leaves(writer, leaves);
    return exchange.reply(writer.take());
  });
}

void LogKeeper::start() {
  if (interval_.count() == 0) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void LogKeeper::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void LogKeeper::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, stop, interval_, [] { return false; })) return;
    }
    if (!stop.stop_requested()) (void)round();
  }
}

std::map<SiteName, WitnessState> LogKeeper::status() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

Result<audit::Checkpoint> LogKeeper::checkpoint(std::uint64_t size) {
  TRY_ASSIGN(const Digest root, site_.log.root(size));
  return audit::Checkpoint{audit::origin_of(site_.config.name), size, root};
}

Result<audit::Note> LogKeeper::note() {
  std::uint64_t size = 0;
  std::vector<std::string> lines;
  {
    const std::lock_guard lock(mutex_);
    size = cosigned_;
    lines = lines_;
  }
  if (lines.empty()) size = site_.log.head().sequence;
  audit::Note note;
  TRY_ASSIGN(note.checkpoint, checkpoint(size));
  note.lines.push_back(audit::sign_line(note.checkpoint, site_.config.name.text(), key_));
  note.lines.insert(note.lines.end(), lines.begin(), lines.end());
  return note;
}

std::map<SiteName, WitnessState> LogKeeper::round() {
  const std::lock_guard one(rounds_);
  for (const auto& peer : site_.config.peers) {
    const WitnessState state = visit(peer.link.peer);
    const WitnessState before = status()[peer.link.peer];
    if (state.verdict != before.verdict) report(peer.link.peer, state);
    const std::lock_guard lock(mutex_);
    states_[peer.link.peer] = state;
  }
  return status();
}

void LogKeeper::report(const SiteName& witness, const WitnessState& state) {
  if (state.verdict != WitnessVerdict::kDiffers && state.verdict != WitnessVerdict::kSawMore) {
    return;
  }
  const std::string where = state.differs_at == 0 ? "" : std::to_string(state.differs_at);
  log_error(fmt::format("the audit log of this site is not the one that {} has seen ({}{})",
                        witness.text(), verdict_name(state.verdict),
                        where.empty() ? "" : ", first at record " + where));
  const auto logged = site_.log.append(
      "log_differs",
      {{"witness", witness.text()},
       {"verdict", state.verdict == WitnessVerdict::kDiffers ? "differs" : "saw_more"},
       {"record", where}});
  if (!logged) log_error(logged.error().message);
}

WitnessState LogKeeper::visit(const SiteName& witness) {
  WitnessState state{.asked = site_.system.clock.now()};
  const auto lost = [&](const Error& error) {
    state.verdict = WitnessVerdict::kUnreachable;
    state.problem = error.message;
    return state;
  };
  const auto answer = site_.caller.ask(witness, number(LogMethod::kSeen), {});
  if (!answer) return lost(answer.error());
  wire::Reader reader(*answer, "what a witness has seen");
  state.size = reader.u64();
  Digest root{};
  const ByteView bytes = reader.raw(root.size());
  if (reader.good()) copy_bytes(root, bytes);
  if (const auto whole = reader.finish(); !whole) return lost(whole.error());
  if (state.size > site_.log.head().sequence) {
    state.verdict = WitnessVerdict::kSawMore;
    return state;
  }
  const auto own = site_.log.root(state.size);
  if (!own) return lost(own.error());
  if (state.size > 0 && *own != root) {
    state.verdict = WitnessVerdict::kDiffers;
    state.differs_at = first_difference(witness, state.size).value_or(0);
    return state;
  }
  if (const auto told = tell(witness, state); !told) return lost(told.error());
  state.verdict = WitnessVerdict::kAgrees;
  return state;
}

// Offers what the witness lacks, in pieces, and keeps its co-signature of the last one.
Result<> LogKeeper::tell(const SiteName& witness, WitnessState& state) {
  const std::uint64_t end = site_.log.head().sequence;
  while (state.size < end) {
    audit::LogOffer offer{.key = key_.public_key(), .after = state.size};
    TRY_ASSIGN(offer.leaves,
               site_.log.leaves(state.size,
                                std::min<std::uint64_t>(end - state.size, audit::kTileLeaves)));
    TRY_ASSIGN(const audit::Checkpoint now, checkpoint(state.size + offer.leaves.size()));
    audit::Note note{now, {audit::sign_line(now, site_.config.name.text(), key_)}};
    offer.note = note.text();
    TRY_ASSIGN(const Bytes answer,
               site_.caller.ask(witness, number(LogMethod::kOffer), encode(offer)));
    wire::Reader reader(answer, "co-signature");
    const std::string line = reader.text(kMaxLineBytes);
    TRY(reader.finish());
    state.size = now.size;
    if (now.size < end) continue;
    const std::lock_guard lock(mutex_);
    if (now.size > cosigned_) {
      cosigned_ = now.size;
      lines_.clear();
    }
    if (now.size == cosigned_) lines_.push_back(line);
  }
  return {};
}

Result<std::uint64_t> LogKeeper::first_difference(const SiteName& witness, std::uint64_t size) {
  for (std::uint64_t after = 0; after < size;) {
    wire::Writer question;
    question.u64(after);
    TRY_ASSIGN(const Bytes answer,
               site_.caller.ask(witness, number(LogMethod::kLeaves), question.take()));
    wire::Reader reader(answer, "leaves of a witness");
    const std::vector<Digest> theirs = read_leaves(reader);
    TRY(reader.finish());
    if (theirs.empty()) break;
    TRY_ASSIGN(const auto own, site_.log.leaves(after, theirs.size()));
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      if (i >= own.size() || own[i] != theirs[i]) return after + i + 1;
    }
    after += theirs.size();
  }
  return 0;
}

}  // namespace warifu::upkeep
