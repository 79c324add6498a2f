// Re-sharing: the holder of a share cuts it again for other sites.
//
// The holder reads its share record by record, splits each with fresh randomness, and sends the
// parts; it goes on only when all sites have acknowledged. An interrupted re-share is repeated from
// the last chunk that all hold durably: the parts of one chunk always come from
// one cut. Nothing is reconstructed; the holder learns nothing it did not hold.
#pragma once

#include <functional>

#include "control/share_service.h"

namespace warifu::control {

// Sends chunk after chunk of several shares to several sites in step.
class FanOut {
 public:
  struct Target {
    SiteName site;
    ShareSpec spec;
  };
  // Asks every site how far it is. Errors: kUnavailable naming the site.
  [[nodiscard]] static Result<FanOut> prepare(SiteContext& site, std::vector<Target> targets,
                                              const JobId& job);
  // The first chunk that some target does not hold durably.
  [[nodiscard]] std::uint64_t first_chunk() const { return first_; }
  // Opens the streams; `keep_waiting` is asked while key is awaited.
  [[nodiscard]] Result<> start(std::uint64_t first, const channel::KeepWaiting& keep_waiting);
  // Sends one record per target, in the targets' order; encrypted in place.
  [[nodiscard]] Result<> send(std::span<secret::Buffer> records);
  // Chunks that every target holds durably.
  [[nodiscard]] std::uint64_t acknowledged() const;
  // Waits for the replies to the streams.
  [[nodiscard]] Result<> finish();
  // Makes the shares permanent at their sites.
  [[nodiscard]] Result<> commit(const std::vector<Sibling>& siblings);

 private:
  FanOut(SiteContext& site, std::vector<Target> targets, const JobId& job)
      : site_(&site), targets_(std::move(targets)), job_(job) {}

  SiteContext* site_;
  std::vector<Target> targets_;
  JobId job_;
  std::uint64_t first_ = 0;
  std::uint64_t started_at_ = 0;
  std::vector<channel::Call> calls_;
};

// A cut whose first privacy() shares are given.
[[nodiscard]] Result<sharing::Splitter> first_given(const sharing::Scheme& scheme);
// All shares of one record, A first; `record` has the scheme's padded length. The given shares come
// from `random`.
[[nodiscard]] std::vector<secret::Buffer> split_record(const sharing::Splitter& splitter,
                                                       ByteView record, os::Random& random);

// The rule that a share site checks for itself before it cuts: with the parts on their way from
// here, and the shares of the cut above on theirs from share control, no site sees more than the
// schemes allow (exposure.h). Errors: kRefused, kInvalidArgument when the specs are not of
// `header`.
[[nodiscard]] Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                                     const ReshareRequest& request);

// Cuts `request.share` for its targets. `progress` hears chunks done and total.
[[nodiscard]] Result<> reshare(
    SiteContext& site, const ReshareRequest& request, const JobId& job,
    const std::function<Result<>(std::uint64_t, std::uint64_t)>& progress,
    const channel::KeepWaiting& keep_waiting);

}  // namespace warifu::control
