// A leaky bucket.
#include "viewing/view.h"

#include <algorithm>

#include "secret/secret.h"

namespace warifu::viewing {

bool View::has_token(const crypto::Digest& token) const {
  return secret::equal(token_, token);
}

htsget::Answer<bool> View::count(std::chrono::nanoseconds now) {
  const std::lock_guard lock(mutex_);
  if (requests_ >= kMostRequests) {
    return htsget::refuse(htsget::Kind::kTooManyRequests,
                          "this view has answered as many requests as it may: open another one");
  }
  const double passed = std::chrono::duration<double>(now - looked_).count();
  if (looked_.count() != 0 && passed > 0) {
    allowance_ = std::min<double>(kBurst, allowance_ + passed * kPerSecond);
  }
  looked_ = now;
  if (allowance_ < 1) {
    return htsget::refuse(htsget::Kind::kTooManyRequests, "too many requests: wait a second");
  }
  allowance_ -= 1;
  ++requests_;
  return true;
}

}  // namespace warifu::viewing
