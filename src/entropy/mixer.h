// The mixture of a site's sources: each one tested and conditioned by itself, then XOR.
//
// The XOR of independent sources is as strong as the strongest of them. What a batch may be called
// follows from its parts: HARDWARE only when a hardware source whose part is uniform by itself is
// in all of it; otherwise the origin of the first part that is. A batch has the same parts from
// front to back. When a test fails in the middle of a batch, the whole batch is dropped.
// Thread-safe: one batch at a time, status() and readmit() beside it.
#pragma once

#include <functional>
#include <vector>

#include "entropy/feed.h"

namespace warifu::entropy {

struct Batch {
  secret::Buffer bytes;
  keypool::Origin claim = keypool::Origin::kKernelGenerator;
  std::uint16_t parts = 0;  // bit n: origin n is in the mixture
};

class Mixer {
 public:
  static constexpr std::size_t kUnit = 1024;  // mixed at a time

  // At least one feed is required and carries full entropy; names differ.
  explicit Mixer(std::vector<std::unique_ptr<Feed>> feeds);

  // Start-up tests of all sources. Errors: the first of a required source, as Feed::take().
  [[nodiscard]] Result<> start();
  // Up to `most` bytes (a multiple of kUnit); ends earlier when `enough(bytes)` says so or a part
  // comes or goes. Empty when `enough` wanted nothing. Errors: of the required source that is out,
  // as Feed::take().
  [[nodiscard]] Result<Batch> next(std::size_t most, const std::function<bool(std::size_t)>& enough);

  [[nodiscard]] std::vector<FeedStatus> status() const;
  // Errors: kNotFound naming the sources there are; as Feed::readmit().
  [[nodiscard]] Result<> readmit(const std::string& name);
  // Whatever reads ends soon, with kCancelled. From any thread.
  void stop();

 private:
  struct Unit {
    std::vector<bool> parts;  // by feed
    bool dropped = false;     // a test failed
  };
  Result<Unit> mix(MutableBytes out, MutableBytes part);

  std::vector<std::unique_ptr<Feed>> feeds_;
};

}  // namespace warifu::entropy
