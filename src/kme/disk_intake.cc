// Orders, taking in, wiping, status. Agreeing with the far end: disk_agree.cc.
#include "kme/disk_intake.h"

#include <algorithm>

#include "base/limits.h"
#include "base/log.h"
#include "kme/preshare.h"

namespace warifu::kme {
namespace {

constexpr std::chrono::milliseconds kIdle(200);
// Left free on the pools' disk beyond what a piece needs: marks, indexes, trails.
constexpr std::uint64_t kSpareBytes = 64ULL << 20;

Error cancelled() {
  return {Code::kCancelled, "the disk set was stopped"};
}

}  // namespace

DiskIntake::DiskIntake(os::System system, Link& link, const SiteName& self, DiskJournal journal)
    : system_(system), link_(link), self_(self), journal_(std::move(journal)) {}

Result<std::unique_ptr<DiskIntake>> DiskIntake::open(os::System system, Link& link,
                                                     const SiteName& self,
                                                     const std::string& folder) {
  TRY_ASSIGN(DiskJournal journal, DiskJournal::open(system.files, folder));
  if (!journal.manifest().pieces.empty() && journal.manifest().link != link.id()) {
    return fail(Code::kCorrupt, "'" + folder + "' belongs to another link");
  }
  return std::unique_ptr<DiskIntake>(new DiskIntake(system, link, self, std::move(journal)));
}

DiskWay DiskIntake::sending() const {
  return journal_.manifest().a == self_ ? kAToB : kBToA;
}

keypool::Pool& DiskIntake::pool(DiskWay way) const {
  return way == sending() ? link_.send() : link_.receive();
}

bool DiskIntake::active() const {
  return !journal_.state().set.is_zero() && !journal_.state().done;
}

bool DiskIntake::under_way() const {
  const std::lock_guard lock(mutex_);
  return active();
}

PadOffset DiskIntake::held_end(DiskWay way) const {
  const keypool::PoolStatus status = pool(way).status();
  return status.synced_end + ByteCount{status.ingested_bytes};
}

std::uint32_t DiskIntake::held() const {
  const std::array ends = {held_end(kAToB), held_end(kBToA)};
  const auto& pieces = journal_.manifest().pieces;
  const auto first_missing = std::ranges::partition_point(pieces, [&](const DiskPiece& piece) {
    return piece.end(kAToB) <= ends[kAToB] && piece.end(kBToA) <= ends[kBToA];
  });
  return static_cast<std::uint32_t>(first_missing - pieces.begin());
}

bool DiskIntake::synced(std::uint32_t piece, DiskWay way) const {
  return pool(way).status().synced_end >= journal_.manifest().pieces[piece].end(way);
}

Result<DiskManifest> DiskIntake::check_order(const DiskOrder& order) {
  TRY_ASSIGN(DiskManifest manifest, read_disk_manifest(system_.files, order.path));
  const std::string name = "the disk set in '" + order.path + "'";
  const bool ours = (manifest.a == self_ && manifest.b == link_.peer()) ||
                    (manifest.b == self_ && manifest.a == link_.peer());
  if (manifest.link != link_.id() || !ours) {
    return fail(Code::kInvalidArgument, name + " is for the link " + manifest.a.text() + "-" +
                                            manifest.b.text() + ", not for " + self_.text() + "-" +
                                            link_.peer().text() + " as it is now");
  }
  if (active() && manifest.set != journal_.state().set) {
    return fail(Code::kBusy, "another disk set, from '" + journal_.state().path +
                                 "', is under way on the link to " + link_.peer().text() + ": " +
                                 std::to_string(journal_.state().agreed) + " of " +
                                 std::to_string(journal_.manifest().pieces.size()) +
                                 " pieces are agreed (link import --abandon gives it up)");
  }
  if (active()) return manifest;
  for (const DiskWay way : kDiskWays) {
    const keypool::Pool& into =
        (manifest.a == self_) == (way == kAToB) ? link_.send() : link_.receive();
    const PadOffset end = into.status().synced_end;
    if (end == manifest.base(way)) continue;
    return fail(Code::kRefused, name +
                                    (end.value >= manifest.pieces.back().end(way).value
                                         ? " was taken in before, or is too old"
                                         : " does not continue this link's stream") +
                                    ": it goes from " + std::to_string(manifest.base(way).value) +
                                    " to " + std::to_string(manifest.pieces.back().end(way).value) +
                                    ", the pool ends at " + std::to_string(end.value));
  }
  return manifest;
}

Result<> DiskIntake::check_space(const DiskManifest& manifest, std::uint32_t piece) const {
  // Where the journal is, the pools are.
  const std::uint64_t bytes = manifest.pieces[piece].bytes();
  const std::uint64_t need = bytes + bytes / 1024 + kSpareBytes;
  TRY_ASSIGN(const std::uint64_t free, system_.files.free_bytes(journal_.disk_of_pools()));
  if (free >= need) return {};
  return fail(Code::kNoSpace, "piece " + std::to_string(piece) + " needs " + human_bytes(need) +
                                  " on the disk of the pools ('" + journal_.disk_of_pools() +
                                  "'), which has " + human_bytes(free) +
                                  " free: go on when key is used up, or take in fewer (--pieces)");
}

Result<> DiskIntake::begin(const DiskOrder& order) {
  const std::scoped_lock both(taking_, mutex_);
  TRY_ASSIGN(const DiskManifest manifest, check_order(order));
  const bool goes_on = active();
  DiskState state = goes_on ? journal_.state() : DiskState{.set = manifest.set};
  state.finished = journal_.state().finished;
  state.path = order.path;
  state.wipe = order.wipe;
  const auto pieces = static_cast<std::uint32_t>(manifest.pieces.size());
  const std::uint32_t from = goes_on ? held() : 0;
  state.until =
      order.pieces == 0 ? pieces : std::min(pieces, from + std::min(order.pieces, pieces));
  state.until = std::max(state.until, from);
  if (from < state.until) TRY(check_space(manifest, from));
  if (goes_on) {
    TRY(journal_.change(state));
  } else {
    TRY(discard_ingested());  // of a file's import that a crash cut short
    TRY(journal_.begin(manifest, state));
    far_held_ = far_agreed_ = told_held_ = std::nullopt;
  }
  ++order_;
  problem_.reset();
  talk_problem_.reset();
  checked_ = 0;
  wiped_ = 0;
  take_failed_ = wipe_failed_ = differs_ = false;
  news_ = true;
  not_before_ = {};
  pause_ = {};
  wake_.notify_all();
  return {};
}

Result<> DiskIntake::discard_ingested() {
  for (keypool::Pool* from : {&link_.send(), &link_.receive()}) {
    for (const auto& entry : from->segments()) {
      if (entry.state == keypool::SegmentState::kIngested) TRY(from->discard(entry.number));
    }
  }
  return {};
}

Result<> DiskIntake::abandon() {
  const std::scoped_lock both(taking_, mutex_);
  if (!active()) {
    return fail(Code::kNotFound, "no disk set is under way on the link to " + link_.peer().text());
  }
  DiskState state = journal_.state();
  const std::uint32_t agreed = state.agreed;
  for (const DiskWay way : kDiskWays) {
    for (std::uint32_t piece = 0; piece < agreed; ++piece) TRY(mark(piece, way));
  }
  TRY(burn_unconfirmed());
  TRY(discard_ingested());
  state.done = true;
  state.until = agreed;
  TRY(journal_.change(state));
  ++order_;
  problem_ = Error{Code::kCancelled, "given up"};
  log_warning("link to " + link_.peer().text() + ": disk set given up after " +
              std::to_string(agreed) + " pieces");
  return {};
}

// Start pieces that were taken without asking, and never confirmed. How many is each end's own
// affair, so both burn all of them: their streams then end in the same place.
Result<> DiskIntake::burn_unconfirmed() {
  const DiskManifest& manifest = journal_.manifest();
  const std::uint32_t agreed = journal_.state().agreed;
  const bool any = std::ranges::any_of(kDiskWays, [&](DiskWay way) {
    const PadOffset confirmed =
        agreed == 0 ? manifest.base(way) : manifest.pieces[agreed - 1].end(way);
    return pool(way).status().synced_end > confirmed;
  });
  if (!any) return {};
  std::uint32_t start = 0;
  while (start < kStartPieces && start < manifest.pieces.size() &&
         std::ranges::max(manifest.pieces[start].length) <= kStartPieceBytes) {
    ++start;
  }
  if (held() < start) {
    return fail(Code::kRefused, "some of the start pieces serve already: take in the first " +
                                    std::to_string(start) +
                                    " pieces, then give the set up, so that both ends end in the "
                                    "same place");
  }
  for (const DiskWay way : kDiskWays) {
    for (std::uint32_t piece = agreed; piece < start; ++piece) TRY(mark(piece, way));
    TRY(pool(way).burn_to(pool(way).status().synced_end));
  }
  return {};
}

std::string DiskIntake::state_text() const {
  const DiskState& state = journal_.state();
  const auto pieces = static_cast<std::uint32_t>(journal_.manifest().pieces.size());
  if (problem_) return "stopped: " + problem_->message;
  if (state.done) return "done";
  const std::uint32_t have = held();
  if (have < state.until) {
    return (checked_ > 0 ? "verifying piece " : "taking in piece ") + std::to_string(have);
  }
  if (state.agreed < have) {
    return talk_problem_ ? "waits for the far end: " + talk_problem_->message
                         : "waits for the far end to take in piece " + std::to_string(state.agreed);
  }
  if (have < pieces) return std::to_string(pieces - have) + " pieces are left on the disk";
  return talk_problem_ ? "waits for the far end: " + talk_problem_->message
                       : "waits for the far end";
}

std::optional<DiskStatus> DiskIntake::status() const {
  const std::lock_guard lock(mutex_);
  const DiskState& state = journal_.state();
  if (state.set.is_zero()) return std::nullopt;
  const DiskManifest& manifest = journal_.manifest();
  DiskStatus status{.set = state.set,
                    .path = state.path,
                    .wipe = state.wipe,
                    .done = state.done,
                    .pieces = static_cast<std::uint32_t>(manifest.pieces.size()),
                    .until = state.until,
                    .held = state.done ? state.agreed : held(),
                    .agreed = state.agreed,
                    .wiped = wiped_,
                    .bytes = manifest.bytes_in(manifest.pieces.size()),
                    .agreed_bytes = manifest.bytes_in(state.agreed),
                    .until_bytes = manifest.bytes_in(state.until),
                    .checked_bytes = checked_,
                    .state = state_text(),
                    .problem = problem_};
  status.held_bytes = status.agreed_bytes;
  if (!state.done) {
    status.held_bytes = 0;
    for (const DiskWay way : kDiskWays) {
      const PadOffset end = std::min(held_end(way), manifest.pieces.back().end(way));
      if (end > manifest.base(way)) status.held_bytes += (end - manifest.base(way)).value;
    }
  }
  return status;
}

// --- taking in -----------------------------------------------------------------------------------

Result<> DiskIntake::take_unit(DiskPieceReader& reader, const DiskUnit& unit, std::uint64_t order) {
  const std::lock_guard lock(taking_);
  if (order != order_ || interrupted_) return std::unexpected(cancelled());
  keypool::Pool& into = pool(unit.way);
  const PadOffset end = held_end(unit.way);
  if (unit.place + ByteCount{unit.length} <= end) return {};  // before a crash
  if (unit.place != end) {
    return fail(Code::kRefused, "the stream of the link to " + link_.peer().text() +
                                    " has changed under the disk set: it ends at " +
                                    std::to_string(end.value) + ", not at " +
                                    std::to_string(unit.place.value));
  }
  TRY_ASSIGN(const secret::Buffer material, reader.read(unit));
  TRY(into.ingest(into.next_segment(), keypool::Origin::kPreshared, material.bytes()));
  if (unit.way == sending()) link_.note_inflow({unit.length});
  return {};
}

Result<> DiskIntake::take_piece(std::uint32_t piece) {
  std::uint64_t order = 0;
  DiskManifest manifest;
  std::string path;
  {
    const std::lock_guard lock(mutex_);
    order = order_;
    manifest = journal_.manifest();
    path = journal_.state().path;
  }
  TRY(check_space(manifest, piece));
  TRY_ASSIGN(DiskPieceReader reader, DiskPieceReader::open(system_.files, path, manifest, piece));
  const auto verified = reader.verify([&](std::uint64_t done) -> Result<> {
    const std::lock_guard lock(mutex_);
    if (order != order_ || interrupted_) return std::unexpected(cancelled());
    checked_ = done;
    return {};
  });
  {
    const std::lock_guard lock(mutex_);
    checked_ = 0;
  }
  TRY(verified);
  for (const DiskUnit& unit : units_of(manifest, piece)) TRY(take_unit(reader, unit, order));
  const std::lock_guard lock(mutex_);
  news_ = true;
  return {};
}

// The last one takes the manifest with it.
Result<> DiskIntake::wipe_next(std::uint32_t piece) {
  std::string path;
  bool last = false;
  {
    const std::lock_guard lock(mutex_);
    path = journal_.state().path;
    last = piece + 1 == journal_.manifest().pieces.size();
  }
  for (const std::string& file :
       {piece_path(path, piece), last ? manifest_path(path) : std::string()}) {
    if (!file.empty() && system_.files.exists(file)) TRY(wipe_preshare(system_, file));
  }
  const std::lock_guard lock(mutex_);
  wiped_ = std::max(wiped_, piece + 1);
  return {};
}

bool DiskIntake::step(const AskPeer& ask) {
  std::optional<std::uint32_t> wipe, take;
  bool talks = false;
  bool worked = false;
  std::uint64_t order = 0;
  const auto note = [&](std::optional<Error>& where, const Error& error) {
    if (error.code == Code::kCancelled) return;
    if (!where || where->message != error.message) {
      log_warning("link to " + link_.peer().text() + ": disk set: " + error.message);
    }
    where = error;
  };
  {
    const std::lock_guard lock(mutex_);
    if (!active()) return false;
    order = order_;
    for (const auto& done : {mark_agreed(), begin_without_key()}) {
      if (!done) {
        note(problem_, done.error());
        return false;
      }
      worked = worked || *done;
    }
    const DiskState& state = journal_.state();
    const std::uint32_t known = std::min(state.agreed, far_agreed_.value_or(0));
    if (state.wipe && !wipe_failed_ && wiped_ < known) wipe = wiped_;
    const std::uint32_t have = held();
    if (have < state.until && !take_failed_) take = have;
    talks = (news_ || told_held_ != have) && system_.clock.monotonic() >= not_before_;
    if (auto finished = finish_if_done(); !finished) note(problem_, finished.error());
  }
  // What was begun under an order that is over by now says nothing about the new one.
  const auto carry_out = [&](const Result<>& done, bool& failed) {
    const std::lock_guard lock(mutex_);
    if (done || order != order_ || done.error().code == Code::kCancelled) return;
    note(problem_, done.error());
    failed = true;
  };
  if (talks) {
    const std::uint64_t mark = link_.receive().status().mark.value;
    const auto talked = talk(ask);
    const std::lock_guard lock(mutex_);
    if (talked) {
      talk_problem_.reset();
      pause_ = {};
    } else {
      note(talk_problem_, talked.error());
      talk_later(link_.receive().status().mark.value - mark, talked.error());
    }
  }
  if (wipe) carry_out(wipe_next(*wipe), wipe_failed_);
  if (take) carry_out(take_piece(*take), take_failed_);
  return worked || talks || wipe || take;
}

void DiskIntake::run(const AskPeer& ask, const std::atomic<bool>& stop) {
  while (!stop) {
    if (step(ask)) continue;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, kIdle);
  }
}

}  // namespace warifu::kme
