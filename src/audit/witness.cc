// Taking leaves, keeping them, co-signing.
#include "audit/witness.h"

#include "os/folders.h"
#include "wire/wire.h"

namespace warifu::audit {
namespace {

constexpr std::string_view kMagic = "WRFSEEN1";
constexpr std::string_view kSeenEnding = ".seen";
constexpr std::size_t kMaxSeenBytes = 128 * 1024;
constexpr std::size_t kLeafBytes = sizeof(Digest);

Bytes encode(const Seen& seen, const std::vector<Digest>& tail) {
  wire::Writer writer;
  writer.raw(as_bytes(kMagic));
  writer.raw(seen.key);
  writer.blob(as_bytes(seen.note));
  writer.u32(static_cast<std::uint32_t>(tail.size()));
  for (const Digest& leaf : tail) writer.raw(leaf);
  writer.checksum();
  return writer.take();
}

Result<> decode(ByteView bytes, const std::string& path, Seen& seen, std::vector<Digest>& tail) {
  const auto damaged = [&] { return fail(Code::kCorrupt, "'" + path + "' is damaged"); };
  const auto body = wire::before_checksum(bytes);
  if (!body) return damaged();
  wire::Reader reader(*body, "checkpoint of another log");
  const ByteView magic = reader.raw(kMagic.size());
  const ByteView key = reader.raw(seen.key.size());
  seen.note = std::string(as_text(reader.blob(kMaxSeenBytes)));
  const std::uint32_t count = reader.u32();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    const ByteView leaf = reader.raw(kLeafBytes);
    if (reader.good()) copy_bytes(tail.emplace_back(), leaf);
  }
  if (!reader.finish() || as_text(magic) != kMagic) return damaged();
  copy_bytes(seen.key, key);
  const auto note = parse_note(seen.note);
  if (!note || note->checkpoint.size % kTileLeaves != tail.size()) return damaged();
  seen.size = note->checkpoint.size;
  seen.root = note->checkpoint.root;
  return {};
}

}  // namespace

Result<std::unique_ptr<Witness>> Witness::open(os::System system, const std::string& folder,
                                               const SiteName& self,
                                               const crypto::SigningKey& key) {
  std::unique_ptr<Witness> witness(new Witness(system, folder, self, key));
  TRY(os::make_folder(system.files, folder));
  TRY_ASSIGN(witness->lock_, system.files.lock_directory(folder));
  TRY_ASSIGN(const std::vector<std::string> names, system.files.list(folder));
  for (const std::string& name : names) {
    if (!name.ends_with(kSeenEnding)) continue;
    const auto site = SiteName::parse(name.substr(0, name.size() - kSeenEnding.size()));
    if (site) TRY(witness->load(*site));
  }
  return witness;
}

Result<Witness::Log*> Witness::log_of(const SiteName& site) {
  Log& log = logs_[site];
  if (log.file == nullptr) {
    TRY_ASSIGN(log.file, system_.files.open(folder_ + "/" + site.text() + ".leaves",
                                            os::OpenMode::kOpenOrCreate));
    system_.files.sync_dir(folder_);
  }
  return &log;
}

Result<> Witness::load(const SiteName& site) {
  const std::string path = folder_ + "/" + site.text() + std::string(kSeenEnding);
  TRY_ASSIGN(const Bytes bytes, os::read_file(system_.files, path, kMaxSeenBytes + 128));
  TRY_ASSIGN(Log* const log, log_of(site));
  TRY(decode(bytes, path, log->seen, log->tail));
  for (std::uint64_t first = 0; first < log->seen.size; first += kTileLeaves) {
    TRY_ASSIGN(const auto leaves, read(*log, first, std::min(kTileLeaves, log->seen.size - first)));
    for (const Digest& leaf : leaves) log->tree.append(leaf);
  }
  TRY_ASSIGN(const Digest root, log->tree.root(log->seen.size, [&](auto first, auto count) {
    return read(*log, first, count);
  }));
  if (root != log->seen.root) {
    return fail(Code::kCorrupt,
                "'" + log->file->path() + "' does not give the root in '" + path + "'");
  }
  return log->file->truncate((log->seen.size - log->tail.size()) * kLeafBytes);
}

Result<std::vector<Digest>> Witness::read(Log& log, std::uint64_t first, std::uint64_t count) {
  const std::uint64_t whole = log.seen.size - log.tail.size();
  const std::uint64_t in_file = first < whole ? std::min(count, whole - first) : 0;
  Bytes bytes(in_file * kLeafBytes);
  TRY(log.file->read_exact_at(first * kLeafBytes, bytes));
  std::vector<Digest> leaves(in_file);
  for (std::size_t i = 0; i < in_file; ++i) {
    copy_bytes(leaves[i], ByteView(bytes).subspan(i * kLeafBytes, kLeafBytes));
  }
  for (std::uint64_t at = first + in_file; at < first + count; ++at) {
    leaves.push_back(log.tail.at(at - whole));
  }
  return leaves;
}

Seen Witness::seen(const SiteName& site) {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(site);
  return found == logs_.end() ? Seen{} : found->second.seen;
}

std::map<SiteName, Seen> Witness::all() {
  const std::lock_guard lock(mutex_);
  std::map<SiteName, Seen> all;
  for (const auto& [site, log] : logs_) all.emplace(site, log.seen);
  return all;
}

// Everything about an offer that can be asked before anything is changed.
Result<Note> Witness::check(const Log& log, const SiteName& site, const LogOffer& offer) {
  TRY_ASSIGN(Note note, parse_note(offer.note));
  const Checkpoint& checkpoint = note.checkpoint;
  const auto refuse = [&](const std::string& why) {
    return fail(Code::kRefused, "the log of " + site.text() + " is not co-signed: " + why);
  };
  if (checkpoint.origin != origin_of(site)) return refuse("it says it is " + checkpoint.origin);
  if (log.seen.size > 0 && offer.key != log.seen.key)
    return refuse("it is signed with another key");
  if (!signed_by(note, site.text(), SignatureKind::kLog, offer.key)) {
    return refuse("its signature is wrong");
  }
  if (offer.after != log.seen.size || checkpoint.size != offer.after + offer.leaves.size()) {
    return fail(Code::kInvalidArgument, "of the log of " + site.text() + " the first " +
                                            std::to_string(log.seen.size) + " records are known");
  }
  return note;
}

Result<std::string> Witness::take(const SiteName& site, const LogOffer& offer) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(Log* const log, log_of(site));
  TRY_ASSIGN(const Note note, check(*log, site, offer));
  Tree tree = log->tree;
  for (const Digest& leaf : offer.leaves) tree.append(leaf);
  const auto read_any = [&](std::uint64_t first,
                            std::uint64_t count) -> Result<std::vector<Digest>> {
    std::vector<Digest> leaves;
    if (first < offer.after) {
      TRY_ASSIGN(leaves, read(*log, first, std::min(count, offer.after - first)));
    }
    for (std::uint64_t at = first + leaves.size(); at < first + count; ++at) {
      leaves.push_back(offer.leaves[at - offer.after]);
    }
    return leaves;
  };
  TRY_ASSIGN(const Digest root, tree.root(tree.size(), read_any));
  if (root != note.checkpoint.root) {
    return fail(Code::kRefused, "the log of " + site.text() +
                                    " is not co-signed: it is another one than was seen before");
  }
  TRY(keep(site, *log, offer, note));
  log->tree = std::move(tree);
  return cosign_line(note.checkpoint, self_.text(), key_, system_.clock.now());
}

Result<> Witness::keep(const SiteName& site, Log& log, const LogOffer& offer, const Note& note) {
  std::vector<Digest> tail = log.tail;
  tail.insert(tail.end(), offer.leaves.begin(), offer.leaves.end());
  const std::size_t in_tiles = tail.size() / kTileLeaves * kTileLeaves;
  if (in_tiles > 0) {
    Bytes bytes;
    for (std::size_t i = 0; i < in_tiles; ++i) {
      bytes.insert(bytes.end(), tail[i].begin(), tail[i].end());
    }
    TRY(log.file->write_at((log.seen.size - log.tail.size()) * kLeafBytes, bytes));
    log.file->sync();
    tail.erase(tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(in_tiles));
  }
  const Seen seen{note.checkpoint.size, note.checkpoint.root, offer.key, offer.note};
  TRY(os::replace_file(system_.files, folder_ + "/" + site.text() + std::string(kSeenEnding),
                       encode(seen, tail)));
  log.tail = std::move(tail);
  log.seen = seen;
  return {};
}

Result<std::vector<Digest>> Witness::leaves(const SiteName& site, std::uint64_t after) {
  const std::lock_guard lock(mutex_);
  const auto found = logs_.find(site);
  if (found == logs_.end() || after >= found->second.seen.size) return std::vector<Digest>{};
  return read(found->second, after,
              std::min<std::uint64_t>(kMaxLeavesAtOnce, found->second.seen.size - after));
}

}  // namespace warifu::audit
