// Cutting records into shares on their way to their sites: the data path of a store and of a
// re-share, as a pipeline.
//
//   producer (the caller's thread)        one lane, a thread, for each share
//   read, tag -> given shares -> split  ->  own store: append, sync
//                                       ->  another site: seal, send, await acknowledgements
//
// Given shares (sharing/scheme.h) are, as far as there are direct links, key that both ends of a
// link hold: such a lane draws it at both ends and sends nothing. The others are random numbers of
// this site. The report says which, and where all of it came from.
//
// Lanes take shares from queues of fixed depth, so the slowest lane holds all others back and
// memory stays bounded whatever the object's size.
//
// Invariants: the shares of one record come from one cut; a record that some site does not hold
// durably is cut again from fresh random numbers, when all sites have durably dropped what they had
// of it (prepare()); run() starts at first_chunk() everywhere. Nothing is put together here:
// whoever cuts learns nothing that it did not hold. Thread rule: one thread uses a Cutting. The
// functions of CutWatch are called from several threads but never at the same time.
#pragma once

#include <functional>
#include <mutex>

#include "control/share_service.h"
#include "sharing/scheme.h"

namespace warifu::control {

// One share and where it goes; the own site's name keeps it here.
struct CutTarget {
  SiteName site;
  ShareSpec spec;
  planner::Route route;  // from here to there
};

// Where the records come from.
class CutInput {
 public:
  virtual ~CutInput() = default;
  // Fills `record`, which has exactly the length of record `index`. Called in ascending order.
  [[nodiscard]] virtual Result<> read(ChunkIndex index, MutableBytes record) = 0;
};

struct CutWatch {
  // Hears how many chunks all sites hold durably, and of how many; an error ends the cut.
  std::function<Result<>(std::uint64_t done, std::uint64_t total)> progress;
  // Asked while key is awaited; false gives up with kOutOfKey.
  channel::KeepWaiting keep_waiting;
};

class CutLane;

class Cutting {
 public:
  // Asks every site how far it is, and cuts all back to the least; makes the shares' files where
  // there are none. `records` are the lengths of what is cut; `targets` in the order of the
  // scheme's shares. One at a time for what is cut. Errors: kUnavailable naming the site, kRefused;
  // kAlreadyExists when a share is permanent at its site and another one is not whole.
  [[nodiscard]] static Result<Cutting> prepare(SiteContext& site, Uploads& uploads,
                                               const sharing::Scheme& scheme,
                                               const sharing::RecordLayout& records,
                                               std::vector<CutTarget> targets, const JobId& job);
  Cutting(Cutting&&) noexcept;
  ~Cutting();

  // The first chunk that some site does not hold durably; the count when all hold all.
  [[nodiscard]] std::uint64_t first_chunk() const { return first_; }
  // Cuts and moves chunks [first_chunk(), count). Errors: the input's, a site's, a watcher's; what
  // is durable stays for the next try.
  [[nodiscard]] Result<> run(CutInput& input, const CutWatch& watch);
  // How the given shares were got. What an earlier run moved counts as made by a generator: this
  // one cannot know better.
  [[nodiscard]] const CutReport& report() const { return report_; }
  // Makes the shares permanent at their sites, with the sources of the cut's random numbers in
  // their headers. May be repeated.
  [[nodiscard]] Result<> commit(const std::vector<Sibling>& siblings,
                                const keypool::Entropy& entropy);

 private:
  Cutting(SiteContext& site, Uploads& uploads, const sharing::Scheme& scheme,
          const sharing::RecordLayout& records, std::vector<CutTarget> targets, const JobId& job);
  [[nodiscard]] bool is_own(const CutTarget& target) const;
  void choose_drawn();
  Result<> note_drawn();
  [[nodiscard]] std::vector<sharing::ShareIndex> choose_given() const;
  Result<> open_lanes(const channel::KeepWaiting& keep_waiting);
  Result<> cut_record(const sharing::Splitter& splitter, CutInput& input, ChunkIndex index);
  Result<> finish_lanes();
  [[nodiscard]] std::uint64_t durable() const;

  SiteContext& site_;
  Uploads& uploads_;
  sharing::Scheme scheme_;
  sharing::RecordLayout records_;
  std::vector<CutTarget> targets_;
  JobId job_;
  std::uint64_t first_ = 0;
  CutReport report_;
  std::vector<std::unique_ptr<CutLane>> lanes_;  // while run() works; in the order of targets_
};

}  // namespace warifu::control
