// The way of one share out of a cut: into this site's own store, or to another site. Internal to
// Cutting.
//
// Thread rule: put() and finish() belong to the producer; durable() may be called by any thread.
// Destroying a lane that is not finished drops what waits in it.
#pragma once

#include <atomic>
#include <thread>

#include "control/cutting.h"
#include "control/share_sink.h"

namespace warifu::control {

class CutLane {
 public:
  virtual ~CutLane() = default;
  // True when the share is key that both ends hold: records come out of this lane, by take(); into
  // any other lane they go, by put().
  [[nodiscard]] virtual bool is_drawn() const { return false; }
  // The next record of the share. Waits while the lane is full. Errors: what the lane met.
  [[nodiscard]] virtual Result<> put(secret::Buffer record);
  // The next record of a drawn share. Waits for key. Errors: what the lane met.
  [[nodiscard]] virtual Result<secret::Buffer> take();
  // Where the key of a drawn share came from; after finish().
  [[nodiscard]] virtual keypool::Entropy entropy() const { return {}; }
  // Waits until everything is durable at the target.
  [[nodiscard]] virtual Result<> finish() = 0;
  // Records that are durable at the target, counted from the lane's first.
  [[nodiscard]] virtual std::uint64_t durable() const = 0;
};

// What a lane has to move: records [first, count) of a share.
struct LaneRange {
  sharing::RecordLayout records;  // of the share
  std::uint64_t first = 0;
  [[nodiscard]] std::uint64_t count() const { return records.count() - first; }
};

// Into this site's store.
[[nodiscard]] Result<std::unique_ptr<CutLane>> open_own_lane(SiteContext& site, Uploads& uploads,
                                                             const ShareSpec& spec,
                                                             const LaneRange& range);
// Where a lane leads, and the request that its records go with.
struct LaneEnd {
  SiteName site;
  planner::Route route;  // from here to there
  std::uint16_t method = 0;
  Bytes body;
  bool drawn = false;
};
// To another site: sealed frame by frame, or, when its end says drawn, as key of the link to it
// that both ends take out of their pools, with nothing sent. `keep_waiting` is asked from the
// lane's thread.
[[nodiscard]] Result<std::unique_ptr<CutLane>> open_remote_lane(SiteContext& site, LaneEnd end,
                                                                const LaneRange& range,
                                                                const JobId& job,
                                                                channel::KeepWaiting keep_waiting);

}  // namespace warifu::control
