// Keys for outside applications (SAEs): what a site serves by ETSI GS QKD 014, out of the key of
// its links (docs/kms.md).
//
// A key for a slave at a neighbour site is cut from that link's sending pool and waits there,
// durably, before the master is answered; for a slave at this site it is made of the site's random
// numbers. Additional slaves elsewhere get the same key sealed over the channel. Sites that are no
// neighbours are refused: nothing is relayed.
// Ownership: links and carrier must outlive it. Thread-safe.
#pragma once

#include <atomic>
#include <thread>

#include "kme/etsi014_server.h"
#include "kme/key_manager.h"
#include "kme/sae_courier.h"
#include "kme/sae_gate.h"
#include "kme/sae_settings.h"
#include "kme/sae_store.h"

namespace warifu::kme {

class SaeKeys final : public KeySource {
 public:
  // Opens the store in `dir`, and the quotas in the file DIR-quotas beside it. Errors: kBusy,
  // kCorrupt, kNoSpace, kIo.
  [[nodiscard]] static Result<std::unique_ptr<SaeKeys>> open(os::System system,
                                                             const std::string& dir, SiteName self,
                                                             SaeSettings settings, KeyManager& keys,
                                                             SaeCarrier& carrier);
  ~SaeKeys() override;
  // Drops expired keys from now on, in a thread of its own.
  void start();

  // --- KeySource ---
  [[nodiscard]] Result<SourceStatus> status(const std::string& master,
                                            const std::string& slave) override;
  [[nodiscard]] Result<SourceStatus> limits(const std::string& master,
                                            const std::string& slave) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> take_new(const KeyOrder& order) override;
  [[nodiscard]] Result<std::vector<DeviceKey>> take_by_id(
      const std::string& master, const std::string& caller,
      const std::vector<std::string>& ids) override;

  // --- what other sites ask ---
  [[nodiscard]] Result<> take_block(const SiteName& from, const BlockHead& head,
                                    secret::Buffer bytes);
  // `sent`: the keys of the orders without pieces, one after the other. Errors: kNotFound when a
  // block is not here (any more), kRefused, kBusy, kNoSpace.
  [[nodiscard]] Result<> take_assignment(const SiteName& from, const Assignment& assignment,
                                         const secret::Buffer& sent);
  [[nodiscard]] Result<> take_voids(const SiteName& from, const std::vector<VoidOrder>& orders);

  // --- for the operator ---
  struct Made {
    std::string master, slave;
    std::uint64_t keys = 0;  // given to the master since the start
  };
  [[nodiscard]] std::vector<Made> made() const;
  [[nodiscard]] std::vector<SaePairCounts> counts() const { return store_->counts(); }
  [[nodiscard]] const SaeSettings& settings() const { return settings_; }
  [[nodiscard]] const SiteName& self() const { return self_; }
  // Who may take key now, here and by key streams.
  [[nodiscard]] SaeGate& gate() const { return *gate_; }
  // Who the clients of the server are.
  [[nodiscard]] SaeMap identities() const;

 private:
  // What one neighbour has sent.
  struct Far {
    std::mutex mutex;  // held through an assignment: one that is told twice is taken once
    BlockMirror blocks;
    std::deque<OrderId> done;  // batches, newest last
  };
  // The slaves of an order by the site they live at.
  using BySite = std::map<SiteName, std::vector<std::string>>;

  SaeKeys(os::System system, SiteName self, SaeSettings settings, KeyManager& keys,
          SaeCarrier& carrier);
  Result<BySite> sites_of(const KeyOrder& order) const;
  Result<> check_reach(const SaeEntry& sae) const;
  Result<> check_gate(const std::string& master, const BySite& by_site) const;
  Result<std::vector<DeviceKey>> make_order(const KeyOrder& order, const BySite& by_site);
  Result<secret::Buffer> make_keys(const Order& order, const SiteName& site);
  Result<> keep_here(const Order& order, ByteView bytes);
  Result<> send_keys(const Order& order, const SiteName& site, ByteView bytes);
  void void_at(const std::vector<SiteName>& sites, const Order& order);
  Result<> check_order(const SiteName& from, const Order& order) const;
  Result<std::vector<NewKeys>> cut_orders(Far& far, const Assignment& assignment,
                                          const secret::Buffer& sent);
  std::string extension(const std::string& master, const SaeEntry& slave) const;

  os::System system_;
  SiteName self_;
  SaeSettings settings_;
  KeyManager& keys_;
  SaeCarrier& carrier_;
  std::unique_ptr<SaeStore> store_;
  std::unique_ptr<SaeGate> gate_;
  std::map<SiteName, std::unique_ptr<SaeCourier>> couriers_;  // to neighbours
  std::map<SiteName, Far> far_;                               // every neighbour has one
  mutable std::mutex made_mutex_;
  std::map<std::pair<std::string, std::string>, std::uint64_t> made_;
  std::atomic<bool> stopping_ = false;
  std::jthread sweeper_;
};

}  // namespace warifu::kme
