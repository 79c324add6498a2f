// Streams to several sites in step, and the re-share over them.
#include "control/reshare.h"

#include <algorithm>

#include "base/log.h"
#include "control/exposure.h"
#include "wire/wire.h"

namespace warifu::control {

Result<FanOut> FanOut::prepare(SiteContext& site, std::vector<Target> targets, const JobId& job) {
  FanOut fan(site, std::move(targets), job);
  fan.first_ = UINT64_MAX;
  for (const Target& target : fan.targets_) {
    TRY_ASSIGN(const Bytes answer,
               site.caller.ask(target.site, number(Method::kSharePrepare), encode(target.spec)));
    wire::Reader reader(answer, "answer to prepare");
    const std::uint64_t durable = reader.u64();
    TRY(reader.finish());
    fan.first_ = std::min(fan.first_, durable);
  }
  return fan;
}

Result<> FanOut::start(std::uint64_t first, const channel::KeepWaiting& keep_waiting) {
  started_at_ = first;
  if (targets_.empty()) return {};
  const sharing::RecordLayout records = targets_.front().spec.records;
  const std::uint64_t count = records.count() - first;
  if (count == 0) return {};
  for (const Target& target : targets_) {
    wire::Writer body;
    body.id(target.spec.share);
    body.u64(first);
    TRY_ASSIGN(channel::Call call, site_->caller.start({.to = target.site,
                                                        .method = number(Method::kShareWrite),
                                                        .job = job_,
                                                        .upload = shape_of(records, first, count),
                                                        .body = body.take()},
                                                       keep_waiting));
    calls_.push_back(std::move(call));
  }
  return {};
}

Result<> FanOut::send(std::span<secret::Buffer> records) {
  WARIFU_CHECK(records.size() == calls_.size());
  for (std::size_t i = 0; i < calls_.size(); ++i) TRY(calls_[i].send(records[i].bytes()));
  return {};
}

std::uint64_t FanOut::acknowledged() const {
  std::uint64_t least = UINT64_MAX;
  for (const channel::Call& call : calls_) least = std::min(least, call.acknowledged());
  return calls_.empty() ? started_at_ : started_at_ + least;
}

Result<> FanOut::finish() {
  for (channel::Call& call : calls_) TRY(call.reply());
  calls_.clear();
  return {};
}

Result<> FanOut::commit(const std::vector<Sibling>& siblings) {
  for (const Target& target : targets_) {
    TRY(site_->caller.ask(target.site, number(Method::kShareCommit),
                          encode_commit(target.spec.share, siblings)));
  }
  return {};
}

Result<sharing::Splitter> first_given(const sharing::Scheme& scheme) {
  std::vector<sharing::ShareIndex> given;
  for (std::size_t i = 0; i < scheme.privacy(); ++i) {
    given.push_back(static_cast<sharing::ShareIndex>(i));
  }
  return sharing::Splitter::make(scheme, given);
}

std::vector<secret::Buffer> split_record(const sharing::Splitter& splitter, ByteView record,
                                         os::Random& random) {
  const sharing::Scheme& scheme = splitter.scheme();
  std::vector<secret::Buffer> shares;
  for (std::size_t i = 0; i < scheme.shares; ++i) {
    shares.emplace_back(scheme.share_bytes(record.size()));
  }
  std::vector<ByteView> given;
  for (const sharing::ShareIndex index : splitter.given()) {
    secret::Buffer& share = shares[static_cast<std::size_t>(index)];
    random.fill(share.bytes());
    given.push_back(share.bytes());
  }
  std::vector<MutableBytes> made;
  for (const sharing::ShareIndex index : splitter.made()) {
    made.push_back(shares[static_cast<std::size_t>(index)].bytes());
  }
  splitter.split(record, given, made);
  return shares;
}

Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  const sharing::RecordLayout records = store::records_of(header);
  const sharing::Scheme scheme = request.targets.front().spec.scheme;
  ShareTarget own{.site = config.name,
                  .route = travel_route(config.links, config.controller, config.name),
                  .nested = {},
                  .cut = scheme};
  for (const ReshareTarget& target : request.targets) {
    const ShareSpec& spec = target.spec;
    if (spec.object != header.object || spec.parent != header.share ||
        static_cast<std::uint8_t>(spec.parent_index) != header.index || spec.scheme != scheme ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes ||
        spec.records != records.below(scheme)) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
    own.nested.push_back(
        {target.site, travel_route(config.links, config.name, target.site), {}, {}});
  }
  std::vector<ShareTarget> shares = {own};
  for (const store::Sibling& sibling : header.siblings) {
    if (sibling.share == header.share) continue;
    shares.push_back(
        {sibling.site, travel_route(config.links, config.controller, sibling.site), {}, {}});
  }
  return check_exposure(header.scheme, shares, config.controller);
}

Result<> reshare(SiteContext& site, const ReshareRequest& request, const JobId& job,
                 const std::function<Result<>(std::uint64_t, std::uint64_t)>& progress,
                 const channel::KeepWaiting& keep_waiting) {
  TRY_ASSIGN(const auto reader, site.shares.open(request.share));
  TRY(check_targets(site.config, reader->header(), request));
  std::vector<FanOut::Target> targets;
  std::vector<Sibling> siblings;
  std::string sites;
  for (const ReshareTarget& target : request.targets) {
    targets.push_back({target.site, target.spec});
    siblings.push_back({target.spec.index, target.spec.share, target.site});
    sites += (sites.empty() ? "" : " ") + target.site.text();
  }
  const sharing::Scheme scheme = request.targets.front().spec.scheme;
  TRY_ASSIGN(const sharing::Splitter splitter, first_given(scheme));
  const sharing::RecordLayout records = store::records_of(reader->header());
  TRY_ASSIGN(FanOut fan, FanOut::prepare(site, std::move(targets), job));
  TRY(fan.start(fan.first_chunk(), keep_waiting));
  for (std::uint64_t i = fan.first_chunk(); i < records.count(); ++i) {
    secret::Buffer record(scheme.padded(records.length({i})));
    TRY(reader->read({i}, 1, record.bytes().first(records.length({i}))));
    std::vector<secret::Buffer> parts = split_record(splitter, record.bytes(), site.system.random);
    TRY(fan.send(parts));
    TRY(progress(fan.acknowledged(), records.count()));
  }
  TRY(fan.finish());
  TRY(fan.commit(siblings));
  TRY(site.log.append("reshared", {{"share", request.share.text()},
                                   {"object", reader->header().object.text()},
                                   {"to", sites}}));
  return {};
}

}  // namespace warifu::control
