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
  // The next record of the share. Waits while the lane is full. Errors: what the lane met.
  [[nodiscard]] virtual Result<> put(secret::Buffer record) = 0;
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
// To another site, sealed frame by frame. `keep_waiting` is asked from the lane's thread.
[[nodiscard]] Result<std::unique_ptr<CutLane>> open_sending_lane(SiteContext& site,
                                                                 const CutTarget& target,
                                                                 const LaneRange& range,
                                                                 const JobId& job,
                                                                 channel::KeepWaiting keep_waiting);

}  // namespace warifu::control
