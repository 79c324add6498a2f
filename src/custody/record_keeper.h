// Card records in safekeeping: what a card must know of an object (its hash key and the tag over
// its tags) is cut into shares for a few sites, so that a lost card loses nobody's data; and put
// together again for the card that takes the lost one's place, or under the grant of a signature
// card, which keeps nothing itself, when threshold-many sites agree.
//
// The catalog forgets the secrets of an object when its card has them and they are in safekeeping.
// What is not kept yet is tried again in rounds, by a thread between start() and stop(). A holder
// that keeps less than the catalog believes has lost it: then nothing counts as kept, and every
// record goes into safekeeping again as soon as its card is used. Thread-safe.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "card/values.h"
#include "catalog/catalog.h"
#include "control/jobs.h"
#include "control/share_service.h"
#include "custody/custody_service.h"

namespace warifu::custody {

class RecordKeeper {
 public:
  // Looks after every job that is done, before `jobs` begins: a store may have left a record.
  RecordKeeper(control::JobEngine& jobs, catalog::Catalog& catalog, CustodyService& own)
      : site_(jobs.site()), catalog_(catalog), own_(own) {
    jobs.watch_done([this](catalog::JobKind) { wake(); });
  }
  ~RecordKeeper() { stop(); }

  [[nodiscard]] bool is_on() const { return !site_.config.records.holders.empty(); }
  void start();
  void stop();
  // A round soon: there may be something to keep.
  void wake();

  // Puts everything that is not kept yet into safekeeping; how many records it was. Errors: the
  // catalog's, of the way to a holder (the rest is tried all the same).
  [[nodiscard]] Result<std::size_t> round();
  // The record of an object for a card that has taken the place of a lost one. Errors: kNotFound
  // (safekeeping is off, or holds nothing of it), kRefused or kUnavailable naming a holder, when
  // too few give their shares; kCorrupt when no choice of shares passes its check.
  [[nodiscard]] Result<card::ObjectRecord> bring_back(const ObjectId& object, const CardId& card);
  // A grant that a card has proved, with the evidence of all sites of it.
  struct ProvedGrant {
    Bytes grant;
    std::vector<consent::Evidence> evidence;
  };
  // The record of an object under a grant of a card that keeps none, or those of guardians or
  // officers together. Errors: as bring_back().
  [[nodiscard]] Result<card::ObjectRecord> bring_under(const ObjectId& object,
                                                       std::span<const ProvedGrant> grants);
  // Erases the secrets of an object in the catalog if they are safe elsewhere: on the card and,
  // where it is on, in safekeeping. Errors: the catalog's.
  [[nodiscard]] Result<> forget_if_safe(const ObjectId& object);
  struct Status {
    std::uint64_t kept = 0;
    std::uint64_t waiting = 0;
    std::string problem;  // of the last round; empty: none
  };
  [[nodiscard]] Result<Status> status();

 private:
  Result<> keep(const catalog::UnkeptRecord& record);
  Result<> put(const SiteName& holder, const KeptShare& kept);
  using Fetch = std::function<Result<KeptShare>(const SiteName& holder)>;
  Result<card::ObjectRecord> join(const ObjectId& object, const Fetch& fetch);
  // `give`: of this site itself; `body`: of the request to another one.
  template <typename Give>
  Result<KeptShare> fetch(const SiteName& holder, const ObjectId& object, Method method, Bytes body,
                          const Give& give);
  // Makes every holder forget the records of deleted objects.
  Result<> forget_deleted();
  // Whether each holder keeps as many records as the catalog believes.
  Result<> check_holders();
  void run(const std::stop_token& stop);

  control::SiteContext& site_;
  catalog::Catalog& catalog_;
  CustodyService& own_;
  std::mutex rounds_;  // one at a time
  std::mutex mutex_;
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::string problem_;
  std::jthread thread_;
};

}  // namespace warifu::custody
