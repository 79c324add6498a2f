// Cutoffs by summing the binomial tail, and the two tests.
#include "entropy/health.h"

#include <cmath>

namespace warifu::entropy {

unsigned repetition_cutoff(double min_entropy, unsigned alpha_log2) {
  WARIFU_CHECK(min_entropy > 0 && alpha_log2 > 0);
  return 1 + static_cast<unsigned>(std::ceil(static_cast<double>(alpha_log2) / min_entropy));
}

// CRITBINOM is the smallest k with P(X > k) <= alpha. The tail is summed from its far end, small
// terms first and all positive, so no digits are lost; P(X = window) is at least 2^-8192.
unsigned proportion_cutoff(unsigned window, double min_entropy, unsigned alpha_log2) {
  WARIFU_CHECK(min_entropy > 0 && min_entropy <= kFullEntropy && window > 0 && window <= 1024);
  const long double p = std::exp2(-static_cast<long double>(min_entropy));
  const long double alpha = std::exp2(-static_cast<long double>(alpha_log2));
  long double term = std::exp2(-static_cast<long double>(min_entropy) * window);  // P(X = window)
  long double tail = 0;                                                          // P(X > k)
  unsigned k = window;
  while (tail + term <= alpha) {
    tail += term;
    if (k == 0) return 1;
    // P(X = k - 1) from P(X = k).
    term *= static_cast<long double>(k) / (window - k + 1) * ((1 - p) / p);
    --k;
  }
  return 1 + k;
}

Cutoffs cutoffs(double min_entropy, unsigned alpha_log2) {
  return {repetition_cutoff(min_entropy, alpha_log2),
          proportion_cutoff(kWindow, min_entropy, alpha_log2)};
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood: return "good";
    case Verdict::kRepetition: return "repetition count test";
    case Verdict::kProportion: return "adaptive proportion test";
  }
  return "unknown";
}

Verdict HealthTests::feed(ByteView samples) {
  for (const Byte sample : samples) {
    run_ = begun_ && sample == last_ ? run_ + 1 : 1;
    begun_ = true;
    last_ = sample;
    if (run_ >= cutoffs_.repetition) return Verdict::kRepetition;
    if (seen_ == 0) {
      first_ = sample;
      same_ = 0;
    }
    if (sample == first_) ++same_;
    if (same_ >= cutoffs_.proportion) return Verdict::kProportion;
    seen_ = seen_ + 1 == kWindow ? 0 : seen_ + 1;
  }
  return Verdict::kGood;
}

void HealthTests::restart() {
  *this = HealthTests(cutoffs_);
}

}  // namespace warifu::entropy
