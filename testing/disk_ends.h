// Both ends of a preshared link on simulated disks, each with its copy of a disk set, and an
// outside ledger of the key that leaves the pools.
//
// What the ends tell each other costs key of the link and needs some, as over the channel: a
// request takes 64 bytes of both directions, and both ends must have the same ones.
// Single-threaded.
#pragma once

#include "kme/disk_intake.h"
#include "kme/disk_maker.h"
#include "kme/key_manager.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::kme {

inline constexpr const char* kMedia = "/media/set";

// Small pieces, of which one has a single direction.
inline DiskManifest small_disk_plan(std::array<PadOffset, 2> bases,
                                    const std::vector<std::array<std::uint64_t, 2>>& lengths) {
  DiskManifest manifest{.set = DiskSetId::from_view(Bytes(16, 9)),
                        .link = LinkId::from_view(Bytes(16, 5)),
                        .a = *SiteName::parse("a"),
                        .b = *SiteName::parse("b")};
  for (const auto& length : lengths) {
    manifest.pieces.push_back({.begin = bases, .length = length});
    for (const DiskWay way : kDiskWays) bases[way] = manifest.pieces.back().end(way);
  }
  return manifest;
}

class DiskEnds {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::uint64_t preload = 70'000;  // bytes per direction that the link has before
    std::vector<std::array<std::uint64_t, 2>> lengths = {{2000, 1500}, {3000, 0}, {1700, 2600}};
    bool wipe = true;
    sim::Lies lies = {};
  };

  explicit DiskEnds(const Options& options) : options_(options), random_(options.seed) {
    plan =
        small_disk_plan({PadOffset{options.preload}, PadOffset{options.preload}}, options.lengths);
    make_set();
    for (std::size_t end = 0; end < 2; ++end) {
      disks[end] = std::make_unique<sim::SimDisk>();
      copy_set(end);
      const LinkConfig config{*SiteName::parse(end == 0 ? "b" : "a"), LinkClass::kPreshared,
                              plan.link};
      WARIFU_CHECK(create_link_pools(system(end), "/site", config).has_value());
    }
    preload();
    for (const auto& disk : disks) disk->lie(options.lies);
  }
  ~DiskEnds() { close(); }

  // Opens what is closed and begins the set where it was not; false when something was refused.
  bool open() {
    for (std::size_t end = 0; end < 2; ++end) {
      if (intakes[end] == nullptr && !open_end(end)) return false;
    }
    return true;
  }
  bool open_end(std::size_t end) {
    const SiteName self = *SiteName::parse(end == 0 ? "a" : "b");
    const SiteName peer = *SiteName::parse(end == 0 ? "b" : "a");
    auto keys = KeyManager::open(system(end), "/site", {{peer, LinkClass::kPreshared, plan.link}});
    if (!keys) return note(keys.error());
    managers[end] = std::move(*keys);
    auto intake =
        DiskIntake::open(system(end), link(end), self, "/site/pools/" + peer.text() + "/disk");
    if (!intake) return note(intake.error());
    intakes[end] = std::move(*intake);
    if (!order_at[end] || intakes[end]->status()) return true;
    const auto begun = intakes[end]->begin({kMedia, options_.wipe, 0});
    return begun || note(begun.error());
  }
  void close() {
    const sim::SimDisk::Quiet quiet_a(*disks[0]), quiet_b(*disks[1]);
    for (auto& intake : intakes) intake.reset();
    for (auto& manager : managers) manager.reset();
  }

  // A step of one end, with time passing for whoever waits.
  bool step(std::size_t end) {
    clock_.advance(std::chrono::hours(2));
    return intakes[end]->step([this, end](IntakeMethod, Bytes body) -> Result<Bytes> {
      TRY(pay());
      if (intakes[1 - end] == nullptr) return fail(Code::kUnavailable, "the far end is down");
      return intakes[1 - end]->answer(body);
    });
  }
  // Steps of both ends until nothing is left to do.
  void settle(int most = 400) {
    for (int i = 0; i < most; ++i) {
      bool did = false;
      for (std::size_t end = 0; end < 2; ++end) did = step(end) || did;
      if (!did || dead()) return;
    }
  }

  // Uses up to `most` bytes of each direction, front to back, and checks them against the set.
  void use(std::uint64_t most) {
    for (const DiskWay way : kDiskWays) (void)take(way, most, keypool::Purpose::kControl);
  }
  // A range that bulk data may take, too.
  [[nodiscard]] bool bulk_possible(DiskWay way, std::uint64_t size) {
    return receiver(way).reserve({size}, keypool::Purpose::kBulk).has_value();
  }

  [[nodiscard]] Link& link(std::size_t end) {
    return *managers[end]->link_to(*SiteName::parse(end == 0 ? "b" : "a"));
  }
  [[nodiscard]] keypool::Pool& sender(DiskWay way) { return link(way == kAToB ? 0 : 1).send(); }
  [[nodiscard]] keypool::Pool& receiver(DiskWay way) {
    return link(way == kAToB ? 1 : 0).receive();
  }
  [[nodiscard]] DiskStatus status(std::size_t end) { return *intakes[end]->status(); }
  [[nodiscard]] bool done() {
    for (const auto& intake : intakes) {
      if (intake == nullptr || !intake->status() || !intake->status()->done) return false;
    }
    return true;
  }
  [[nodiscard]] bool dead() const { return disks[0]->dead() || disks[1]->dead(); }
  os::System system(std::size_t end) { return {*disks[end], clock_, random_}; }

  DiskManifest plan;  // with the tags
  std::unique_ptr<sim::SimDisk> disks[2];
  std::unique_ptr<KeyManager> managers[2];
  std::unique_ptr<DiskIntake> intakes[2];
  bool order_at[2] = {true, true};  // open() begins the set there
  std::string last_error;
  std::uint64_t differing = 0, foreign = 0, repeats = 0, used = 0, asked = 0;

 private:
  bool note(const Error& error) {
    last_error = error.message;
    return false;
  }
  void make_set() {
    const auto made = make_disk_set({workshop_, clock_, random_}, plan, {"/x", "/y"}, {});
    WARIFU_CHECK(made.has_value());
    plan = made->manifest;
    for (std::uint32_t piece = 0; piece < plan.pieces.size(); ++piece) {
      auto reader = *DiskPieceReader::open(workshop_, "/x", plan, piece);
      for (const DiskUnit& unit : units_of(plan, piece)) {
        const secret::Buffer bytes = *reader.read(unit);
        material_[unit.way].insert(material_[unit.way].end(), bytes.bytes().begin(),
                                   bytes.bytes().end());
      }
    }
  }
  void copy_set(std::size_t end) {
    WARIFU_CHECK(disks[end]->make_directories(kMedia).has_value());
    const std::string from = end == 0 ? "/x" : "/y";
    const auto names = *workshop_.list(from);
    for (const std::string& name : names) {
      const Bytes bytes = *os::read_file(workshop_, from + "/" + name, 1 << 24);
      WARIFU_CHECK(
          os::replace_file(*disks[end], std::string(kMedia) + "/" + name, bytes).has_value());
    }
    for (const char* folder : {"/", "/media"}) disks[end]->sync_dir(folder);
  }
  void preload() {
    for (std::size_t end = 0; end < 2; ++end) {
      const SiteName peer = *SiteName::parse(end == 0 ? "b" : "a");
      managers[end] =
          *KeyManager::open(system(end), "/site", {{peer, LinkClass::kPreshared, plan.link}});
    }
    if (options_.preload > 0) {
      for (const DiskWay way : kDiskWays) {
        Bytes bytes(options_.preload);
        random_.fill(bytes);
        for (keypool::Pool* pool : {&sender(way), &receiver(way)}) {
          WARIFU_CHECK(pool->ingest({0}, keypool::Origin::kPreshared, bytes).has_value());
          WARIFU_CHECK(pool->mark_synced({0}, {0}).has_value());
        }
      }
    }
    for (std::size_t end = 0; end < 2; ++end) {
      managers[end].reset();
      for (const char* folder : {"/", "/site", "/site/pools"}) disks[end]->sync_dir(folder);
      disks[end]->sync_dir(std::string("/site/pools/") + (end == 0 ? "b" : "a"));
    }
  }
  // What a request costs. Errors: kOutOfKey when the ends have no key in common.
  Result<> pay() {
    ++asked;
    for (const DiskWay way : kDiskWays) TRY(take(way, 64, keypool::Purpose::kControl, 64));
    return {};
  }
  // Order of every use: the receiving end reserves, the sending end takes over, both read.
  Result<> take(DiskWay way, std::uint64_t most, keypool::Purpose purpose,
                std::uint64_t least = 1) {
    if (intakes[0] == nullptr || intakes[1] == nullptr) {
      return fail(Code::kUnavailable, "the far end is down");
    }
    // A greeting tells the marks.
    if (sender(way).status().mark > receiver(way).status().mark) {
      TRY(receiver(way).burn_to(
          std::min(sender(way).status().mark, receiver(way).status().synced_end)));
    }
    const std::uint64_t size = std::min(most, receiver(way).status().available_bytes);
    if (size < least) return fail(Code::kOutOfKey, "no key");
    TRY_ASSIGN(auto granted, receiver(way).reserve({size}, purpose));
    TRY_ASSIGN(auto accepted, sender(way).accept(granted.begin(), {size}, purpose));
    const std::uint64_t begin = granted.begin().value;
    TRY_ASSIGN(const auto x, granted.take(size));
    TRY_ASSIGN(const auto y, accepted.take(size));
    if (!std::ranges::equal(x.bytes(), y.bytes())) ++differing;
    used += size;
    std::vector<bool>& ledger = ledger_[way];
    ledger.resize(std::max<std::size_t>(ledger.size(), begin + size));
    for (std::uint64_t at = begin; at < begin + size; ++at) {
      if (ledger[at]) ++repeats;
      ledger[at] = true;
    }
    const std::uint64_t base = plan.base(way).value;
    const std::uint64_t first = std::max(begin, base);
    if (first >= begin + size) return {};
    const ByteView known = ByteView(material_[way]).subspan(first - base, begin + size - first);
    if (!std::ranges::equal(x.bytes().subspan(first - begin), known)) ++foreign;
    return {};
  }

  Options options_;
  sim::SimClock clock_;
  sim::SimRandom random_;
  sim::SimDisk workshop_;
  Bytes material_[2];
  std::vector<bool> ledger_[2];  // places that were used
};

}  // namespace warifu::kme
