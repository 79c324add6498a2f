// Adding zero shares to old shares.
#include "upkeep/share_refresher.h"

#include <algorithm>

#include "control/share_sink.h"
#include "sharing/refresh.h"
#include "upkeep/part_maker.h"

namespace warifu::upkeep {
namespace {

constexpr std::size_t kMostAttempts = 1024;

std::unexpected<Error> not_next(const std::string& why) {
  return fail(Code::kRefused,
              "the share that is announced is not the next generation of the one "
              "that is held: " +
                  why);
}

}  // namespace

Result<> check_next_generation(const store::ShareHeader& old, const control::ShareSpec& fresh) {
  if (fresh.share == old.share || fresh.generation != old.generation + 1) {
    return not_next("it is of generation " + std::to_string(fresh.generation) + " after " +
                    std::to_string(old.generation));
  }
  const store::ShareHeader made = control::to_header(fresh, old.created);
  const bool same_place = made.object == old.object && made.path == old.path &&
                          made.scheme == old.scheme && made.policy == old.policy &&
                          made.owner == old.owner;
  if (!same_place) return not_next("it stands at another place, or is another person's");
  const bool same_size = made.object_length == old.object_length &&
                         made.chunk_bytes == old.chunk_bytes && made.tag_bytes == old.tag_bytes &&
                         made.full_record_bytes == old.full_record_bytes &&
                         made.last_record_bytes == old.last_record_bytes;
  if (!same_size || fresh.drawn) return not_next("its records are others");
  return {};
}

// Adds what it is given to the old share's records, into the new share's file.
class ShareRefresher::Adding final : public control::CutLane {
 public:
  Adding(control::Uploads& uploads, const ShareId& fresh, std::unique_ptr<store::ShareReader> old,
         std::unique_ptr<store::ShareWriter> writer, const control::LaneRange& range)
      : uploads_(uploads),
        fresh_(fresh),
        old_(std::move(old)),
        writer_(std::move(writer)),
        range_(range),
        next_(range.first) {
    sink_.emplace(*writer_, range.count());
  }
  ~Adding() override {
    sink_.reset();
    uploads_.give_back(fresh_, std::move(writer_));
  }

  // The zero share of the next record.
  Result<> put(secret::Buffer zero) override {
    const store::ShareHeader& header = old_->header();
    secret::Buffer record(range_.records.length({next_}));
    TRY(old_->read({next_++}, 1, record.bytes()));
    if (zero.size() != record.size()) {
      return fail(Code::kProtocol, "a zero share has a record of another size");
    }
    TRY(sharing::refresh(header.scheme, static_cast<sharing::ShareIndex>(header.path.index()),
                         record.bytes(), zero.bytes()));
    return sink_->put(std::move(record));
  }
  Result<> finish() override { return sink_->wait_durable(range_.count()); }
  std::uint64_t durable() const override { return sink_->durable(); }
  Result<> wait_durable(std::uint64_t records) { return sink_->wait_durable(records); }
  [[nodiscard]] std::uint64_t records() const { return range_.count(); }

 private:
  control::Uploads& uploads_;
  ShareId fresh_;
  std::unique_ptr<store::ShareReader> old_;
  std::unique_ptr<store::ShareWriter> writer_;
  control::LaneRange range_;
  std::uint64_t next_;
  std::optional<control::ShareSink> sink_;
};

void ShareRefresher::add_handlers(channel::Server& server) {
  server.handle(number(RefreshMethod::kBegin), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const RefreshBegin order, decode_refresh_begin(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY_ASSIGN(const std::uint64_t durable, begin(order));
    wire::Writer answer;
    answer.u64(durable);
    return exchange.reply(answer.take());
  });
  server.handle(number(RefreshMethod::kDeal),
                [this](channel::Exchange& exchange) { return handle_deal(exchange); });
  server.handle(number(RefreshMethod::kZeros),
                [this](channel::Exchange& exchange) { return handle_zeros(exchange); });
  server.handle(number(RefreshMethod::kKeyAge), [this](channel::Exchange& exchange) -> Result<> {
    TRY(control::only_control(site_, exchange.request().from));
    wire::Reader reader(exchange.request().body, "question about the age of key");
    const SiteName peer = reader.site();
    TRY(reader.finish());
    TRY_ASSIGN(const auto oldest, oldest_key(peer));
    wire::Writer answer;
    answer.i64(oldest ? oldest->value : 0);
    return exchange.reply(answer.take());
  });
}

Result<std::uint64_t> ShareRefresher::begin(const RefreshBegin& begin) {
  const auto checked = [&]() -> Result<> {
    TRY_ASSIGN(const auto reader, site_.shares.open(begin.old));
    return check_next_generation(reader->header(), begin.fresh);
  }();
  if (!checked) {
    TRY(site_.log.append("refused", {{"reason", "refresh"}, {"share", begin.old.text()}}));
    return fail_in(site_.config.name.text(), checked.error());
  }
  // In one step, as open_adding() takes the file: a stream of an older session has it or has not.
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const control::PreparedShare prepared,
             uploads_.prepare(begin.fresh, site_.config.controller));
  attempts_[begin.fresh.share] = {.session = begin.session,
                                  .old = begin.old,
                                  .dealer = begin.dealer,
                                  .begun = site_.system.clock.monotonic()};
  if (attempts_.size() > kMostAttempts) {
    attempts_.erase(std::ranges::min_element(attempts_, {},
                                             [](const auto& entry) { return entry.second.begun; }));
  }
  return prepared.durable_chunks;
}

Result<ShareRefresher::Attempt> ShareRefresher::attempt_of(const ShareId& fresh,
                                                           const JobId& session,
                                                           const SiteName& dealer) const {
  const std::lock_guard lock(mutex_);
  return attempt_locked(fresh, session, dealer);
}

Result<ShareRefresher::Attempt> ShareRefresher::attempt_locked(const ShareId& fresh,
                                                               const JobId& session,
                                                               const SiteName& dealer) const {
  const auto found = attempts_.find(fresh);
  if (found != attempts_.end() && found->second.session == session &&
      found->second.dealer == dealer) {
    return found->second;
  }
  return fail(Code::kNotFound, site_.config.name.text() + " awaits no zero share of " +
                                   dealer.text() + " in this session");
}

Result<std::unique_ptr<ShareRefresher::Adding>> ShareRefresher::open_adding(const ShareId& fresh,
                                                                            const Attempt& attempt,
                                                                            std::uint64_t first) {
  TRY_ASSIGN(auto old, site_.shares.open(attempt.old));
  const control::LaneRange range{store::records_of(old->header()), first};
  if (first >= range.records.count()) {
    return fail(Code::kProtocol, "the zero share begins behind the end of the share");
  }
  const std::lock_guard lock(mutex_);
  TRY(attempt_locked(fresh, attempt.session, attempt.dealer));
  TRY_ASSIGN(auto writer, uploads_.take(fresh, first, site_.config.controller));
  return std::make_unique<Adding>(uploads_, fresh, std::move(old), std::move(writer), range);
}

Result<std::unique_ptr<control::CutLane>> ShareRefresher::open_lane(const ShareId& fresh,
                                                                    const Attempt& attempt,
                                                                    std::uint64_t first) {
  TRY_ASSIGN(auto adding, open_adding(fresh, attempt, first));
  return std::unique_ptr<control::CutLane>(std::move(adding));
}

Result<> ShareRefresher::handle_zeros(channel::Exchange& exchange) {
  TRY_ASSIGN(const ZeroHead head, decode_zero_head(exchange.request().body));
  TRY_ASSIGN(const Attempt attempt, attempt_of(head.fresh, head.session, exchange.request().from));
  channel::StreamReceiver& upload = exchange.upload();
  if (upload.shape().application) return fail(Code::kProtocol, "a zero share is no such key");
  TRY_ASSIGN(const auto adding, open_adding(head.fresh, attempt, head.first_chunk));
  if (upload.shape().frames != adding->records()) {
    return fail(Code::kProtocol, "the zero share does not end with the share");
  }
  while (!upload.finished()) {
    TRY_ASSIGN(secret::Buffer zero, upload.receive());
    TRY(adding->put(std::move(zero)));
    if (!upload.ack_due()) continue;
    TRY(adding->wait_durable(upload.due_frames()));
    TRY(upload.acknowledge());
  }
  return exchange.reply({});
}

Result<> ShareRefresher::handle_deal(channel::Exchange& exchange) {
  TRY_ASSIGN(const DealOrder order, decode_deal(exchange.request().body));
  TRY(control::only_control(site_, exchange.request().from));
  TRY_ASSIGN(
      const keypool::Entropy entropy,
      deal(order, exchange.request().job,
           {[&](std::uint64_t done, std::uint64_t total) { return exchange.working(done, total); },
            [&] { return exchange.working(0, 0).has_value(); }}));
  return exchange.reply(encode(entropy));
}

Result<std::optional<os::UnixMs>> ShareRefresher::oldest_key(const SiteName& peer) const {
  kme::Link* link = site_.keys.link_to(peer);
  if (link == nullptr) return fail(Code::kNotFound, "there is no link to " + peer.text());
  return link->status().send.oldest_unused;
}

}  // namespace warifu::upkeep
