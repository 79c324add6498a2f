// Machines: key for every link, starting, dying, burning.
#include "testing/cluster.h"

#include "kme/link_begin.h"
#include "kme/preshare.h"

namespace warifu::sim {
namespace {

constexpr std::uint64_t kKeyBytes = 4 << 20;     // of each link and direction
constexpr std::uint64_t kNewKeyBytes = 2 << 20;  // the same of a link that was laid anew
constexpr std::size_t kPreshareHead = 98;
constexpr std::chrono::milliseconds kPause(1);

// Logs that grow by lines and records: they notice garbage that a torn write left, and do not start
// (docs/threat-model.md, W20).
bool is_a_log(const std::string& path) {
  return path.ends_with("/audit.log") || path.ends_with("/given") || path.ends_with("/sightings");
}

std::vector<std::string> names_of(const ClusterShape& shape) {
  std::vector<std::string> names;
  for (const ClusterShape::Site& site : shape.sites) names.push_back(site.name);
  return names;
}

}  // namespace

// --- beginning ----------------------------------------------------------------------------------

Cluster::Cluster(const ClusterRules& rules, const ClusterShape& shape, const ClusterImages* images)
    : rules_(rules),
      shape_(shape),
      machines_(shape.size()),
      net_(Schedule::dice(), names_of(shape),
           [this](const SimNet::Process& process) {
             const Machine& machine = machines_[process.site];
             return machine.life == process.life && !machine.disk->dead();
           }),
      watch_(kControlSite) {
  net_.tap = [this](const SimNet::Process& from, const SimNet::Process& to, ByteView frame) {
    watch_.saw_frame(from.site, to.site, frame);
  };
  net_.mischief.on_attack = [this](const std::string&) { ++counts.attacks; };
  for (std::size_t site = 0; site < size(); ++site) {
    machines_[site].pads.resize(2 * size());
    set_disk(site,
             images == nullptr ? std::make_unique<SimDisk>() : images->disks[site]->crash_image(0));
  }
  if (images != nullptr) {
    for (const auto& [ends, material] : images->material) {
      set_material(ends.first, ends.second, material);
    }
    return;
  }
  for (const auto& [a, b] : shape_.links) lay_link(a, b, kKeyBytes);
}

Cluster::~Cluster() {
  for (std::size_t site = 0; site < size(); ++site) {
    machines_[site].disk->power_off();
    take_down(site, false);
  }
}

os::System Cluster::system_of(std::size_t site) {
  return {*machines_[site].files, os::real_clock(), os::kernel_random()};
}

// Key from nowhere: brought by courier, as `warifu link preshare` and `warifu link begin` do it.
void Cluster::lay_link(std::size_t a, std::size_t b, std::uint64_t bytes) {
  SimDisk courier;
  const os::System system{courier, os::real_clock(), os::kernel_random()};
  const kme::PresharePlan plan{.link = os::random_id<LinkId>(os::kernel_random()),
                               .a = shape_.site(a),
                               .b = shape_.site(b),
                               .length_ab = bytes,
                               .length_ba = bytes};
  WARIFU_CHECK(kme::make_preshare(system, plan, "/a", "/b", {}).has_value());
  const auto whole = os::read_file(courier, "/a", 3 * bytes);
  WARIFU_CHECK(whole.has_value());
  const ByteView key = ByteView(*whole).subspan(kPreshareHead, 2 * bytes);
  for (const bool forth : {true, false}) {
    const auto ends = forth ? std::pair(a, b) : std::pair(b, a);
    const ByteView half = forth ? key.first(bytes) : key.last(bytes);
    set_material(ends.first, ends.second, std::make_shared<const Bytes>(half.begin(), half.end()));
  }
  for (const bool forth : {true, false}) {
    const std::size_t at = forth ? a : b, peer = forth ? b : a;
    const std::string file = folder(at) + "/courier";
    WARIFU_CHECK(machines_[at].files->make_directories(folder(at)).has_value());
    WARIFU_CHECK(os::replace_file(*machines_[at].files, file, *whole).has_value());
    const auto begun = kme::begin_link(system_of(at),
                                       {.data_dir = folder(at),
                                        .self = shape_.site(at),
                                        .peer = shape_.site(peer),
                                        .file = file,
                                        .replace = true},
                                       {});
    WARIFU_CHECK(begun.has_value());
    WARIFU_CHECK(machines_[at].files->remove(file).has_value());
  }
}

// New key, and nobody has taken any of it.
void Cluster::set_material(std::size_t from, std::size_t to,
                           std::shared_ptr<const Bytes> material) {
  watch_.set_material(from, to, *material);
  material_[{from, to}] = std::move(material);
  for (const bool sends : {true, false}) {
    const std::size_t at = sends ? from : to, peer = sends ? to : from;
    machines_[at].pads[2 * peer + (sends ? 0 : 1)] = std::make_unique<PadWatch>(
        counts.reused, [this, at] { return !machines_[at].disk->dead(); });
  }
}

ClusterImages Cluster::take_images() {
  ClusterImages images;
  for (const Machine& machine : machines_) images.disks.push_back(machine.disk->crash_image(1));
  images.material = material_;
  return images;
}

void Cluster::set_disk(std::size_t site, std::unique_ptr<SimDisk> disk) {
  Machine& machine = machines_[site];
  machine.files.reset();
  machine.quiet.reset();
  machine.disk = std::move(disk);
  machine.quiet.emplace(*machine.disk);
  machine.disk->spare_garbage(is_a_log);
  machine.files = std::make_unique<ClusterFiles>(
      *machine.disk, rules_.bugs.files,
      [this, site](const std::string& path) { watch_.saw_file(site, this->disk(site), path); });
  sqlite_.mount(folder(site), *machine.files);
}

config::SiteConfig Cluster::config_of(std::size_t site) const {
  config::SiteConfig config;
  config.name = shape_.site(site);
  config.listen = {shape_.text(site), 1};
  config.data_dir = folder(site);
  config.controller = shape_.site(kControlSite);
  config.random_from = kme::RandomFrom::kPoolOrKernel;
  config.policy = shape_.policy;
  config.active_jobs = 2;
  config.auto_reshare = !rules_.bugs.leaves_whole;
  config.scrub_interval = std::chrono::hours(24);
  if (copy_interval_) {
    for (const std::size_t holder : shape_.copies) {
      config.copies.holders.push_back(shape_.site(holder));
    }
    config.copies.scheme =
        *sharing::Scheme::threshold_of(2, static_cast<unsigned>(shape_.copies.size()));
    config.copies.interval = *copy_interval_;
  }
  for (std::size_t i = 0; i < size(); ++i) {
    config.sites.push_back({.name = shape_.site(i),
                            .number = static_cast<std::uint8_t>(i + 1),
                            .labels = {shape_.sites[i].label}});
  }
  for (const auto& [a, b] : shape_.links) {
    config.links.push_back({shape_.site(a), shape_.site(b)});
    if (a == site || b == site) config.peers.push_back(peer_of(site, a == site ? b : a));
  }
  return config;
}

config::PeerConfig Cluster::peer_of(std::size_t site, std::size_t peer) const {
  config::PeerConfig config;
  config.link.peer = shape_.site(peer);
  config.link.limits.trail_bytes = 0;
  for (std::size_t end = 0; end < 2; ++end) {
    config.link.watchers[end] = machines_[site].pads[2 * peer + end].get();
  }
  config.address = {shape_.text(peer), 1};
  return config;
}

// --- starting and dying -------------------------------------------------------------------------

bool Cluster::is_up(std::size_t site) const {
  const Machine& machine = machines_[site];
  return machine.site != nullptr && !machine.ending && !machine.disk->dead();
}

bool Cluster::all_up() const {
  for (std::size_t site = 0; site < size(); ++site) {
    if (!is_up(site)) return false;
  }
  return true;
}

void Cluster::found(std::uint64_t ClusterCounts::* count, const std::string& what) {
  ++(counts.*count);
  findings.push_back(what);
  say("VIOLATION: ", what);
}

void Cluster::boot(std::size_t site) {
  Machine& machine = machines_[site];
  ++machine.life;
  say(shape_.text(site), " starts");
  auto starting =
      std::make_unique<ClusterSite>(config_of(site), *machine.files, net_,
                                    SimNet::Process{site, machine.life}, rules_.bugs.parts);
  auto started = starting->open();
  if (started) started = starting->start();
  machine.site = std::move(starting);
  if (started) return;
  say("  and cannot: ", started.error().message);
  if (!machine.disk->dead() && started.error().code != Code::kNoSpace) {
    found(&ClusterCounts::refused,
          shape_.text(site) + " does not start: " + started.error().message);
  }
  machine.disk->power_off();  // tries again from what is there
}

void Cluster::take_down(std::size_t site, bool in_order) {
  Machine& machine = machines_[site];
  if (machine.site == nullptr) return;
  machine.ending = true;
  if (!in_order) net_.process_died({site, machine.life});
  while (machine.users > 0) Schedule::sleep(kPause);
  machine.site->stop();
  machine.site.reset();
  machine.ending = false;
  if (in_order) ++machine.life;  // whoever still holds a stream of it finds it closed
}

void Cluster::supervise() {
  const std::lock_guard lock(changing_);
  Dice& dice = Schedule::dice();
  for (std::size_t site = 0; site < size(); ++site) {
    Machine& machine = machines_[site];
    if (machine.site != nullptr && machine.disk->dead()) {
      say(shape_.text(site), " is dead");
      take_down(site, false);
      const bool process_only = std::exchange(machine.killed, false);
      ++(process_only ? counts.kills : counts.crashes);
      set_disk(site,
               process_only ? machine.disk->kill_image() : machine.disk->crash_image(dice.next()));
      machine.back_at = Schedule::now() + std::chrono::milliseconds(dice.between(50, 15'000));
    }
    const bool due =
        machine.site == nullptr && !machine.held_down && machine.back_at <= Schedule::now();
    if (!due) continue;
    const bool may_die = machine.life > 0 && dice.one_in(8);
    if (may_die) machine.disk->crash_at(dice.between(1, 60));
    boot(site);
    if (may_die && machine.disk->dead()) ++counts.boot_crashes;
    if (may_die && !machine.disk->dead()) machine.disk->clear_faults();
  }
}

void Cluster::start_all() {
  for (std::size_t site = 0; site < size(); ++site) {
    if (machines_[site].site == nullptr) boot(site);
  }
}

void Cluster::stop_all() {
  for (std::size_t site = 0; site < size(); ++site) {
    take_down(site, !machines_[site].disk->dead());
  }
}

void Cluster::kill(std::size_t site) {
  if (!is_up(site)) return;
  machines_[site].killed = true;
  machines_[site].disk->power_off();
}

void Cluster::hold_down(std::size_t site) {
  const std::lock_guard lock(changing_);
  Machine& machine = machines_[site];
  machine.held_down = true;
  take_down(site, !machine.disk->dead());
}

void Cluster::bring_back(std::size_t site) {
  machines_[site].held_down = false;
  machines_[site].back_at = Schedule::now();
}

void Cluster::hold_all_down(std::optional<std::size_t> burnt) {
  for (std::size_t i = 0; i < size(); ++i) {
    Machine& machine = machines_[i];
    machine.held_down = true;
    if (i == burnt) machine.disk->power_off();
    take_down(i, !machine.disk->dead());
    const bool dead = machine.disk->dead();  // perhaps of its last words
    if (i == burnt) {
      set_disk(i, std::make_unique<SimDisk>());
    } else if (dead) {
      set_disk(i, machine.disk->crash_image(Schedule::dice().next()));
    }
    machine.disk->clear_faults();
  }
}

void Cluster::burn(std::size_t site, const std::function<void()>& meanwhile) {
  const std::lock_guard lock(changing_);
  say(shape_.text(site), " burns down");
  ++(site == kControlSite ? counts.control_burnt : counts.burnt);
  hold_all_down(site);
  meanwhile();
  for (const auto& [a, b] : shape_.links) {
    if (a == site || b == site) lay_link(a, b, kNewKeyBytes);
  }
  for (std::size_t i = 0; i < size(); ++i) bring_back(i);
}

void Cluster::bring_key() {
  const std::lock_guard lock(changing_);
  say("couriers bring new key for every link");
  ++counts.couriers;
  hold_all_down({});
  for (const auto& [a, b] : shape_.links) lay_link(a, b, kNewKeyBytes);
  for (std::size_t i = 0; i < size(); ++i) bring_back(i);
}

// --- use ----------------------------------------------------------------------------------------

Cluster::Use::Use(Cluster& cluster, std::size_t site)
    : cluster_(cluster),
      at_(site),
      life_(cluster.machines_[site].life),
      site_(cluster.is_up(site) ? cluster.machines_[site].site.get() : nullptr) {
  if (site_ != nullptr) ++cluster_.machines_[at_].users;
}

Cluster::Use::~Use() {
  if (site_ != nullptr) --cluster_.machines_[at_].users;
}

bool Cluster::Use::counts() const {
  return site_ != nullptr && cluster_.is_up(at_) && cluster_.machines_[at_].life == life_;
}

}  // namespace warifu::sim
