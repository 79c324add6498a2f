// Taking a disk set into the two pools of a preshared link, and agreeing with the far end on it.
//
// Each end takes in piece after piece from its own copy: verified whole, then segment by segment as
// INGESTED, in the order of the stream; where that stands is what the pools hold, so a crash costs
// at most one segment's work. Such key is not usable. The ends tell each other how far they are;
// for each piece that both hold, the leading end (the set's `a`) draws a hash key and asks for the
// hash of what the other pool holds. Question and answer travel under this link's one-time pad.
// Equal: agreed, durable here, then SYNCED here for sending, then the far end is told and does the
// same, then here for receiving. So no end sends with key that the other has not confirmed.
//
// A link without key cannot ask. Then the first piece that is not synced may be taken as it is, if
// it and what is left lie below the control floor: only control messages can use such key, every
// one of them has a tag under it, and the first thing the ends compare is that piece, from the
// disk. Nothing behind it is agreed before it is.
//
// Wiped is what is agreed and known to be at the far end; never anything else. Thread rule: one
// thread per link runs run() or step(); the other calls are safe from any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "kme/disk_journal.h"
#include "kme/disk_message.h"
#include "kme/disk_piece.h"
#include "kme/intake.h"

namespace warifu::kme {

struct DiskOrder {
  std::string path;  // folder of the set, absolute
  bool wipe = false;
  std::uint32_t pieces = 0;  // most to take in now, beyond those that are in; 0: all
};

struct DiskStatus {
  DiskSetId set;
  std::string path;
  bool wipe = false;
  bool done = false;
  std::uint32_t pieces = 0, until = 0, held = 0, agreed = 0, wiped = 0;
  std::uint64_t bytes = 0, held_bytes = 0, agreed_bytes = 0;  // of both directions
  std::uint64_t until_bytes = 0, checked_bytes = 0;  // to take in now; verified of the next piece
  std::string state;                                 // for people
  std::optional<Error> problem;                      // why it does not go on with the disk
};

class DiskIntake {
 public:
  // `folder` keeps the journal. The link must outlive the intake.
  [[nodiscard]] static Result<std::unique_ptr<DiskIntake>> open(os::System system, Link& link,
                                                                const SiteName& self,
                                                                const std::string& folder);

  // Begins a set, or goes on with it. Errors: kNotFound, kCorrupt, kInvalidArgument (another link
  // or site), kRefused (does not continue the streams), kBusy (another set is under way), kNoSpace.
  [[nodiscard]] Result<> begin(const DiskOrder& order);
  // Gives up a set: what is not agreed is discarded, and burnt where a start piece was taken as it
  // is. Errors: kNotFound (none is under way), kIo.
  [[nodiscard]] Result<> abandon();
  // True while a set is under way, also when it waits: the streams must not grow otherwise.
  [[nodiscard]] bool under_way() const;
  // None when no set ever was.
  [[nodiscard]] std::optional<DiskStatus> status() const;

  // Works until `stop`.
  void run(const AskPeer& ask, const std::atomic<bool>& stop);
  // One piece of work; false when there is nothing to do now. What fails is in status().
  bool step(const AskPeer& ask);
  // Answers the far end.
  [[nodiscard]] Result<Bytes> answer(ByteView body);
  // Ends a step soon.
  void interrupt() { interrupted_ = true; }

 private:
  DiskIntake(os::System system, Link& link, const SiteName& self, DiskJournal journal);
  // Of the directions as this end sees them.
  [[nodiscard]] keypool::Pool& pool(DiskWay way) const;
  [[nodiscard]] DiskWay sending() const;
  [[nodiscard]] bool leads() const { return sending() == kAToB; }
  [[nodiscard]] bool active() const;  // the rest needs mutex_ held, as this does
  [[nodiscard]] PadOffset held_end(DiskWay way) const;
  [[nodiscard]] std::uint32_t held() const;
  [[nodiscard]] bool synced(std::uint32_t piece, DiskWay way) const;

  // disk_intake.cc
  Result<DiskManifest> check_order(const DiskOrder& order);
  Result<> check_space(const DiskManifest& manifest, std::uint32_t piece) const;
  Result<> take_piece(std::uint32_t piece);
  Result<> take_unit(DiskPieceReader& reader, const DiskUnit& unit, std::uint64_t order);
  Result<> wipe_next(std::uint32_t piece);
  Result<> discard_ingested();
  Result<> burn_unconfirmed();
  [[nodiscard]] std::string state_text() const;

  // disk_agree.cc
  Result<> mark(std::uint32_t piece, DiskWay way);
  Result<bool> mark_agreed();
  Result<bool> begin_without_key();
  Result<> talk(const AskPeer& ask);
  Result<bool> compare(const AskPeer& ask, std::uint32_t piece);
  Result<> agree(std::uint32_t piece);
  Result<mac::Tag> hash(const DiskQuestion& question);
  void differ(std::uint32_t piece);
  Result<Bytes> answer_active(const DiskQuestion& question);
  void talk_later(std::uint64_t cost, const Error& error);
  [[nodiscard]] std::vector<keypool::SegmentEntry> waiting_segments(DiskWay way) const;
  Result<> finish_if_done();

  os::System system_;
  Link& link_;
  const SiteName self_;
  std::mutex taking_;  // held for one segment of taking in; before mutex_
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  DiskJournal journal_;
  std::uint64_t order_ = 0;  // counts begin() and abandon(): what is under way then ends
  std::atomic<bool> interrupted_ = false;
  std::optional<Error> problem_;       // with the disk or its pieces
  std::optional<Error> talk_problem_;  // with the far end
  bool take_failed_ = false;           // each until the next begin()
  bool wipe_failed_ = false;
  bool differs_ = false;
  std::uint64_t checked_ = 0;  // bytes verified of the piece that comes next
  std::uint32_t wiped_ = 0;
  // What the far end told since the start; none: nothing yet.
  std::optional<std::uint32_t> far_held_, far_agreed_;
  std::optional<std::uint32_t> told_held_;
  bool news_ = true;  // something to talk about
  std::chrono::nanoseconds not_before_{0};
  std::chrono::milliseconds pause_{0};
};

}  // namespace warifu::kme
