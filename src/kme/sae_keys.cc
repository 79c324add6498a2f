// What applications ask: status, new keys, keys by id.
#include "kme/sae_keys.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"

namespace warifu::kme {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kSweepPause(100);
constexpr int kSweepEvery = 10;  // pauses
// What status tells of keys for an application at the same site, made of random numbers.
constexpr std::uint64_t kLocalBytes = 1 << 26;

std::vector<DeviceKey> split(const Order& order, const secret::Buffer& bytes) {
  std::vector<DeviceKey> keys;
  keys.reserve(order.keys);
  std::size_t at = 0;
  for (const KeyId& id : key_ids(order.id, order.keys)) {
    keys.push_back(
        {uuid_of(id), secret::Buffer::copy_of(bytes.bytes().subspan(at, order.key_bytes))});
    at += order.key_bytes;
  }
  return keys;
}

}  // namespace

SaeKeys::SaeKeys(os::System system, SiteName self, SaeSettings settings, KeyManager& keys,
                 SaeCarrier& carrier)
    : system_(system),
      self_(std::move(self)),
      settings_(std::move(settings)),
      keys_(keys),
      carrier_(carrier) {
  for (Link* link : keys.links()) {
    couriers_[link->peer()] = std::make_unique<SaeCourier>(system, *link, carrier);
    far_.try_emplace(link->peer());
  }
}

Result<std::unique_ptr<SaeKeys>> SaeKeys::open(os::System system, const std::string& dir,
                                               SiteName self, SaeSettings settings,
                                               KeyManager& keys, SaeCarrier& carrier) {
  std::unique_ptr<SaeKeys> saes(
      new SaeKeys(system, std::move(self), std::move(settings), keys, carrier));
  SaeStoreOptions options{.life = saes->settings_.life, .max_waiting = saes->settings_.max_waiting};
  TRY_ASSIGN(saes->store_, SaeStore::open(system, dir, keys.root_key().bytes(), options));
  TRY_ASSIGN(saes->gate_, SaeGate::open(system, keys.switches(), dir + "-quotas", saes->settings_));
  return saes;
}

SaeKeys::~SaeKeys() {
  stopping_ = true;
  if (gate_ == nullptr) return;
  if (const auto settled = gate_->settle(); !settled) log_warning(settled.error().message);
}

void SaeKeys::start() {
  sweeper_ = std::jthread([this] {
    std::string last;
    for (int i = 0; !stopping_; ++i) {
      system_.clock.sleep(kSweepPause);
      if (i % kSweepEvery != 0) continue;
      gate_->refusals().tick();
      const auto swept = store_->sweep();
      const std::string problem = swept ? "" : swept.error().message;
      if (!problem.empty() && problem != last) log_warning("keys of applications: " + problem);
      last = problem;
    }
  });
}

SaeMap SaeKeys::identities() const {
  SaeMap map;
  map.common_name_first = settings_.common_name_first;
  for (const SaeEntry& sae : settings_.saes) {
    if (sae.site == self_) map.entries[sae.identity] = sae.id;
  }
  return map;
}

Result<> SaeKeys::check_reach(const SaeEntry& sae) const {
  if (sae.site == self_ || couriers_.contains(sae.site)) return {};
  return fail(Code::kInvalidArgument, "SAE " + sae.id + " is at site " + sae.site.text() +
                                          ", which has no link to " + self_.text() +
                                          "; keys are not relayed");
}

Result<SourceStatus> SaeKeys::limits(const std::string& /*master*/, const std::string& slave) {
  const SaeEntry* sae = settings_.find(slave);
  if (sae == nullptr) return fail(Code::kNotFound, "SAE " + slave + " is not known here");
  TRY(check_reach(*sae));
  SourceStatus status;
  status.source_kme_id = "KME-" + self_.text();
  status.target_kme_id = "KME-" + sae->site.text();
  status.key_size = settings_.key_size;
  status.min_key_size = settings_.min_key_size;
  status.max_key_size = settings_.max_key_size;
  status.max_key_per_request = settings_.max_keys_per_request;
  status.max_sae_id_count = settings_.max_additional;
  status.max_key_count = etsi014::kMaxInteger;
  return status;
}

Result<SourceStatus> SaeKeys::status(const std::string& master, const std::string& slave) {
  TRY_ASSIGN(SourceStatus status, limits(master, slave));
  const SaeEntry* sae = settings_.find(slave);
  const auto key_bytes = static_cast<std::uint64_t>(settings_.key_size) / 8;
  std::uint64_t bytes = kLocalBytes;
  std::uint64_t keys = bytes / key_bytes;
  if (const auto courier = couriers_.find(sae->site); courier != couriers_.end()) {
    bytes = courier->second->available();
    keys = courier->second->keys_available(key_bytes);
    status.bits_per_second = courier->second->link().status().inflow_bits_per_second;
  }
  if (const auto quota = gate_->quota(master); quota && quota->left_bytes < bytes) {
    bytes = quota->left_bytes;
    keys = std::min(keys, bytes / key_bytes);
    status.bits_per_second = static_cast<double>(quota->bytes_per_hour) * 8 / 3600;
  }
  status.bits_available = bytes * 8;
  status.stored_key_count = static_cast<std::int64_t>(
      std::min<std::uint64_t>(keys, static_cast<std::uint64_t>(etsi014::kMaxInteger)));
  status.extension = extension(master, *sae);
  return status;
}

std::string SaeKeys::extension(const std::string& master, const SaeEntry& slave) const {
  json::object fields;
  json::array origins;
  if (slave.site == self_) {
    const RandomFrom from = keys_.random().from(RandomUse::kApplications);
    const RandomSource::Status random = keys_.random().status();
    if (from != RandomFrom::kKernel) {
      for (const auto origin : random.origins) origins.emplace_back(keypool::origin_name(origin));
    }
    if (from == RandomFrom::kKernel || from == RandomFrom::kPoolOrKernel) {
      origins.emplace_back(keypool::origin_name(keypool::Origin::kKernelGenerator));
    }
    fields["warifu_link_class"] = "same site";
  } else {
    SaeCourier& courier = *couriers_.at(slave.site);
    const LinkReport report = courier.link().report();
    const DirectionReport& key = report.send;
    fields["warifu_link_class"] = report.link_class;
    fields["warifu_state"] = key_state_name(key.state);
    fields["warifu_bits_available"] = courier.available() * 8;
    fields["warifu_bits_reserved"] = key.leased_bytes * 8;
    fields["warifu_bits_floor"] = key.floor_bytes * 8;
    fields["warifu_bits_emergency"] = key.emergency_bytes * 8;
    fields["warifu_inflow_bits_per_second"] = key.inflow_bits_per_second;
    fields["warifu_outflow_bits_per_second"] = key.outflow_bits_per_second;
    if (key.oldest_seconds) fields["warifu_oldest_seconds"] = *key.oldest_seconds;
    fields["warifu_bits_lost_by_saturation"] = report.saturation.lost_bytes * 8;
    for (const auto origin : courier.link().status().send.origins) {
      origins.emplace_back(keypool::origin_name(origin));
    }
  }
  fields["warifu_key_origins"] = std::move(origins);
  if (const auto quota = gate_->quota(master)) {
    fields["warifu_quota_bits_per_hour"] = quota->bytes_per_hour * 8;
    fields["warifu_quota_bits_left"] = quota->left_bytes * 8;
  }
  if (gate_->is_sae_paused(master) || gate_->is_link_paused(slave.site)) {
    fields["warifu_paused"] = true;
  }
  return json::serialize(fields);
}

Result<SaeKeys::BySite> SaeKeys::sites_of(const KeyOrder& order) const {
  BySite by_site;
  std::vector<std::string> slaves = {order.slave};
  slaves.insert(slaves.end(), order.additional.begin(), order.additional.end());
  for (const std::string& id : slaves) {
    const SaeEntry* sae = settings_.find(id);
    if (sae == nullptr) return fail(Code::kNotFound, "SAE " + id + " is not known here");
    TRY(check_reach(*sae));
    by_site[sae->site].push_back(id);
  }
  return by_site;
}

Result<> SaeKeys::check_gate(const std::string& master, const BySite& by_site) const {
  TRY(gate_->check_sae(master));
  for (const auto& [site, slaves] : by_site) {
    if (site != self_) TRY(gate_->check_link(site));
  }
  return {};
}

Result<std::vector<DeviceKey>> SaeKeys::take_new(const KeyOrder& order) {
  TRY_ASSIGN(const BySite by_site, sites_of(order));
  TRY(check_gate(order.master, by_site));
  // Each site that gets the keys counts, as it does on the links.
  const std::uint64_t charged = order.number * (order.size_bits / 8) * by_site.size();
  TRY(gate_->charge(order.master, charged));
  auto keys = make_order(order, by_site);
  if (!keys) gate_->refund(order.master, charged);
  return keys;
}

Result<std::vector<DeviceKey>> SaeKeys::make_order(const KeyOrder& order, const BySite& by_site) {
  const SiteName main_site = settings_.find(order.slave)->site;
  Order made{.id = os::random_id<OrderId>(system_.random),
             .master = order.master,
             .slaves = by_site.at(main_site),
             .key_bytes = static_cast<std::uint32_t>(order.size_bits / 8),
             .keys = static_cast<std::uint32_t>(order.number),
             .pieces = {}};
  TRY_ASSIGN(const secret::Buffer bytes, make_keys(made, main_site));
  std::vector<SiteName> done = {main_site};
  for (const auto& [site, slaves] : by_site) {
    if (site == main_site) continue;
    made.slaves = slaves;
    const auto there =
        site == self_ ? keep_here(made, bytes.bytes()) : send_keys(made, site, bytes.bytes());
    done.push_back(site);  // also when it failed: it may have heard all the same
    if (there) continue;
    void_at(done, made);
    return std::unexpected(there.error());
  }
  {
    const std::lock_guard lock(made_mutex_);
    made_[{order.master, order.slave}] += order.number;
    for (const std::string& slave : order.additional) {
      made_[{order.master, slave}] += order.number;
    }
  }
  return split(made, bytes);
}

// The keys, waiting at their site for the slaves there.
Result<secret::Buffer> SaeKeys::make_keys(const Order& order, const SiteName& site) {
  if (site != self_) return couriers_.at(site)->place(order);
  secret::Buffer bytes(order.bytes());
  TRY(keys_.random().fill(bytes.bytes(), RandomUse::kApplications));
  TRY(keep_here(order, bytes.bytes()));
  return bytes;
}

Result<> SaeKeys::keep_here(const Order& order, ByteView bytes) {
  std::vector<NewKeys> keys;
  keys.push_back(
      {order.master, order.slaves, key_ids(order.id, order.keys), secret::Buffer::copy_of(bytes)});
  return store_->add(std::move(keys));
}

Result<> SaeKeys::send_keys(const Order& order, const SiteName& site, ByteView bytes) {
  Assignment assignment{os::random_id<OrderId>(system_.random), {order}};
  assignment.orders.front().pieces.clear();
  const auto told =
      carrier_.tell(site, SaeMethod::kAssign, encode(assignment), secret::Buffer::copy_of(bytes));
  if (!told) return std::unexpected(trouble_of_sites(told.error()));
  return {};
}

// The master never hears of these keys, so a site that cannot be told lets them expire.
void SaeKeys::void_at(const std::vector<SiteName>& sites, const Order& order) {
  for (const SiteName& site : sites) {
    const auto gone =
        site == self_
            ? store_->drop(key_ids(order.id, order.keys),
                           [&](const std::string& master) { return master == order.master; })
            : carrier_.tell(site, SaeMethod::kVoid,
                            encode(std::vector<VoidOrder>{{order.id, order.keys}}), {});
    if (!gone) log_info("keys for " + order.master + " expire: " + gone.error().message);
  }
}

Result<std::vector<DeviceKey>> SaeKeys::take_by_id(const std::string& master,
                                                   const std::string& caller,
                                                   const std::vector<std::string>& ids) {
  TRY(gate_->check_sae(caller));
  std::vector<KeyId> wanted;
  for (const std::string& id : ids) {
    TRY_ASSIGN(const KeyId parsed, parse_uuid(id));
    wanted.push_back(parsed);
  }
  return store_->take(master, caller, wanted);
}

std::vector<SaeKeys::Made> SaeKeys::made() const {
  const std::lock_guard lock(made_mutex_);
  std::vector<Made> all;
  for (const auto& [pair, keys] : made_) all.push_back({pair.first, pair.second, keys});
  return all;
}

}  // namespace warifu::kme
