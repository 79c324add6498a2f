// Lanes of a cut.
#include "control/cut_lane.h"

namespace warifu::control {
namespace {

constexpr std::size_t kLaneDepth = 8;

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

// What sending and drawing have in common: a call, a queue, and the thread between them.
class RemoteLane : public CutLane {
 public:
  explicit RemoteLane(channel::Call call) : call_(std::move(call)), queue_(kLaneDepth) {}
  std::uint64_t durable() const override { return durable_; }

 protected:
  // Every destructor below calls it first: the thread uses what they own.
  void stop() {
    queue_.abandon();
    if (!finished_) call_.cancel();  // it may wait for key, or for a site that does not answer
    if (thread_.joinable()) thread_.join();
  }
  // What the thread ended with; it has ended or is about to.
  Result<> outcome() {
    if (thread_.joinable()) thread_.join();
    return ended_;
  }
  Result<> end() {
    const Result<> outcome = this->outcome();
    finished_ = true;
    return outcome;
  }

  channel::Call call_;
  BoundedQueue<secret::Buffer> queue_;
  std::atomic<std::uint64_t> durable_ = 0;
  std::atomic<bool> whole_ = false;  // every record has gone through
  bool finished_ = false;
  Result<> ended_;  // the thread's, until it is joined
  std::thread thread_;
};

class SendingLane final : public RemoteLane {
 public:
  explicit SendingLane(channel::Call call) : RemoteLane(std::move(call)) {
    thread_ = std::thread([this] { send_all(); });
  }
  ~SendingLane() override { stop(); }
  Result<> put(secret::Buffer record) override {
    if (queue_.push(std::move(record))) return {};
    TRY(outcome());
    return fail(Code::kCancelled, "the share is not sent any more");
  }
  Result<> finish() override {
    whole_ = true;
    queue_.close();
    return end();
  }

 private:
  void send_all() {
    while (auto record = queue_.pop()) {
      ended_ = call_.send(record->bytes());
      if (!ended_) return queue_.abandon();
      durable_ = call_.acknowledged();
    }
    if (!whole_) return;
    const auto reply = call_.reply();
    if (!reply) ended_ = std::unexpected(reply.error());
  }
};

// Draws a few records ahead of the cut.
class DrawnLane final : public RemoteLane {
 public:
  DrawnLane(channel::Call call, const LaneRange& range)
      : RemoteLane(std::move(call)), range_(range) {
    thread_ = std::thread([this] { draw_all(); });
  }
  ~DrawnLane() override { stop(); }
  bool is_drawn() const override { return true; }
  Result<secret::Buffer> take() override {
    if (auto record = queue_.pop()) return std::move(*record);
    TRY(outcome());
    return fail(Code::kCancelled, "the share is not drawn any more");
  }
  Result<> finish() override { return end(); }
  keypool::Entropy entropy() const override { return {call_.drawn_origins()}; }

 private:
  void draw_all() {
    for (std::uint64_t i = range_.first; i < range_.records.count(); ++i) {
      secret::Buffer record(range_.records.length({i}));
      ended_ = call_.draw(record.bytes());
      durable_ = call_.acknowledged();
      if (!ended_ || !queue_.push(std::move(record))) return queue_.close();
    }
    queue_.close();
    const auto reply = call_.reply();
    if (!reply) ended_ = std::unexpected(reply.error());
  }
  LaneRange range_;
};

}  // namespace

Result<> CutLane::put(secret::Buffer) {
  abort_with(__FILE__, __LINE__, "a drawn share takes no records");
}

Result<secret::Buffer> CutLane::take() {
  abort_with(__FILE__, __LINE__, "only a drawn share gives records");
}

Result<std::unique_ptr<CutLane>> open_own_lane(SiteContext& site, Uploads& uploads,
                                               const ShareSpec& spec, const LaneRange& range) {
  TRY_ASSIGN(auto writer, uploads.take(spec.share, range.first, site.config.name));
  return std::make_unique<OwnLane>(uploads, spec.share, std::move(writer), range.count());
}

Result<std::unique_ptr<CutLane>> open_remote_lane(SiteContext& site, LaneEnd end,
                                                  const LaneRange& range, const JobId& job,
                                                  channel::KeepWaiting keep_waiting) {
  channel::StreamShape shape = shape_of(range.records, range.first, range.count());
  shape.drawn = end.drawn;
  TRY_ASSIGN(channel::Call call, site.caller.start({.to = end.site,
                                                    .way = planner::way_along(end.route),
                                                    .method = end.method,
                                                    .job = job,
                                                    .upload = shape,
                                                    .body = std::move(end.body)},
                                                   std::move(keep_waiting)));
  if (end.drawn) return std::make_unique<DrawnLane>(std::move(call), range);
  return std::make_unique<SendingLane>(std::move(call));
}

}  // namespace warifu::control
