// Disks, processes and ledgers of the two simulated sites; what they talk is in two_sites_talk.cc.
#include "testing/two_sites.h"

#include <algorithm>

#include "mac/mac.h"
#include "wire/wire.h"

namespace warifu::sim {

using keypool::Direction;
using keypool::Pool;
using keypool::Purpose;

namespace {

constexpr std::size_t kFirstKeyBytes = 800'000;  // of each direction
constexpr std::uint64_t kHighWater = 850'000;
const Bytes kRootKey(crypto::kSealKeyBytes, 3);

std::string folder(Direction direction) {
  return direction == Direction::kSend ? "/site/send" : "/site/receive";
}

// The key that a direction starts with.
const Bytes& first_key(std::size_t sender) {
  static const std::array<Bytes, 2> keys = [] {
    std::array<Bytes, 2> made{Bytes(kFirstKeyBytes), Bytes(kFirstKeyBytes)};
    Dice dice(77);
    for (Bytes& key : made) dice.fill(key);
    return made;
  }();
  return keys[sender];
}

// A disk with both pools and the first key, durable; images of it share its bytes.
std::unique_ptr<SimDisk> first_disk(std::size_t site) {
  auto disk = std::make_unique<SimDisk>();
  SimClock clock;
  SimRandom random(site);
  const os::System system{*disk, clock, random};
  WARIFU_CHECK(disk->make_directories("/site").has_value());
  disk->sync_dir("/");
  for (const Direction direction : {Direction::kSend, Direction::kReceive}) {
    const std::string path = folder(direction);
    WARIFU_CHECK(Pool::create(system, path, LinkId::from_view(Bytes(16, 9)), direction, kRootKey)
                     .has_value());
    auto pool = Pool::open(system, path, kRootKey);
    WARIFU_CHECK(pool.has_value());
    const std::size_t sender = direction == Direction::kSend ? site : 1 - site;
    WARIFU_CHECK((*pool)->ingest({0}, keypool::Origin::kRateModel, first_key(sender)).has_value());
    WARIFU_CHECK((*pool)->mark_synced({0}, {0}).has_value());
  }
  return disk;
}

}  // namespace

// Both ends of a pair of key devices; now and then they differ.
class TwoSites::Device final : public kme::KeyDevice {
 public:
  explicit Device(TwoSites& sites) : sites_(sites) {}
  Result<std::vector<kme::DeviceKey>> fresh(std::size_t) override {
    std::vector<kme::DeviceKey> keys;
    for (std::uint64_t i = sites_.dice_.between(1, 3); i > 0; --i) {
      Bytes key(sites_.dice_.between(100, 6000));
      sites_.dice_.fill(key);
      const std::string id = "key-" + std::to_string(sites_.dice_.next());
      keys.push_back({id, secret::Buffer::copy_of(key)});
      sites_.device_keys_[id] = std::move(key);
    }
    return keys;
  }
  Result<std::vector<kme::DeviceKey>> by_ids(const std::vector<std::string>& ids) override {
    std::vector<kme::DeviceKey> keys;
    for (const std::string& id : ids) {
      const auto at = sites_.device_keys_.find(id);
      if (at == sites_.device_keys_.end()) return fail(Code::kNotFound, "no such key");
      keys.push_back({id, secret::Buffer::copy_of(at->second)});
      sites_.device_keys_.erase(at);
    }
    if (sites_.dice_.one_in(8)) keys.back().bytes.bytes()[0] ^= 1;
    return keys;
  }
  [[nodiscard]] keypool::Origin origin() const override { return keypool::Origin::kRateModel; }

 private:
  TwoSites& sites_;
};

class TwoSites::Watcher final : public keypool::TakeWatcher {
 public:
  Watcher(TwoSites& sites, std::size_t site, bool sending)
      : sites_(sites), site_(site), sending_(sending) {}
  void left(PadOffset begin, ByteCount size, Purpose purpose) override {
    sites_.left(site_, sending_, {.begin = begin, .size = size, .purpose = purpose});
  }

 private:
  TwoSites& sites_;
  std::size_t site_;
  bool sending_;
};

TwoSites::TwoSites(const SiteRules& rules)
    : rules_(rules),
      dice_(rules.seed),
      random_(~rules.seed),
      turns_(dice_),
      trace_(rules.trace, violations_) {
  static const std::unique_ptr<SimDisk> first[] = {first_disk(0), first_disk(1)};
  for (std::size_t i = 0; i < 2; ++i) {
    Site& site = sites_[i];
    site.disk = first[i]->crash_image(0);
    site.disk->lie(rules.lies);
    site.device = std::make_unique<Device>(*this);
    site.send_watcher = std::make_unique<Watcher>(*this, i, true);
    site.receive_watcher = std::make_unique<Watcher>(*this, i, false);
    WARIFU_CHECK(start(i));
  }
  mischief_.one_in = dice_.one_in(3) ? 0 : dice_.between(4, 60);
  mischief_.spares_greetings = rules.rollback != Rollback::kNone;
  if (trace_.on()) trace_line();
  if (rules.marks_not_believed || rules.proofs_not_checked) {
    mischief_.rewrite = [this](Bytes& frame, bool from_caller) {
      return forge(frame, from_caller);
    };
  }
}

TwoSites::~TwoSites() {
  take_down(0);
  take_down(1);
}

std::string TwoSites::who() const {
  if (turns_.current() >= parts_.size()) return "nobody";
  const Part& part = parts_[turns_.current()];
  return std::string(site_name(part.site)) + " in conversation " +
         std::to_string(part.conversation);
}

void TwoSites::trace_line() {
  mischief_.on_frame = [this](const Bytes& frame) {
    trace_.say("  ", who(), " sends a ", frame_text(frame));
  };
  mischief_.on_attack = [this](const std::string& what) { trace_.say("    which ", what); };
}

os::System TwoSites::system(std::size_t site) {
  os::FileSystem& files = sites_[site].bent ? *sites_[site].bent : *sites_[site].disk;
  return {files, clock_, random_};
}

bool TwoSites::start(std::size_t which) {
  Site& site = sites_[which];
  if (rules_.bends.any()) site.bent = bent_files(*site.disk, rules_.bends);
  site.quiet.emplace(*site.disk);
  std::unique_ptr<Pool> pools[2];
  for (const Direction direction : {Direction::kSend, Direction::kReceive}) {
    const bool sends = direction == Direction::kSend;
    auto pool =
        Pool::open(system(which), folder(direction), kRootKey,
                   {.watcher = sends ? site.send_watcher.get() : site.receive_watcher.get()});
    if (!pool) {
      last_error_ = pool.error();
      return false;
    }
    pools[sends ? 0 : 1] = std::move(*pool);
  }
  site.link =
      std::make_unique<kme::Link>(*SiteName::parse(site_name(1 - which)), kme::LinkClass::kQkd,
                                  std::move(pools[0]), std::move(pools[1]), clock_);
  site.intake = std::make_unique<kme::Intake>(system(which), *site.link, *site.device, kHighWater);
  return true;
}

void TwoSites::stop(std::size_t which) {
  Site& site = sites_[which];
  site.intake.reset();
  site.link.reset();
  site.bent.reset();
  site.quiet.reset();
}

void TwoSites::take_down(std::size_t site) {
  if (sites_[site].disk) sites_[site].disk->power_off();
  stop(site);
}

void TwoSites::recover(std::size_t which, std::unique_ptr<SimDisk> image) {
  for (bool nested = dice_.one_in(4);; nested = false) {
    trace_.say(site_name(which), " starts from what its disk holds",
               nested ? ", and may die of it" : "");
    take_down(which);
    sites_[which].disk = std::move(image);
    sites_[which].disk->lie(rules_.lies);
    if (nested) sites_[which].disk->crash_at(dice_.between(1, 14));
    const bool started = start(which);
    sites_[which].disk->clear_faults();
    if (sites_[which].disk->dead()) {
      ++crashes_;
      stop(which);
      image = sites_[which].disk->crash_image(dice_.next());
      continue;
    }
    if (!started) ++violations_.refused;
    return;
  }
}

// Sites that are down come back, from what a crash or a kill left.
void TwoSites::bring_back() {
  for (std::size_t i = 0; i < 2; ++i) {
    if (!sites_[i].disk->dead()) continue;
    ++crashes_;
    trace_.say(site_name(i), " died");
    stop(i);
    recover(i, dice_.one_in(2) ? sites_[i].disk->kill_image()
                               : sites_[i].disk->crash_image(dice_.next()));
    if (!sites_[i].link) continue;
    const bool back = sites_[i].link->send().status().mark < ledgers_[i].last_sent() ||
                      sites_[i].link->receive().status().mark < ledgers_[1 - i].last_received();
    if (back && rules_.rollback == Rollback::kNone) ++violations_.mark_back;
  }
}

bool TwoSites::alive(std::size_t site) {
  if (!up(site)) return false;
  Site& one = sites_[site];
  one.granted = std::max(one.granted, one.link->receive().status().mark);
  return true;
}

void TwoSites::enter_sent(std::size_t site, const Use& use) {
  (void)alive(1 - site);
  const bool forgives = rules_.rollback != Rollback::kNone;
  const PadOffset granted = sites_[1 - site].granted;
  trace_.say("  ", site_name(site), ", which sends: ", use);
  if (ledgers_[site].sent(use, granted, forgives, violations_)) ++prepared_again_;
  ++uses_;
}

void TwoSites::left(std::size_t site, bool sending, Use use) {
  if (sites_[site].disk->dead()) return;  // nothing of it can leave the machine
  Part* part = turns_.current() < parts_.size() ? &parts_[turns_.current()] : nullptr;
  if (part != nullptr) {
    use.conversation = part->conversation;
    frame_was_good(*part);  // a bad one would have been the end
  }
  if (sending) {
    if (part != nullptr && !part->opened) {
      trace_.say("  ", site_name(site), ", which sends, to check a greeting: ", use);
      part->checks.push_back(use);
    } else {
      enter_sent(site, use);
    }
    return;
  }
  enter_received(site, part, use);
}

void TwoSites::enter_received(std::size_t site, Part* part, const Use& use) {
  // The first bytes of a range are its hash key, taken when it is granted; greetings and drawn key
  // have no frames.
  const bool is_check = part != nullptr && part->opened && !keypool::is_drawn(use.purpose) &&
                        use.begin < sites_[site].granted;
  (void)alive(site);
  trace_.say("  ", site_name(site), ", which receives", is_check ? ", to check a frame: " : ": ",
             use);
  const bool again = ledgers_[1 - site].received(use, is_check, violations_);
  if (is_check) part->frame_check = use;
  ++uses_;
  if (!again) return;
  if (rules_.rollback == Rollback::kNone) {
    ++violations_.overlaps;
  } else {
    ++prepared_again_;
  }
}

void TwoSites::frame_was_good(Part& part) {
  if (!part.frame_check || !up(part.site)) return;
  ledgers_[1 - part.site].checked(*part.frame_check, violations_);
  part.frame_check.reset();
}

// The rest of both directions through both ends; the bytes must be equal.
void TwoSites::drain() {
  if (!up(0) || !up(1)) return;
  parts_.clear();
  for (std::size_t i = 0; i < 2; ++i) {
    Pool& from = sites_[i].link->send();
    Pool& to = sites_[1 - i].link->receive();
    const PadOffset begin = std::max(from.status().mark, to.status().mark);
    const PadOffset end = std::min(from.status().synced_end, to.status().synced_end);
    if (begin >= end || !to.burn_to(begin)) continue;
    auto there = to.reserve(end - begin, Purpose::kControl);
    if (!there) continue;
    auto here = from.accept(begin, end - begin);
    if (!here) continue;
    const auto sent = here->take(here->remaining());
    const auto received = there->take(there->remaining());
    if (!sent || !received || !std::ranges::equal(sent->bytes(), received->bytes())) {
      ++violations_.wrong;
    }
  }
}

// The one in the line plays the bug: it hides the marks of greetings, or it brings an old welcome
// with a proof that the far end would have made for it.
bool TwoSites::forge(Bytes& frame, bool from_caller) {
  constexpr std::size_t kHead = channel::kHeaderBytes, kId = 16, kNonce = 16, kMark = 8,
                        kGrant = 16;
  const auto type = static_cast<channel::FrameType>(frame[3]);
  if (type == channel::FrameType::kHello) {
    hello_nonce_.assign(frame.begin() + kHead + kId, frame.begin() + kHead + kId + kNonce);
    if (!rules_.marks_not_believed) return false;
    std::fill_n(frame.begin() + kHead + kId + kNonce, kMark, Byte{0});
    return true;
  }
  if (type != channel::FrameType::kWelcome || from_caller) return false;
  if (rules_.marks_not_believed) {
    std::fill_n(frame.begin() + kHead + kNonce, kMark, Byte{0});
    return true;
  }
  const std::size_t caller = 1 - parts_[turns_.current()].site;  // it has the turn who writes
  Bytes& old_welcome = old_welcomes_[caller];
  if (old_welcome.empty()) {
    old_welcome = frame;
    return false;
  }
  const ByteView grant = ByteView(old_welcome).subspan(kHead + kNonce + kMark, kGrant);
  wire::Reader reader(grant, "grant");
  const std::uint64_t begin = reader.u64();
  const Bytes& key = first_key(caller);
  const mac::Key hash_key(ByteView(key).subspan(begin, mac::kBlockBytes));
  Bytes message = hello_nonce_;
  message.insert(message.end(), grant.begin(), grant.end());
  const mac::Tag proof = mac::one_time_tag(
      hash_key, message, ByteView(key).subspan(begin + mac::kBlockBytes, mac::kBlockBytes));
  frame = old_welcome;
  copy_bytes(MutableBytes(frame).last(proof.size()), proof);
  return true;
}

}  // namespace warifu::sim
