// A link as the key manager sees it: the two pools of one pair of sites at this end, the leases on
// the sending pool, and the inflow.
//
// A lease promises pad of the sending direction to a job before a byte moves. A job may draw what
// is available above the floor and above the leases of older jobs; so two plans never count the
// same key, and the oldest job is served first.
// Thread-safe. Ownership: the KeyManager owns links for the life of the process.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/ids.h"
#include "keypool/pool.h"

namespace warifu::kme {

enum class LinkClass : std::uint8_t { kQkd = 1, kPreshared = 2 };
[[nodiscard]] std::string_view link_class_name(LinkClass link_class);
// Errors: kInvalidArgument unless "qkd" or "preshared".
[[nodiscard]] Result<LinkClass> parse_link_class(std::string_view text);

struct LinkStatus {
  SiteName peer;
  LinkClass link_class = LinkClass::kPreshared;
  keypool::PoolStatus send;
  keypool::PoolStatus receive;
  std::uint64_t leased_bytes = 0;
  std::uint64_t residual_bytes = 0;   // available to new jobs: send minus floor minus leases
  double inflow_bits_per_second = 0;  // moving average of the sending pool
  std::string device_state;           // of a qkd link: "delivering", "unreachable: ..."; else empty
};

class Link {
 public:
  Link(SiteName peer, LinkClass link_class, std::unique_ptr<keypool::Pool> send,
       std::unique_ptr<keypool::Pool> receive, os::Clock& clock);

  [[nodiscard]] const SiteName& peer() const { return peer_; }
  [[nodiscard]] LinkClass link_class() const { return link_class_; }
  [[nodiscard]] LinkId id() const { return send_->link(); }
  [[nodiscard]] keypool::Pool& send() { return *send_; }
  [[nodiscard]] keypool::Pool& receive() { return *receive_; }

  // Promises `size` bytes of the sending pool to a job; replaces an earlier lease of that job but
  // keeps its place in the queue.
  void lease(const JobId& job, ByteCount size);
  void release(const JobId& job);
  // Lowers a job's lease by what it has drawn.
  void draw(const JobId& job, ByteCount size);
  // Bytes that a job may draw now (0 when it has to wait).
  [[nodiscard]] std::uint64_t drawable(const JobId& job) const;
  // Waits until drawable(job) >= size or the time is over.
  [[nodiscard]] bool wait_drawable(const JobId& job, ByteCount size,
                                   std::chrono::milliseconds limit);
  // Seconds until `size` more bytes can be drawn at the present inflow; none when it never ends.
  [[nodiscard]] std::optional<double> expected_wait(const JobId& job, ByteCount size) const;

  // The intake tells what came in and how the device is.
  void note_inflow(ByteCount size);
  void note_device(std::string state);
  [[nodiscard]] LinkStatus status() const;

 private:
  struct Lease {
    JobId job;
    std::uint64_t remaining;
  };
  [[nodiscard]] double inflow_now() const;

  SiteName peer_;
  LinkClass link_class_;
  std::unique_ptr<keypool::Pool> send_;
  std::unique_ptr<keypool::Pool> receive_;
  os::Clock& clock_;

  mutable std::mutex mutex_;
  std::vector<Lease> leases_;  // oldest first
  double inflow_bytes_per_second_ = 0;
  std::chrono::nanoseconds last_inflow_{0};
  std::string device_state_;
};

}  // namespace warifu::kme
