// Answers that were made when a ticket was, until its URL is fetched: small ones, so that a ticket
// can name the MD5 of what it leads to while each answer is still cut once only.
//
// They are a cache: whoever does not find one here cuts the same bytes again. They lie in the
// memory of views, of which they take an eighth at most, and go when they are fetched, when their
// view ends, after kPreparedLife, and when a view needs their place. Thread-safe.
#pragma once

#include <algorithm>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>

#include "viewing/view.h"

namespace warifu::viewing {

inline constexpr std::uint64_t kMostPrepared = 4ULL << 20U;  // bytes to be cut for one of them
inline constexpr std::chrono::seconds kPreparedLife{60};

class Prepared {
 public:
  using Answer = std::shared_ptr<const Piece>;

  explicit Prepared(const Budget& budget) : most_(budget.bytes() / 8) {}

  // Whether an answer of about that size is worth making before its URL is fetched.
  [[nodiscard]] bool is_small(std::uint64_t bytes) const {
    return bytes <= std::min(kMostPrepared, most_);
  }
  // The oldest give way; one that is too large is not kept.
  void keep(const ViewId& view, const htsget::Request& request, Answer answer,
            std::chrono::nanoseconds now);
  // Not there any more from then on; nullptr: there is none.
  [[nodiscard]] Answer take(const ViewId& view, const htsget::Request& request);
  void forget(const ViewId& view);
  void forget_old(std::chrono::nanoseconds now);
  void clear();

 private:
  struct Kept {
    ViewId view;
    htsget::Request request;
    Answer answer;
    std::chrono::nanoseconds since;
  };
  template <typename Match>
  void erase(const Match& match);

  std::uint64_t most_;
  std::mutex mutex_;
  std::uint64_t bytes_ = 0;
  std::list<Kept> kept_;  // the newest last
};

}  // namespace warifu::viewing
