// Placement of fragments, reading of their ends, and the queue that puts mates in order.
#include "reads.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace warifu::make_cram {
namespace {

constexpr double kFragmentMean = 400.0;
constexpr double kFragmentDeviation = 60.0;

// SAM flags that every read of these proper pairs has one way or the other.
constexpr std::uint16_t kProperPair = 0x1 | 0x2;
constexpr std::uint16_t kReverse = 0x10;
constexpr std::uint16_t kMateReverse = 0x20;
constexpr std::uint16_t kFirst = 0x40;
constexpr std::uint16_t kSecond = 0x80;

// Sorted uniform starts without storing them: the smallest of k uniform points in [0, 1] is
// distributed as 1 - U^(1/k), and what remains is again uniform.
class Starts {
 public:
  Starts(const Layout& layout, std::uint64_t pairs, std::uint64_t seed)
      : spans_(layout.spans()),
        total_(static_cast<double>(layout.starts())),
        pairs_left_(pairs),
        random_(seed, Stream::kPlacement) {}

  std::int64_t next() {
    const double step = -std::expm1(std::log(random_.uniform()) / static_cast<double>(pairs_left_));
    --pairs_left_;
    fraction_ += (1.0 - fraction_) * step;
    const auto offset = static_cast<std::int64_t>(fraction_ * total_);
    while (offset - passed_ >= starts_in(spans_[span_]) && span_ + 1 < spans_.size()) {
      passed_ += starts_in(spans_[span_++]);
    }
    const Span& span = spans_[span_];
    return span.begin + std::min(offset - passed_, starts_in(span) - 1);
  }

 private:
  static std::int64_t starts_in(const Span& span) { return span.length() - kMaxFragment + 1; }

  const std::vector<Span>& spans_;
  double total_;
  std::uint64_t pairs_left_;
  Random random_;
  double fraction_ = 0;
  std::int64_t passed_ = 0;  // starts in the spans before span_
  std::size_t span_ = 0;
};

// Mates that wait until everything before them is out. Reads stay where they are in the pool; only
// small keys move. Reads at one position leave in the order in which they came.
class MateQueue {
 public:
  std::unique_ptr<Read> take_free() {
    if (free_.empty()) return std::make_unique<Read>();
    auto read = std::move(free_.back());
    free_.pop_back();
    return read;
  }

  void push(std::unique_ptr<Read> read) {
    const std::int64_t position = read->position;
    waiting_.emplace_back(position, order_++, std::move(read));
    std::push_heap(waiting_.begin(), waiting_.end());
  }

  void send_up_to(std::int64_t position, const Simulator::Sink& sink) {
    while (!waiting_.empty() && waiting_.front().position <= position) {
      std::pop_heap(waiting_.begin(), waiting_.end());
      sink(*waiting_.back().read);
      free_.push_back(std::move(waiting_.back().read));
      waiting_.pop_back();
    }
  }

 private:
  struct Entry {
    Entry(std::int64_t at, std::uint64_t number, std::unique_ptr<Read> what)
        : position(at), order(number), read(std::move(what)) {}
    bool operator<(const Entry& other) const {  // the heap keeps its largest in front
      return std::pair(position, order) > std::pair(other.position, other.order);
    }
    std::int64_t position;
    std::uint64_t order;
    std::unique_ptr<Read> read;
  };

  std::vector<Entry> waiting_;
  std::vector<std::unique_ptr<Read>> free_;
  std::uint64_t order_ = 0;
};

char misread(char base, Random& random) {
  constexpr std::string_view kBases = "ACGT";
  return kBases[(kBases.find(base) + 1 + random.below(3)) % kBases.size()];
}

}  // namespace

Simulator::Simulator(const Contig& contig, const Person& person, std::uint64_t seed)
    : contig_(contig), person_(person), seed_(seed), names_(seed) {}

Simulator::Fragment Simulator::draw_fragment(Random& random, std::int64_t begin,
                                             std::size_t first_variant) {
  const double drawn = std::round(random.normal(kFragmentMean, kFragmentDeviation));
  const auto length = std::clamp(static_cast<std::int64_t>(drawn), kMinFragment, kMaxFragment);
  const auto haplotype = static_cast<std::uint8_t>(1U + (random.next() >> 63U));
  return {begin, length, haplotype, first_variant};
}

void Simulator::sequence(Random& random, const Fragment& fragment, Read& read) const {
  const auto source = contig_.sequence.begin() + read.position;
  std::copy_n(source, kReadLength, read.bases.begin());
  for (std::size_t i = fragment.first_variant; i < person_.size(); ++i) {
    const Variant& variant = person_[i];
    if (variant.position >= read.position + kReadLength) break;
    const bool carried = (variant.haplotypes & fragment.haplotype) != 0;
    if (variant.position < read.position || !carried) continue;
    read.bases[static_cast<std::size_t>(variant.position - read.position)] = variant.alternative;
  }
  std::array<Cycle, kReadLength> cycles;
  qualities_.draw(random, (read.flags & kSecond) != 0, cycles);
  // Records hold the forward strand, so a reverse read's first cycle is its last base.
  if ((read.flags & kReverse) != 0) std::reverse(cycles.begin(), cycles.end());
  for (std::size_t i = 0; i < cycles.size(); ++i) {
    read.qualities[i] = cycles[i].quality;
    if (cycles[i].error) read.bases[i] = misread(read.bases[i], random);
  }
}

void Simulator::make_pair(Random& random, const Fragment& fragment, Read& left, Read& right) const {
  const bool first_is_left = (random.next() >> 63U) != 0;
  left.flags = kProperPair | kMateReverse | (first_is_left ? kFirst : kSecond);
  right.flags = kProperPair | kReverse | (first_is_left ? kSecond : kFirst);
  left.position = right.mate_position = fragment.begin;
  right.position = left.mate_position = fragment.begin + fragment.length - kReadLength;
  left.template_length = fragment.length;
  right.template_length = -fragment.length;
  sequence(random, fragment, left);
  sequence(random, fragment, right);
}

void Simulator::run(const Layout& layout, std::uint64_t pairs, const Sink& sink) const {
  Starts starts(layout, pairs, seed_);
  MateQueue queue;
  Read left;
  std::size_t variant = 0;
  for (std::uint64_t index = 0; index < pairs; ++index) {
    const std::int64_t begin = starts.next();
    while (variant < person_.size() && person_[variant].position < begin) ++variant;
    queue.send_up_to(begin, sink);
    auto right = queue.take_free();
    Random random(seed_, Stream::kPair, index);
    make_pair(random, draw_fragment(random, begin, variant), left, *right);
    names_.write(index, left.name);
    right->name = left.name;
    sink(left);
    queue.push(std::move(right));
  }
  queue.send_up_to(static_cast<std::int64_t>(contig_.sequence.size()), sink);
}

}  // namespace warifu::make_cram
