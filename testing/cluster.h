// The machines of a simulated cluster: four sites with their disks, the network and the key between
// them, and who starts a site again when it has died.
//
// What sites and links there are says a shape (testing/cluster_shape.h). All code of the sites is
// real (testing/cluster_site.h); testing/sim_threads.h makes it deterministic. A site whose disk is
// dead does nothing that anybody could see: its streams fail, its files do not change, and its
// threads come to their ends. Then the next process starts from what the disk holds.
//
// Every run begins from the same images of disks: links with key, a person enrolled with a card.
// Thread rule: inside a Schedule.
#pragma once

#include "testing/cluster_rules.h"
#include "testing/cluster_shape.h"
#include "testing/cluster_watch.h"
#include "testing/sim_disk.h"
#include "testing/sim_vfs.h"

namespace warifu::sim {

// What every run of a shape begins with.
using Material = std::map<std::pair<std::size_t, std::size_t>, std::shared_ptr<const Bytes>>;
struct ClusterImages {
  std::vector<std::unique_ptr<SimDisk>> disks;
  Material material;              // from one site to another
  std::unique_ptr<SimDisk> card;  // of the person
};
inline constexpr const char* kCardFile = "/card";

class Cluster {
 public:
  // From images; without them machines with nothing on their disks but key for every link.
  // `shape` and `images` must outlive it.
  Cluster(const ClusterRules& rules, const ClusterShape& shape, const ClusterImages* images);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] const ClusterShape& shape() const { return shape_; }
  [[nodiscard]] std::size_t size() const { return shape_.size(); }

  // Share control keeps copies of its catalog at other sites, as often. Before anybody starts.
  void keep_copies(std::chrono::seconds interval) { copy_interval_ = interval; }
  [[nodiscard]] bool keeps_copies() const { return copy_interval_.has_value(); }

  // While it lives, the site is not taken apart, though it may be dead; nullptr inside when it was
  // down.
  class Use {
   public:
    Use(Cluster& cluster, std::size_t site);
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    explicit operator bool() const { return site_ != nullptr; }
    ClusterSite* operator->() { return site_; }
    // Whether what was done was done by a living site: else nobody has heard of it.
    [[nodiscard]] bool counts() const;

   private:
    Cluster& cluster_;
    std::size_t at_;
    std::uint64_t life_;
    ClusterSite* site_;
  };

  // Starts whoever is down, and due; buries who has died. Called again and again by one thread.
  void supervise();
  void start_all();
  // Ends all sites in order, whatever runs.
  void stop_all();
  [[nodiscard]] bool is_up(std::size_t site) const;
  [[nodiscard]] bool all_up() const;

  // --- faults ---
  void crash_soon(std::size_t site, std::uint64_t changes) { disk(site).crash_at(changes); }
  void kill(std::size_t site);
  // Takes a site away until bring_back().
  void hold_down(std::size_t site);
  void bring_back(std::size_t site);
  // The disk of a site is gone, and with it its key: it starts empty, with new links to the others,
  // which were stopped for it. `meanwhile` is called while everybody is down.
  void burn(std::size_t site, const std::function<void()>& meanwhile);
  // New key for every link; everybody is stopped for it.
  void bring_key();
  [[nodiscard]] SimDisk& disk(std::size_t site) { return *machines_[site].disk; }
  [[nodiscard]] std::string folder(std::size_t site) const { return "/" + shape_.text(site); }

  [[nodiscard]] SimNet& net() { return net_; }
  [[nodiscard]] ClusterWatch& watch() { return watch_; }
  [[nodiscard]] ClusterImages take_images();

  // Counting and telling.
  ClusterCounts counts;
  std::vector<std::string> findings;
  void found(std::uint64_t ClusterCounts::* count, const std::string& what);
  template <typename... Parts>
  void say(const Parts&... parts) {
    if (rules_.trace == nullptr) return;
    *rules_.trace << static_cast<double>(Schedule::now().count()) / 1e9 << " s  ";
    ((*rules_.trace << parts), ...) << '\n';
  }

 private:
  struct Machine {
    std::unique_ptr<SimDisk> disk;
    std::optional<SimDisk::Quiet> quiet;  // a crash throws nothing
    std::unique_ptr<ClusterFiles> files;
    std::unique_ptr<ClusterSite> site;            // empty: down
    std::vector<std::unique_ptr<PadWatch>> pads;  // by peer: sending, receiving
    std::uint64_t life = 0;
    std::size_t users = 0;
    Schedule::Time back_at{0};
    bool held_down = false;
    bool ending = false;  // is being taken down: nobody begins anything with it
    bool killed = false;
  };

  void set_disk(std::size_t site, std::unique_ptr<SimDisk> disk);
  void boot(std::size_t site);
  void take_down(std::size_t site, bool in_order);
  void hold_all_down(std::optional<std::size_t> burnt);
  [[nodiscard]] config::SiteConfig config_of(std::size_t site) const;
  [[nodiscard]] config::PeerConfig peer_of(std::size_t site, std::size_t peer) const;
  void lay_link(std::size_t a, std::size_t b, std::uint64_t bytes);
  void set_material(std::size_t from, std::size_t to, std::shared_ptr<const Bytes> material);
  [[nodiscard]] os::System system_of(std::size_t site);

  ClusterRules rules_;
  const ClusterShape& shape_;
  std::optional<std::chrono::seconds> copy_interval_;
  SqliteFiles sqlite_;
  std::vector<Machine> machines_;
  SimNet net_;
  ClusterWatch watch_;
  Material material_;
  std::mutex changing_;  // held by whoever starts or ends sites
};

}  // namespace warifu::sim
