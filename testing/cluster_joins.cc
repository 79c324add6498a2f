// Every way in which shares join to an object, straight from the disks: one site may be gone,
// whichever.
#include <algorithm>

#include "testing/cluster_run.h"

namespace warifu::sim {
namespace {

using sharing::SharePath;

// What can be had of one record, by the place of the share, in every way.
using Ways = std::map<SharePath, std::vector<Bytes>>;

Bytes join_two(const SharePath& x, const Bytes& of_x, const SharePath& y, const Bytes& of_y) {
  const std::array from = {static_cast<sharing::ShareIndex>(x.index()),
                           static_cast<sharing::ShareIndex>(y.index())};
  const auto joiner = sharing::Joiner::make({}, from);
  WARIFU_CHECK(joiner.has_value());
  Bytes joined(of_x.size());
  const std::array<ByteView, 2> views = {of_x, of_y};
  joiner->join(views, joined);
  return joined;
}

// Adds what any two shares of a cut join to, from the deepest cuts up; the object stands at no
// path.
void join_up(Ways& ways) {
  for (std::size_t depth = SharePath::kMaxSteps; depth > 0; --depth) {
    Ways above;
    for (auto x = ways.begin(); x != ways.end(); ++x) {
      for (auto y = std::next(x); y != ways.end(); ++y) {
        if (x->first.size() != depth || !x->first.same_cut(y->first)) continue;
        for (const Bytes& of_x : x->second) {
          for (const Bytes& of_y : y->second) {
            above[x->first.parent()].push_back(join_two(x->first, of_x, y->first, of_y));
          }
        }
      }
    }
    for (auto& [path, records] : above) {
      auto& all = ways[path];
      std::ranges::move(records, std::back_inserter(all));
    }
  }
}

}  // namespace

void ClusterRun::compare_joins(const ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  const auto known = control->catalog().object(object.object);
  const auto shares = control->catalog().list_shares(object.object);
  WARIFU_CHECK(known.has_value() && shares.has_value());
  const auto held = catalog::held_shares(*shares, known->generation);
  if (held.size() != cluster_.shape().shares) {
    cluster_.found(&ClusterCounts::missing, "object " + object.object.text() + " has " +
                                                std::to_string(held.size()) + " shares");
    return;
  }
  const sharing::Chunking chunking{{object.plain.size()}};
  std::map<std::size_t, Bytes> got;  // by way, of the whole object
  for (std::uint64_t i = 0; i < chunking.chunk_count(); ++i) {
    Ways ways;
    for (const catalog::Share& share : held) {
      Cluster::Use use(cluster_, cluster_.shape().find(share.site->text()));
      const auto reader = use->context().shares.open(share.share);
      if (!reader) return cluster_.found(&ClusterCounts::lost, reader.error().message);
      Bytes record((*reader)->layout().record_length({i}));
      const auto read = (*reader)->read({i}, 1, record);
      if (!read) {
        return cluster_.found(&ClusterCounts::lost,
                              "share " + share.share.text() + ": " + read.error().message);
      }
      ways[share.path].push_back(std::move(record));
    }
    join_up(ways);
    const auto& whole = ways[SharePath()];
    for (std::size_t way = 0; way < whole.size(); ++way) {
      got[way].insert(got[way].end(), whole[way].begin(),
                      whole[way].begin() + chunking.length({i}));
    }
  }
  if (got.size() < 3) {  // any two of three at the top, whatever is cut below
    cluster_.found(&ClusterCounts::lost, "object " + object.object.text() + " has " +
                                             std::to_string(got.size()) + " ways to be joined");
  }
  for (const auto& [way, bytes] : got) compare(object, bytes, "a join of shares");
}

}  // namespace warifu::sim
