// Elimination over GF(2).
#include "upkeep/repair_view.h"

#include <algorithm>
#include <bit>

namespace warifu::upkeep {
namespace {

// A sum: bit n of `parts` is part n, bit n of `masks` the mask between parts n and n + 1.
struct Row {
  std::uint64_t masks = 0, parts = 0;
};

std::uint64_t bit(std::size_t n) {
  return std::uint64_t{1} << n;
}

// Gauss-Jordan, masks before parts; rows without a mask are what is left.
std::vector<std::uint64_t> without_masks(std::vector<Row> rows) {
  for (int column = 0; column < 128; ++column) {
    const auto has = [column](const Row& row) {
      return (((column < 64 ? row.masks : row.parts) >> (column % 64)) & 1U) != 0;
    };
    const auto leads = [&](const Row& row) {
      return column < 64
                 ? row.masks != 0 && std::countr_zero(row.masks) == column
                 : row.masks == 0 && row.parts != 0 && std::countr_zero(row.parts) == column - 64;
    };
    const auto pivot = std::ranges::find_if(rows, leads);
    if (pivot == rows.end()) continue;
    const Row by = *pivot;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (&rows[i] == &*pivot || !has(rows[i])) continue;
      rows[i].masks ^= by.masks;
      rows[i].parts ^= by.parts;
    }
  }
  std::vector<std::uint64_t> known;
  for (const Row& row : rows) {
    if (row.masks == 0 && row.parts != 0) known.push_back(row.parts);
  }
  return known;
}

bool sees(const SiteName& site, const planner::Route& route, const std::set<SiteName>& knowing) {
  return knowing.contains(site) || std::ranges::find(route, site) != route.end();
}

std::vector<Row> rows_of(const SumOfParts& sum, const SiteName& site) {
  std::vector<Row> rows;
  const std::size_t count = sum.parts.size();
  for (std::size_t i = 0; i < count; ++i) {
    const PartWay& part = sum.parts[i];
    if (part.at.site == site) rows.push_back({0, bit(i)});
    if (i + 1 < count && (part.at.site == site || sum.parts[i + 1].at.site == site ||
                          part.mask_knowing.contains(site))) {
      rows.push_back({bit(i), 0});
    }
    if (!sees(site, part.route, part.knowing)) continue;
    const std::uint64_t masks = (i > 0 ? bit(i - 1) : 0) | (i + 1 < count ? bit(i) : 0);
    rows.push_back({masks, bit(i)});
  }
  return rows;
}

// In words of shares: the sum of everything is what is made, the sum of all parts of one share that
// share, anything else each part of it.
class Reading {
 public:
  Reading(const SumOfParts& sum, const SiteName& site, std::uint64_t known,
          std::vector<planner::SourceView>& views)
      : sum_(sum), site_(site), known_(known), views_(views) {}

  void read() {
    const std::size_t count = sum_.parts.size();
    const std::uint64_t all = count == 64 ? ~std::uint64_t{0} : bit(count) - 1;
    if (known_ == all) {
      views_.push_back({site_, sum_.made.path});
    } else if (count > 1) {
      read_below(sum_.made.path.parent());
    }
  }

 private:
  // Bits of the parts below that share, or of the share itself.
  [[nodiscard]] std::uint64_t group(const sharing::SharePath& path) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < sum_.parts.size(); ++i) {
      if (sum_.parts[i].at.path.is_within(path)) bits |= bit(i);
    }
    return bits;
  }
  // What is known of the shares of a cut.
  void read_below(const sharing::SharePath& cut) {
    std::set<sharing::SharePath> shares;
    for (std::size_t i = 0; i < sum_.parts.size(); ++i) {
      const sharing::SharePath& path = sum_.parts[i].at.path;
      if ((known_ & bit(i)) != 0 && path.is_within(cut)) shares.insert(path.above(cut.size() + 1));
    }
    for (const sharing::SharePath& share : shares) {
      const std::uint64_t bits = group(share);
      if ((known_ & bits) != bits) {
        read_below(share);
      } else if (!is_own(bits)) {
        views_.push_back({site_, share});
      }
    }
  }
  // The one part that the site gives itself.
  [[nodiscard]] bool is_own(std::uint64_t bits) const {
    return std::has_single_bit(bits) &&
           sum_.parts[static_cast<std::size_t>(std::countr_zero(bits))].at.site == site_;
  }

  const SumOfParts& sum_;
  const SiteName& site_;
  std::uint64_t known_;
  std::vector<planner::SourceView>& views_;
};

}  // namespace

std::vector<planner::SourceView> views_of(const SumOfParts& sum) {
  WARIFU_CHECK(!sum.parts.empty() && sum.parts.size() <= 64);
  std::set<SiteName> sites;
  for (const PartWay& part : sum.parts) {
    sites.insert(part.route.begin(), part.route.end());
    sites.insert(part.knowing.begin(), part.knowing.end());
    sites.insert(part.mask_knowing.begin(), part.mask_knowing.end());
  }
  std::vector<planner::SourceView> views;
  for (const SiteName& site : sites) {
    for (const std::uint64_t known : without_masks(rows_of(sum, site))) {
      Reading(sum, site, known, views).read();
    }
  }
  return views;
}

}  // namespace warifu::upkeep
