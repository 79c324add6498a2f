// Orders of this site's applications for keys at one neighbour site, many in one message.
//
// The first order that waits leads: it takes all that have come meanwhile, cuts their keys from
// blocks of the link's key (drawing more when they run low), tells the far end in one message, and
// is answered when everything is durable there. Only then do the orders get their bytes.
// Invariants: keys of an order that fails are lost, at both ends, and never cut again; an order gets
// all of its keys or none. Thread-safe.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "kme/link.h"
#include "kme/sae_blocks.h"
#include "os/system.h"

namespace warifu::kme {

// The way to other sites: the channel, or a test.
class SaeCarrier {
 public:
  virtual ~SaeCarrier() = default;
  // Draws `bytes` (a multiple of 16) of the link's key at both ends, burnt for everything else; the
  // far end gets `head` with it. Errors: kOutOfKey, kUnavailable.
  [[nodiscard]] virtual Result<secret::Buffer> draw(const SiteName& peer, const BlockHead& head,
                                                    std::size_t bytes) = 0;
  // Tells the far end, which has made it durable when this returns; `keys` (may be empty) travel
  // sealed. May be told twice. Errors: the far end's, kUnavailable, kOutOfKey.
  [[nodiscard]] virtual Result<> tell(const SiteName& peer, SaeMethod method, Bytes body,
                                      const secret::Buffer& keys) = 0;
};

// What an application is told of a trouble between sites: it is never its own fault.
[[nodiscard]] Error trouble_of_sites(Error error);

class SaeCourier {
 public:
  SaeCourier(os::System system, Link& link, SaeCarrier& carrier);

  // The keys of the order, one after the other; order.pieces is filled in here. Errors: kOutOfKey,
  // kUnavailable, the far end's refusals.
  [[nodiscard]] Result<secret::Buffer> place(Order order);
  // Bytes of key that orders can have now.
  [[nodiscard]] std::uint64_t available() const;
  // Whole keys of this size that orders can have now.
  [[nodiscard]] std::uint64_t keys_available(std::uint64_t key_bytes) const;
  [[nodiscard]] Link& link() { return link_; }

 private:
  struct Waiting {
    Order order;
    secret::Buffer keys;
    Result<> result;
    bool done = false;
  };
  std::vector<Waiting*> next_batch();
  void serve(const std::vector<Waiting*>& batch);
  Result<> try_batch(const std::vector<Waiting*>& batch);
  Result<> cut(Waiting& waiting);
  Result<> draw(std::uint64_t needed);
  [[nodiscard]] std::uint64_t drawable() const;

  os::System system_;
  Link& link_;
  SaeCarrier& carrier_;
  OrderId incarnation_;
  JobId job_;  // without a lease: jobs with one go first

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting*> queue_;
  bool leading_ = false;
  std::vector<std::uint64_t> rests_;  // of the blocks on the shelf, as of the last batch

  // Of the leader alone.
  BlockShelf shelf_;
  std::uint64_t block_bytes_;
  std::chrono::nanoseconds last_draw_{0};
};

}  // namespace warifu::kme
