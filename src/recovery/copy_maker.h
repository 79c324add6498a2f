// Keeps copies of the control site's catalog at other sites, as shares of which fewer than the
// threshold tell nothing.
//
// A round takes a consistent backup, compares its pages with those that the holders have, and sends
// what changed as bundles; the round counts once every holder has acknowledged all of it. Where
// that stands is in one file, replaced at the end of a round:
//
//   catalog-copies.state := "WRFCATS1" catalog:16 epoch:u32 bundles:u32 made:i64 page_bytes:u32
//                           count:u64 digest:16{count} crc32c:u32       digests of all pages
//
// A round that breaks off leaves bundles behind that the next one replaces. A holder that lost what
// it had, or whose copies grew to a multiple of the catalog, makes the next round begin an epoch.
// Thread rule: one thread runs run() or round(); the other calls are safe from any.
#pragma once

#include <atomic>
#include <condition_variable>

#include "catalog/catalog.h"
#include "control/share_service.h"
#include "recovery/messages.h"

namespace warifu::recovery {

class CopyMaker {
 public:
  // Reads the state. Errors: kCorrupt, kIo.
  [[nodiscard]] static Result<std::unique_ptr<CopyMaker>> open(control::SiteContext& site,
                                                               catalog::Catalog& catalog);

  // Rounds until `stop`, as often as the configuration says.
  void run(const std::atomic<bool>& stop);
  void interrupt();
  // One round, now. Errors: the holders', kOutOfKey, kNoSpace, kIo.
  [[nodiscard]] Result<> round();
  // This catalog goes on as the one that was copied: the next round begins the epoch after.
  [[nodiscard]] Result<> adopt(const CopyPlace& last);

  struct Status {
    CatalogId catalog;
    std::uint32_t epoch = 0, bundles = 0;
    std::uint64_t pages = 0;
    std::optional<os::UnixMs> made;  // when the last round that counts began
    std::string problem;             // of the last round; empty: it was good
  };
  [[nodiscard]] Status status() const;

 private:
  struct State {
    CatalogId catalog;
    std::uint32_t epoch = 0, bundles = 0;
    std::optional<os::UnixMs> made;
    std::uint32_t page_bytes = 0;
    std::vector<std::array<Byte, 16>> digests;
  };
  CopyMaker(control::SiteContext& site, catalog::Catalog& catalog)
      : site_(site), catalog_(catalog) {}
  Result<> read_state();
  Result<> save_state(const State& state);
  // Whether each holder has all bundles of the state. Errors: kRefused when one keeps copies of
  // another catalog, before any key is spent.
  Result<bool> holders_have_all();
  Result<> send_changes(os::File& backup);
  Result<> send_bundle(const Bundle& bundle);
  Result<> put(const SiteName& holder, const CopyHead& head, ByteView share);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  State state_;  // of the thread that makes rounds
  bool checked_ = false;
  std::atomic<bool> interrupted_ = false;
  std::mutex round_mutex_;
  mutable std::mutex mutex_;  // of what follows
  std::condition_variable wake_;
  Status status_;
};

}  // namespace warifu::recovery
