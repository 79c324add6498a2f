// Lanes of a cut.
#include "control/cut_lane.h"

#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kLaneDepth = 8;

channel::StreamShape shape_of(const LaneRange& range) {
  const std::uint64_t bytes = range.records.lengths({range.first}, range.count());
  const std::uint32_t frame = range.records.length({range.first});
  return {range.count(), bytes, frame};
}

class OwnLane final : public CutLane {
 public:
  OwnLane(Uploads& uploads, const ShareId& share, std::unique_ptr<store::ShareWriter> writer,
          std::uint64_t records)
      : uploads_(uploads), share_(share), writer_(std::move(writer)), records_(records) {
    sink_.emplace(*writer_, records);
  }
  ~OwnLane() override { close(); }
  Result<> put(secret::Buffer record) override { return sink_->put(std::move(record)); }
  Result<> finish() override {
    const Result<> durable = sink_->wait_durable(records_);
    close();
    return durable;
  }
  std::uint64_t durable() const override { return sink_ ? sink_->durable() : records_; }

 private:
  void close() {
    sink_.reset();
    if (writer_ != nullptr) uploads_.give_back(share_, std::move(writer_));
  }

  Uploads& uploads_;
  ShareId share_;
  std::unique_ptr<store::ShareWriter> writer_;
  std::uint64_t records_;
  std::optional<ShareSink> sink_;
};

class SendingLane final : public CutLane {
 public:
  explicit SendingLane(channel::Call call)
      : call_(std::move(call)), queue_(kLaneDepth), thread_([this] { send_all(); }) {}
  ~SendingLane() override {
    queue_.abandon();
    if (!finished_) call_.cancel();  // it may wait for key, or for a site that does not answer
    if (thread_.joinable()) thread_.join();
  }
  Result<> put(secret::Buffer record) override {
    if (queue_.push(std::move(record))) return {};
    thread_.join();  // it has closed the queue because it ended
    return sent_ ? fail(Code::kCancelled, "the share is not sent any more") : sent_;
  }
  Result<> finish() override {
    whole_ = true;
    queue_.close();
    if (thread_.joinable()) thread_.join();
    finished_ = true;
    return sent_;
  }
  std::uint64_t durable() const override { return durable_; }

 private:
  void send_all() {
    while (auto record = queue_.pop()) {
      sent_ = call_.send(record->bytes());
      if (!sent_) return queue_.abandon();
      durable_ = call_.acknowledged();
    }
    if (!whole_) return;
    const auto reply = call_.reply();
    if (!reply) sent_ = std::unexpected(reply.error());
  }

  channel::Call call_;
  std::atomic<std::uint64_t> durable_ = 0;
  std::atomic<bool> whole_ = false;  // every record has been put
  bool finished_ = false;
  Result<> sent_;  // the thread's, until it is joined
  BoundedQueue<secret::Buffer> queue_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<CutLane>> open_own_lane(SiteContext& site, Uploads& uploads,
                                               const ShareSpec& spec, const LaneRange& range) {
  TRY_ASSIGN(auto writer, uploads.take(spec.share, range.first, site.config.name));
  return std::make_unique<OwnLane>(uploads, spec.share, std::move(writer), range.count());
}

Result<std::unique_ptr<CutLane>> open_sending_lane(SiteContext& site, const CutTarget& target,
                                                   const LaneRange& range, const JobId& job,
                                                   channel::KeepWaiting keep_waiting) {
  wire::Writer body;
  body.id(target.spec.share);
  body.u64(range.first);
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = target.site,
                                                    .method = number(Method::kShareWrite),
                                                    .job = job,
                                                    .upload = shape_of(range),
                                                    .body = body.take()},
                                                   std::move(keep_waiting)));
  return std::make_unique<SendingLane>(std::move(call));
}

}  // namespace warifu::control
