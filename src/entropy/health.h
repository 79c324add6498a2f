// The continuous health tests of NIST SP 800-90B on the raw bytes of a source: repetition count
// (4.4.1) and adaptive proportion (4.4.2). A sample is one byte.
//
// They notice that a source is stuck or has become far worse than its assessed min-entropy; they
// do not prove that it is good. Cutoffs follow from the min-entropy per sample and the probability
// of a false alarm (per sample, and per window). Thread rule: one thread at a time.
#pragma once

#include "base/bytes.h"

namespace warifu::entropy {

inline constexpr double kLeastMinEntropy = 0.1;  // bits per byte; below, no test could fail
inline constexpr double kFullEntropy = 8.0;
inline constexpr unsigned kLeastAlpha = 20;  // a false alarm in 2^20 .. 2^40
inline constexpr unsigned kMostAlpha = 40;
inline constexpr unsigned kWindow = 512;  // of the proportion test, for samples that are not bits

// 1 + ceil(alpha / min_entropy): so many equal samples in a row fail (4.4.1).
[[nodiscard]] unsigned repetition_cutoff(double min_entropy, unsigned alpha_log2);
// 1 + CRITBINOM(window, 2^-min_entropy, 1 - 2^-alpha): so often in a window its first sample fails
// (4.4.2). At most 1 + window.
[[nodiscard]] unsigned proportion_cutoff(unsigned window, double min_entropy, unsigned alpha_log2);

struct Cutoffs {
  unsigned repetition = 0;
  unsigned proportion = 0;
};
// For bytes and kWindow.
[[nodiscard]] Cutoffs cutoffs(double min_entropy, unsigned alpha_log2);

enum class Verdict : std::uint8_t { kGood, kRepetition, kProportion };
// "repetition count test".
[[nodiscard]] std::string_view verdict_name(Verdict verdict);

class HealthTests {
 public:
  explicit HealthTests(Cutoffs cutoffs) : cutoffs_(cutoffs) {}
  // Goes on with the next bytes of the source; stops at the first failure.
  [[nodiscard]] Verdict feed(ByteView samples);
  // As new: what comes next is not the continuation of what came before.
  void restart();
  [[nodiscard]] Cutoffs cutoffs() const { return cutoffs_; }

 private:
  Cutoffs cutoffs_;
  bool begun_ = false;
  Byte last_ = 0;           // the sample that may repeat
  unsigned run_ = 0;        // how often it has come in a row
  Byte first_ = 0;          // of the window
  unsigned seen_ = 0;       // samples of the window so far; 0: the next one begins a window
  unsigned same_ = 0;       // of them equal to the first
};

}  // namespace warifu::entropy
