// Streams to several sites in step, and the re-share over them.
#include "control/reshare.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
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
  const sharing::Chunking chunking = targets_.front().spec.chunking();
  const std::uint64_t count = chunking.chunk_count() - first;
  if (count == 0) return {};
  for (const Target& target : targets_) {
    wire::Writer body;
    body.id(target.spec.share);
    body.u64(first);
    TRY_ASSIGN(channel::Call call, site_->caller.start({.to = target.site,
                                                        .method = number(Method::kShareWrite),
                                                        .job = job_,
                                                        .upload = shape_of(chunking, first, count),
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

namespace {

// The rule that a share site checks for itself: parts of a share must not go to the holder of one
// of its siblings, who could then restore.
// Neither a target nor a site on the way to it may hold a sibling.
Result<> check_targets(const SiteConfig& config, const store::ShareHeader& header,
                       const ReshareRequest& request) {
  std::set<SiteName> used;
  for (const ReshareTarget& target : request.targets) {
    if (!used.insert(target.site).second) {
      return fail(Code::kRefused, target.site.text() + " would get two nested shares");
    }
    const Route route = travel_route(config.links, config.name, target.site);
    for (const store::Sibling& sibling : header.siblings) {
      const bool on_the_way = std::ranges::find(route, sibling.site) != route.end();
      if (on_the_way && sibling.share != header.share) {
        return fail(Code::kRefused, sibling.site.text() +
                                        " holds a sibling share of this object and would hold or "
                                        "relay part of another");
      }
    }
    const ShareSpec& spec = target.spec;
    if (spec.object != header.object || spec.parent != header.share ||
        spec.object_length != header.object_length || spec.chunk_bytes != header.chunk_bytes) {
      return fail(Code::kInvalidArgument, "the nested shares do not describe this share");
    }
  }
  return {};
}

}  // namespace

Result<> reshare(SiteContext& site, const ReshareRequest& request, const JobId& job,
                 const std::function<Result<>(std::uint64_t, std::uint64_t)>& progress,
                 const channel::KeepWaiting& keep_waiting) {
  TRY_ASSIGN(const auto reader, site.shares.open(request.share));
  TRY(check_targets(site.config, reader->header(), request));
  std::vector<FanOut::Target> targets;
  std::vector<Sibling> siblings;
  for (const ReshareTarget& target : request.targets) {
    targets.push_back({target.site, target.spec});
    siblings.push_back({target.spec.index, target.spec.share, target.site});
  }
  const sharing::Chunking chunking = request.targets.front().spec.chunking();
  TRY_ASSIGN(FanOut fan, FanOut::prepare(site, std::move(targets), job));
  TRY(fan.start(fan.first_chunk(), keep_waiting));
  std::array<secret::Buffer, 3> parts;
  for (std::uint64_t i = fan.first_chunk(); i < chunking.chunk_count(); ++i) {
    const std::size_t size = chunking.record_length({i});
    secret::Buffer record(size);
    TRY(reader->read({i}, 1, record.bytes()));
    for (auto& part : parts) part = secret::Buffer(size);
    site.system.random.fill(parts[0].bytes());
    sharing::split(record.bytes(), parts[0].bytes(), parts[1].bytes(), parts[2].bytes());
    TRY(fan.send(parts));
    TRY(progress(fan.acknowledged(), chunking.chunk_count()));
  }
  TRY(fan.finish());
  TRY(fan.commit(siblings));
  TRY(site.log.append(
      "reshared", {{"share", request.share.text()},
                   {"object", reader->header().object.text()},
                   {"to", fmt::format("{} {} {}", siblings[0].site.text(), siblings[1].site.text(),
                                      siblings[2].site.text())}}));
  return {};
}

}  // namespace warifu::control
