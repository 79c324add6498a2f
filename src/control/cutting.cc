// The producer of a cut.
#include "control/cutting.h"

#include <algorithm>

#include "control/cut_lane.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

// Lets a watcher be asked from any lane, one at a time.
channel::KeepWaiting one_at_a_time(const channel::KeepWaiting& ask,
                                   const std::shared_ptr<std::mutex>& mutex) {
  return [ask, mutex] {
    const std::lock_guard lock(*mutex);
    return ask();
  };
}

}  // namespace

Cutting::Cutting(SiteContext& site, Uploads& uploads, const sharing::Scheme& scheme,
                 const sharing::RecordLayout& records, std::vector<CutTarget> targets,
                 const JobId& job)
    : site_(site),
      uploads_(uploads),
      scheme_(scheme),
      records_(records),
      targets_(std::move(targets)),
      job_(job) {}

Cutting::Cutting(Cutting&&) noexcept = default;
Cutting::~Cutting() = default;

bool Cutting::is_own(const CutTarget& target) const {
  return target.site == site_.config.name;
}

Result<Cutting> Cutting::prepare(SiteContext& site, Uploads& uploads, const sharing::Scheme& scheme,
                                 const sharing::RecordLayout& records,
                                 std::vector<CutTarget> targets, const JobId& job) {
  WARIFU_CHECK(targets.size() == scheme.shares);
  Cutting cutting(site, uploads, scheme, records, std::move(targets), job);
  cutting.choose_drawn();
  std::vector<BegunShare> begun;
  for (CutTarget& target : cutting.targets_) {
    TRY_ASSIGN(const PreparedShare prepared,
               prepare_share(site, uploads, target.site, target.spec));
    begun.push_back({target.site, target.spec.share, prepared.durable_chunks});
    target.spec.drawn = prepared.drawn;
  }
  // Everywhere before anything of this cut is anywhere.
  TRY_ASSIGN(cutting.first_, cut_back_to_least(site, uploads, begun, records.count()));
  TRY(cutting.note_drawn());
  if (cutting.first_ > 0) {
    cutting.report_.entropy.origins.insert(keypool::Origin::kKernelGenerator);
  }
  return cutting;
}

// The scheme lets any privacy() shares be given. Those of sites with a direct link become key of
// that link: it costs no more key than sending them, no random numbers, and nothing is sent.
void Cutting::choose_drawn() {
  std::size_t wanted = scheme_.privacy();
  for (CutTarget& target : targets_) {
    const bool direct = target.route.size() == 2;
    const kme::Link* link = direct ? site_.keys.link_to(target.site) : nullptr;
    target.spec.drawn =
        wanted > 0 && link != nullptr && link->key_becomes_shares(site_.config.key_as_share);
    if (target.spec.drawn) --wanted;
  }
}

// What was begun one way goes on so, whatever has been switched since.
Result<> Cutting::note_drawn() {
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (!targets_[i].spec.drawn) continue;
    ++drawn;
    report_.drawn |= 1U << i;
  }
  if (drawn <= scheme_.privacy()) return {};
  return fail(Code::kRefused, "more shares were begun as key of links than this cut may have");
}

std::vector<sharing::ShareIndex> Cutting::choose_given() const {
  std::vector<sharing::ShareIndex> given;
  for (const bool drawn : {true, false}) {
    for (std::size_t i = 0; i < targets_.size() && given.size() < scheme_.privacy(); ++i) {
      if (targets_[i].spec.drawn == drawn) given.push_back(static_cast<sharing::ShareIndex>(i));
    }
  }
  return given;
}

Result<> Cutting::open_lanes(const channel::KeepWaiting& keep_waiting) {
  const LaneRange range{records_.below(scheme_), first_};
  for (const CutTarget& target : targets_) {
    std::unique_ptr<CutLane> lane;
    if (is_own(target)) {
      TRY_ASSIGN(lane, open_own_lane(site_, uploads_, target.spec, range));
    } else {
      wire::Writer body;
      body.id(target.spec.share);
      body.u64(range.first);
      TRY_ASSIGN(lane, open_remote_lane(site_,
                                        {.site = target.site,
                                         .route = target.route,
                                         .method = number(Method::kShareWrite),
                                         .body = body.take(),
                                         .drawn = target.spec.drawn},
                                        range, job_, keep_waiting));
    }
    lanes_.push_back(std::move(lane));
  }
  return {};
}

Result<> Cutting::cut_record(const sharing::Splitter& splitter, CutInput& input, ChunkIndex index) {
  const std::size_t length = records_.length(index);
  secret::Buffer record(scheme_.padded(length));  // zeros behind the record
  TRY(input.read(index, record.bytes().first(length)));
  std::vector<secret::Buffer> shares(scheme_.shares);
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!lanes_[i]->is_drawn()) shares[i] = secret::Buffer(scheme_.share_bytes(length));
  }
  const auto at = [&](sharing::ShareIndex share) -> secret::Buffer& {
    return shares[static_cast<std::size_t>(share)];
  };
  std::array<ByteView, sharing::kMaxShares> given;
  std::array<MutableBytes, sharing::kMaxShares> made;
  for (std::size_t i = 0; i < splitter.given().size(); ++i) {
    secret::Buffer& share = at(splitter.given()[i]);
    CutLane& lane = *lanes_[static_cast<std::size_t>(splitter.given()[i])];
    if (lane.is_drawn()) {
      TRY_ASSIGN(share, lane.take());
    } else {
      TRY_ASSIGN(const keypool::Entropy entropy,
                 site_.keys.random().fill(share.bytes(), kme::RandomUse::kSharing));
      report_.entropy.add(entropy);
    }
    given[i] = share.bytes();
  }
  for (std::size_t i = 0; i < splitter.made().size(); ++i) made[i] = at(splitter.made()[i]).bytes();
  splitter.split(record.bytes(), std::span(given).first(splitter.given().size()),
                 std::span(made).first(splitter.made().size()));
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!lanes_[i]->is_drawn()) TRY(lanes_[i]->put(std::move(shares[i])));
  }
  return {};
}

std::uint64_t Cutting::durable() const {
  std::uint64_t least = records_.count() - first_;
  for (const auto& lane : lanes_) least = std::min(least, lane->durable());
  return first_ + least;
}

Result<> Cutting::finish_lanes() {
  Result<> all;
  for (const auto& lane : lanes_) {
    const Result<> finished = lane->finish();
    report_.entropy.add(lane->entropy());
    if (all && !finished) all = finished;
  }
  return all;
}

Result<> Cutting::run(CutInput& input, const CutWatch& watch) {
  if (first_ == records_.count()) return {};
  TRY_ASSIGN(const sharing::Splitter splitter, sharing::Splitter::make(scheme_, choose_given()));
  const auto watching = std::make_shared<std::mutex>();
  const auto cut_all = [&]() -> Result<> {
    TRY(open_lanes(one_at_a_time(watch.keep_waiting, watching)));
    for (std::uint64_t i = first_; i < records_.count(); ++i) {
      TRY(cut_record(splitter, input, {i}));
      const std::lock_guard lock(*watching);
      TRY(watch.progress(durable(), records_.count()));
    }
    return finish_lanes();
  };
  const Result<> done = cut_all();
  lanes_.clear();
  if (done) first_ = records_.count();
  return done;
}

Result<> Cutting::commit(const std::vector<Sibling>& siblings, const keypool::Entropy& entropy) {
  for (const CutTarget& target : targets_) {
    TRY(commit_share(site_, uploads_, target.site, {target.spec.share, siblings, entropy}));
  }
  return {};
}

}  // namespace warifu::control
