// A set of regions by reference id: merged, so that each record is found once.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

namespace warifu::genome_helper {

class Places {
 public:
  void add(int reference, std::int64_t start, std::int64_t end) {
    parts_[reference].push_back({start, end});
  }
  void add_unplaced() { unplaced_ = true; }

  // After the last add().
  void merge() {
    for (auto& [reference, parts] : parts_) {
      std::ranges::sort(parts, {}, &Part::start);
      std::vector<Part> merged;
      for (const Part& part : parts) {
        if (!merged.empty() && part.start <= merged.back().end) {
          merged.back().end = std::max(merged.back().end, part.end);
        } else {
          merged.push_back(part);
        }
      }
      parts = std::move(merged);
    }
  }

  // [start, end) of a record; reference below 0: it has no place.
  [[nodiscard]] bool overlaps(int reference, std::int64_t start, std::int64_t end) const {
    if (reference < 0) return unplaced_;
    const auto found = parts_.find(reference);
    if (found == parts_.end()) return false;
    // The first part that ends behind the record's start.
    const auto part = std::ranges::upper_bound(found->second, start, {}, &Part::end);
    return part != found->second.end() && part->start < end;
  }

 private:
  struct Part {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };
  std::map<int, std::vector<Part>> parts_;
  bool unplaced_ = false;
};

}  // namespace warifu::genome_helper
