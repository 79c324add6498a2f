// What every site does with shares for others: takes them in, gives them out against evidence,
// combines nested ones, re-shares, deletes.
//
// A share leaves for a restore only through release(), which needs this site's own Gate to say yes
// and returns reader and Permit together. Thread-safe; handlers run on the channel's threads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "audit/log.h"
#include "channel/server.h"
#include "consent/gate.h"
#include "control/messages.h"
#include "control/sighting_book.h"
#include "store/share_store.h"

namespace warifu::control {

// The parts of a site that the services share. References must outlive every service.
struct SiteContext {
  os::System system;
  const config::SiteConfig& config;
  kme::KeyManager& keys;
  channel::Caller& caller;
  store::ShareStore& shares;
  consent::Gate& gate;
  audit::Log& log;
};

// This site's random numbers for shares, for sharing::cut_guarded().
[[nodiscard]] std::function<Result<>(MutableBytes)> numbers_for_sharing(const SiteContext& site);

// Whether `from` may order this site about: share control may. Errors: kRefused, with a line in the
// log.
[[nodiscard]] Result<> only_control(const SiteContext& site, const SiteName& from);

[[nodiscard]] store::ShareHeader to_header(const ShareSpec& spec, os::UnixMs created);
// The data frames that carry chunks [first, first + count) of a share.
[[nodiscard]] channel::StreamShape shape_of(const sharing::RecordLayout& records,
                                            std::uint64_t first, std::uint64_t count);

// Whether a site carries the label that this policy names for the share at that path, which must be
// one that comes to rest.
[[nodiscard]] bool may_hold(const config::SiteConfig& config, const planner::PolicyNode& policy,
                            const sharing::SharePath& path, const SiteName& site);

// Whether a site may join the share `given`, which is `held` or stands above it, with others of its
// cut: it holds another share of that cut, or a part of one. Of the cut that made `held` its
// siblings say so; where a part of a share may be, the policy.
[[nodiscard]] bool may_join(const config::SiteConfig& config, const store::ShareHeader& held,
                            const sharing::SharePath& given, const SiteName& site);

// The record of `length` bytes that was cut, from the shares of it in the order of joiner.from();
// all must be joiner.scheme().share_bytes(length) long.
[[nodiscard]] secret::Buffer join_records(const sharing::Joiner& joiner,
                                          std::span<const secret::Buffer> shares,
                                          std::size_t length);

// How far a share is at its site.
struct PreparedShare {
  std::uint64_t durable_chunks = 0;
  bool drawn = false;  // as it was first announced; a cut that goes on keeps to it
};

// Uploads to this site, held open between prepare and commit.
class Uploads {
 public:
  explicit Uploads(SiteContext& site) : site_(site) {}

  // Makes or reopens the upload of `from`. Returns its durable chunks (all of them once committed).
  [[nodiscard]] Result<PreparedShare> prepare(const ShareSpec& spec, const SiteName& from);
  // Durably cuts an announced upload back to `chunks`, where it is longer. Errors: kAlreadyExists
  // when the share is permanent here; kNotFound (not announced), kBusy.
  [[nodiscard]] Result<> cut_back(const ShareId& share, std::uint64_t chunks, const SiteName& from);
  // Cuts the upload back to `chunks` and gives it to the caller until give_back().
  [[nodiscard]] Result<std::unique_ptr<store::ShareWriter>> take(const ShareId& share,
                                                                 std::uint64_t chunks,
                                                                 const SiteName& from);
  void give_back(const ShareId& share, std::unique_ptr<store::ShareWriter> writer);
  [[nodiscard]] Result<> commit(const CommitRequest& request, const SiteName& from);
  // Of an upload that has something and that nobody is writing to just now.
  [[nodiscard]] std::optional<store::ShareHeader> begun(const ShareId& share);
  // Drops an upload that nobody is writing to just now.
  void abandon(const ShareId& share);
  // Kept by who cuts a share of this site into parts: two cuts at once would mix. Errors: kBusy.
  [[nodiscard]] Result<std::shared_ptr<void>> begin_cut(const ShareId& share);

 private:
  // Only the site that announced a share may write and commit it.
  struct Open {
    std::unique_ptr<store::ShareWriter> writer;  // empty while somebody writes
    SiteName from;
  };
  SiteContext& site_;
  std::mutex mutex_;
  std::map<ShareId, Open> open_;
  std::set<ShareId> being_cut_;
};

// Announces a share to the site that will hold it, this one or another; so many of its chunks are
// durable there. Errors: the site's and those of the way there.
[[nodiscard]] Result<PreparedShare> prepare_share(SiteContext& site, Uploads& own,
                                                  const SiteName& at, const ShareSpec& spec);
// A share of a cut that was announced, and how much of it is durable at its site.
struct BegunShare {
  SiteName site;
  ShareId share;
  std::uint64_t durable_chunks = 0;
};
// Shares of one cut are begun, or gone on with, only when no site has more of them than the others:
// a record of an older cut would stand beside those of the new one. Cuts all of them back to the
// least that any site has, of `chunks`, and returns it. Errors: as Uploads::cut_back(), and those
// of the way.
[[nodiscard]] Result<std::uint64_t> cut_back_to_least(SiteContext& site, Uploads& own,
                                                      std::span<const BegunShare> cut,
                                                      std::uint64_t chunks);
// Makes a share permanent there. Errors: as prepare_share().
[[nodiscard]] Result<> commit_share(SiteContext& site, Uploads& own, const SiteName& at,
                                    const CommitRequest& request);

class ShareService {
 public:
  // Who has seen what is noted in `sightings`, which must outlive it.
  ShareService(SiteContext& site, SightingBook& sightings)
      : site_(site), sightings_(sightings), uploads_(site) {}

  void add_handlers(channel::Server& server);

  // A share's bytes with this site's leave to send them.
  struct Released {
    consent::Permit permit;
    std::unique_ptr<store::ShareReader> reader;
  };
  // `recipient` is where the bytes go next: the destination, or a holder of another share of the
  // cut that made what is given, or of a part of one, who joins them. That is the share `given`,
  // the one that is held unless it is said.
  [[nodiscard]] Result<Released> release(const ReadRequest& request, const SiteName& recipient,
                                         const sharing::SharePath& given = {});

  [[nodiscard]] Uploads& uploads() { return uploads_; }
  [[nodiscard]] const SightingBook& sightings() const { return sightings_; }
  [[nodiscard]] SiteStatus status();
  // Those of them that lie here whole: each is opened.
  [[nodiscard]] std::vector<ShareId> held_of(std::span<const ShareId> shares);
  [[nodiscard]] Result<> remove(const ShareId& share);

 private:
  Result<> handle_write(channel::Exchange& exchange);
  Result<> handle_read(channel::Exchange& exchange);
  Result<> handle_combine(channel::Exchange& exchange);
  Result<> handle_reshare(channel::Exchange& exchange);

  // The sites that `request` has passed have seen, or see now, what lies at `place`; but `apart`.
  Result<> note_way(const store::ShareHeader& share, const sharing::SharePath& place,
                    const channel::Request& request, const SiteName& apart);
  // What is joined here under a request of `destination`.
  Result<> note_joined(const store::ShareHeader& share, const CombineRequest& request);
  // Before a share goes that is the last one of its object here.
  Result<> note_given_up(const ShareId& share);

  SiteContext& site_;
  SightingBook& sightings_;
  Uploads uploads_;
};

// Whether the permit still covers the read, while it goes on: object, place, time, and what this
// site's gate has heard since. Errors: kRefused with the reason.
[[nodiscard]] Result<> still_permitted(const SiteContext& site, const consent::Permit& permit,
                                       const ReadRequest& request);

}  // namespace warifu::control
