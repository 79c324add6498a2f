// How the two ends agree on pieces of a disk set, and what makes agreed key usable.
#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "kme/disk_intake.h"
#include "kme/padded_hash.h"
#include "mac/mac.h"

namespace warifu::kme {
namespace {

// With less, a connection may not come about any more.
constexpr std::uint64_t kNoKeyBytes = 64 * 1024;
constexpr std::chrono::milliseconds kFirstPause(1000), kLongPause(10'000);
// An attempt that cost key is not repeated that soon: start key is scarce.
constexpr std::chrono::milliseconds kFirstCostlyPause(5000), kLongestPause(3600'000);

}  // namespace

std::vector<keypool::SegmentEntry> DiskIntake::waiting_segments(DiskWay way) const {
  PadOffset at = pool(way).status().synced_end;
  std::vector<keypool::SegmentEntry> waiting = pool(way).segments();
  std::erase_if(waiting, [](const keypool::SegmentEntry& entry) {
    return entry.state != keypool::SegmentState::kIngested;
  });
  std::ranges::sort(waiting, {}, &keypool::SegmentEntry::number);
  for (keypool::SegmentEntry& entry : waiting) {
    entry.base = at;
    at = entry.end();
  }
  return waiting;
}

// All of the piece must wait in the pool, or be synced.
Result<> DiskIntake::mark(std::uint32_t piece, DiskWay way) {
  if (synced(piece, way)) return {};
  const PadOffset end = journal_.manifest().pieces[piece].end(way);
  const std::lock_guard one_change(link_.sync_mutex());
  for (const keypool::SegmentEntry& entry : waiting_segments(way)) {
    if (entry.end() > end) break;
    TRY(pool(way).mark_synced(entry.number, entry.base));
  }
  if (pool(way).status().synced_end == end) return {};
  return fail(Code::kCorrupt, "piece " + std::to_string(piece) +
                                  " of the disk set is agreed, but the pool of the link to " +
                                  link_.peer().text() + " does not hold all of it");
}

// The leading end sends with a piece as soon as it is agreed, and receives with it when the far end
// knows: the end that grants key never is the one that has it first.
Result<bool> DiskIntake::mark_agreed() {
  bool did = false;
  const std::uint32_t agreed = journal_.state().agreed;
  for (const DiskWay way : kDiskWays) {
    const std::uint32_t limit =
        leads() && way != sending() ? std::min(agreed, far_agreed_.value_or(0)) : agreed;
    const PadOffset end = pool(way).status().synced_end;
    const auto& pieces = journal_.manifest().pieces;
    const auto first = std::ranges::partition_point(
        pieces, [&](const DiskPiece& piece) { return piece.end(way) <= end; });
    for (auto piece = static_cast<std::uint32_t>(first - pieces.begin()); piece < limit; ++piece) {
      TRY(mark(piece, way));
      did = true;
    }
  }
  return did;
}

Result<bool> DiskIntake::begin_without_key() {
  bool did = false;
  if (differs_) return did;
  for (const DiskWay way : kDiskWays) {
    const keypool::PoolStatus status = pool(way).status();
    const auto& pieces = journal_.manifest().pieces;
    const auto next = std::ranges::partition_point(
        pieces, [&](const DiskPiece& piece) { return piece.end(way) <= status.synced_end; });
    if (next == pieces.end() || next - pieces.begin() < journal_.state().agreed) continue;
    const bool below_floor =
        next->length[way] <= kStartPieceBytes &&
        status.available_bytes + next->length[way] <= limits::kControlFloorBytes;
    if (!below_floor || status.available_bytes >= kNoKeyBytes) continue;
    if (held_end(way) < next->end(way)) continue;
    const auto piece = static_cast<std::uint32_t>(next - pieces.begin());
    TRY(mark(piece, way));
    log_info("link to " + link_.peer().text() + ": no key to agree with, so piece " +
             std::to_string(piece) + " of the disk set serves control messages unconfirmed");
    did = true;
    news_ = true;
    not_before_ = {};
  }
  return did;
}

// --- the hash ------------------------------------------------------------------------------------

// What waits is read from the pool, which is what will be used; a start piece that was taken
// unconfirmed is partly used up, so it is read from the disk. Long: without a lock, on copies.
Result<mac::Tag> DiskIntake::hash(const DiskQuestion& question) {
  DiskManifest manifest;
  std::string path;
  std::array<keypool::Pool*, 2> pools{};
  std::array<std::vector<keypool::SegmentEntry>, 2> waiting;
  {
    const std::lock_guard lock(mutex_);
    manifest = journal_.manifest();
    path = journal_.state().path;
    for (const DiskWay way : kDiskWays) {
      pools[way] = &pool(way);
      waiting[way] = waiting_segments(way);
    }
  }
  const std::vector<DiskUnit> units = units_of(manifest, question.piece);
  if (question.first > units.size() || question.count > units.size() - question.first) {
    return fail(Code::kProtocol, "a question about units that the piece does not have");
  }
  const mac::Key key(question.key.bytes());
  mac::Hasher hasher(key);
  std::array<Byte, mac::kBlockBytes> place{};
  std::memcpy(place.data(), &question.piece, 4);
  std::memcpy(place.data() + 4, &question.first, 4);
  std::memcpy(place.data() + 8, &question.count, 4);
  hasher.update(place);
  std::optional<DiskPieceReader> reader;
  const auto bytes_of = [&](const DiskUnit& unit) -> Result<secret::Buffer> {
    const auto entry =
        std::ranges::find(waiting[unit.way], unit.place, &keypool::SegmentEntry::base);
    if (entry != waiting[unit.way].end() && entry->length == unit.length) {
      return pools[unit.way]->read_ingested(entry->number);
    }
    if (!reader) {
      TRY_ASSIGN(reader, DiskPieceReader::open(system_.files, path, manifest, question.piece));
    }
    return reader->read(unit);
  };
  for (std::uint32_t i = question.first; i < question.first + question.count; ++i) {
    TRY_ASSIGN(const secret::Buffer bytes, bytes_of(units[i]));
    hash_padded(hasher, bytes.bytes());
  }
  return hasher.finish();
}

// --- asking --------------------------------------------------------------------------------------

Result<> DiskIntake::talk(const AskPeer& ask) {
  DiskQuestion note;
  {
    const std::lock_guard lock(mutex_);
    note = {.set = journal_.state().set, .held = held(), .agreed = journal_.state().agreed};
    news_ = false;
  }
  TRY_ASSIGN(const Bytes reply, ask(IntakeMethod::kDisk, encode(note)));
  TRY_ASSIGN(const DiskNote far, decode_disk_note(reply));
  {
    const std::lock_guard lock(mutex_);
    told_held_ = note.held;
    far_held_ = far.held;
    far_agreed_ = far.agreed;
    if (!leads()) return {};
    if (far.agreed > note.agreed) {
      return fail(Code::kCorrupt, link_.peer().text() + " agreed on " + std::to_string(far.agreed) +
                                      " pieces, this end on " + std::to_string(note.agreed) +
                                      ": was a backup restored?");
    }
  }
  const auto tell_agreed = [&](std::uint32_t piece) -> Result<> {
    TRY(ask(IntakeMethod::kDisk,
            encode(DiskQuestion{.order = DiskTalk::kAgreed, .set = note.set, .piece = piece})));
    const std::lock_guard lock(mutex_);
    far_agreed_ = piece + 1;
    TRY(mark_agreed());
    return {};
  };
  for (std::uint32_t piece = far.agreed; piece < note.agreed; ++piece) TRY(tell_agreed(piece));
  for (;;) {
    std::uint32_t piece = 0;
    {
      const std::lock_guard lock(mutex_);
      piece = journal_.state().agreed;
      if (interrupted_ || differs_ || !active() || piece >= std::min(held(), *far_held_)) return {};
    }
    TRY_ASSIGN(const bool equal, compare(ask, piece));
    if (equal) TRY(tell_agreed(piece));
  }
}

Result<bool> DiskIntake::compare(const AskPeer& ask, std::uint32_t piece) {
  DiskQuestion question{.order = DiskTalk::kCompare, .piece = piece};
  std::size_t units = 0;
  {
    const std::lock_guard lock(mutex_);
    question.set = journal_.state().set;
    units = units_of(journal_.manifest(), piece).size();
  }
  question.key = secret::Buffer(mac::kBlockBytes);
  for (std::size_t at = 0; at < units; at += DiskQuestion::kMostUnits) {
    question.first = static_cast<std::uint32_t>(at);
    question.count =
        static_cast<std::uint32_t>(std::min<std::size_t>(DiskQuestion::kMostUnits, units - at));
    system_.random.fill(question.key.bytes());
    TRY_ASSIGN(const mac::Tag own, hash(question));
    TRY_ASSIGN(const Bytes theirs, ask(IntakeMethod::kDisk, encode(question)));
    if (secret::equal(own, theirs)) continue;
    const DiskQuestion differs{.order = DiskTalk::kDiffers, .set = question.set, .piece = piece};
    const auto told = ask(IntakeMethod::kDisk, encode(differs));
    const std::lock_guard lock(mutex_);
    differ(piece);
    if (!told) return std::unexpected(told.error());
    return false;
  }
  const std::lock_guard lock(mutex_);
  TRY(agree(piece));
  return true;
}

void DiskIntake::differ(std::uint32_t piece) {
  differs_ = true;
  problem_ = Error{Code::kCorrupt, "piece " + std::to_string(piece) +
                                       " of the disk set differs at the two ends of the link " +
                                       self_.text() + "-" + link_.peer().text() +
                                       ": neither it nor what follows is used; one copy was "
                                       "changed (link import --abandon gives the set up)"};
  log_error("link to " + link_.peer().text() + ": " + problem_->message);
}

Result<> DiskIntake::agree(std::uint32_t piece) {
  DiskState state = journal_.state();
  state.agreed = piece + 1;
  TRY(journal_.change(state));
  TRY(mark_agreed());
  return {};
}

void DiskIntake::talk_later(std::uint64_t cost, const Error& error) {
  const bool costly = cost > 0 || error.code != Code::kUnavailable;
  pause_ = std::min(std::max(pause_ * 2, costly ? kFirstCostlyPause : kFirstPause),
                    costly ? kLongestPause : kLongPause);
  not_before_ = system_.clock.monotonic() + pause_;
  news_ = true;
}

Result<> DiskIntake::finish_if_done() {
  DiskState state = journal_.state();
  const auto pieces = static_cast<std::uint32_t>(journal_.manifest().pieces.size());
  if (state.agreed < pieces || far_agreed_.value_or(0) < pieces) return {};
  if (!synced(pieces - 1, kAToB) || !synced(pieces - 1, kBToA)) return {};
  if (state.wipe && wiped_ < pieces) return {};
  state.done = true;
  state.finished = state.set;
  TRY(journal_.change(state));
  log_info("link to " + link_.peer().text() + ": the disk set is wholly in, and agreed");
  return {};
}

// --- answering -----------------------------------------------------------------------------------

Result<Bytes> DiskIntake::answer(ByteView body) {
  TRY_ASSIGN(const DiskQuestion question, decode_disk_question(body));
  {
    const std::lock_guard lock(mutex_);
    const DiskState& state = journal_.state();
    if (question.set == state.finished && question.order != DiskTalk::kCompare) {
      if (question.order != DiskTalk::kNote) return Bytes{};
      return encode(DiskNote{question.held, question.held});  // that set is wholly agreed here
    }
    if (!active() || question.set != state.set) {
      if (active()) {
        return fail(Code::kBusy, self_.text() + " has another disk set under way");
      }
      if (question.order == DiskTalk::kNote) {
        const std::uint32_t agreed = question.set == state.set ? state.agreed : 0;
        return encode(DiskNote{agreed, agreed});
      }
      return fail(Code::kRefused, self_.text() + " takes in no such disk set");
    }
    if (question.order != DiskTalk::kCompare) return answer_active(question);
    if (leads() || question.piece != state.agreed || question.piece >= held()) {
      return fail(Code::kRefused, self_.text() + " cannot compare piece " +
                                      std::to_string(question.piece) + ": it agreed on " +
                                      std::to_string(state.agreed) + " pieces and holds " +
                                      std::to_string(held()));
    }
  }
  TRY_ASSIGN(const mac::Tag tag, hash(question));
  return Bytes(tag.begin(), tag.end());
}

Result<Bytes> DiskIntake::answer_active(const DiskQuestion& question) {
  const DiskState& state = journal_.state();
  wake_.notify_all();
  switch (question.order) {
    case DiskTalk::kNote:
      far_held_ = question.held;
      far_agreed_ = question.agreed;
      if (leads() && (question.held > state.agreed || question.agreed < state.agreed)) news_ = true;
      not_before_ = {};
      pause_ = {};
      talk_problem_.reset();
      return encode(DiskNote{held(), state.agreed});
    case DiskTalk::kAgreed:
      if (leads() || question.piece > state.agreed || question.piece >= held()) {
        return fail(Code::kRefused, self_.text() + " does not hold piece " +
                                        std::to_string(question.piece) + " of the disk set");
      }
      if (question.piece == state.agreed) TRY(agree(question.piece));
      TRY(mark_agreed());
      far_agreed_ = std::max(far_agreed_.value_or(0), question.piece + 1);
      return Bytes{};
    case DiskTalk::kDiffers: differ(question.piece); return Bytes{};
    case DiskTalk::kCompare: break;  // answer() itself
  }
  return fail(Code::kProtocol, "no such order");
}

}  // namespace warifu::kme
