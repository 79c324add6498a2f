// Orders, masks and the stream of parts.
#include "upkeep/share_giver.h"

#include <algorithm>

#include "base/log.h"
#include "config/site_selector.h"

namespace warifu::upkeep {
namespace {

constexpr std::size_t kMostOrders = 256;
constexpr std::chrono::minutes kOrderLife(10);
constexpr std::chrono::minutes kGivenLife(1);  // a mask for it may still be on its way
constexpr std::chrono::seconds kPing(1);
// Masks that wait for their record: as many as a helper may draw before the first is acknowledged.
constexpr std::size_t kMaskDepth = std::size_t{channel::kWindowsInFlight} * limits::kWindowFrames;

// Reads a share, makes its parts and masks them.
class PartStream final : public control::RecordSource {
 public:
  PartStream(std::unique_ptr<store::ShareReader> reader, PartMaker maker, std::uint64_t first)
      : reader_(std::move(reader)), maker_(std::move(maker)), at_(first) {}

  void mask_before(std::shared_ptr<MaskQueue> masks, channel::KeepWaiting ping) {
    before_ = std::move(masks);
    ping_ = std::move(ping);
  }
  void mask_after(channel::Call call) { after_.emplace(std::move(call)); }

  Result<secret::Buffer> next() override {
    const ChunkIndex index{at_++};
    secret::Buffer record(reader_->layout().record_length(index));
    TRY(reader_->read(index, 1, record.bytes()));
    secret::Buffer part = maker_.part(index, std::move(record));
    if (after_) {
      if (drawn_.empty()) TRY(draw_window(index));
      add_into(part.bytes(), drawn_.front().bytes());
      drawn_.pop_front();
    }
    if (before_) {
      TRY_ASSIGN(const secret::Buffer mask, take_mask(part.size()));
      add_into(part.bytes(), mask.bytes());
    }
    const bool last = index.value + 1 == maker_.records().count();
    if (last && after_) TRY(after_->reply());
    return part;
  }
  void cancel() override {
    if (after_) after_->cancel();
    if (before_) before_->abandon();
  }

 private:
  // A whole window at once: only then can the other helper take its side of it.
  Result<> draw_window(ChunkIndex index) {
    const std::uint64_t left = maker_.records().count() - index.value;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(left, limits::kWindowFrames); ++i) {
      drawn_.emplace_back(maker_.records().length({index.value + i}));
      TRY(after_->draw(drawn_.back().bytes()));
    }
    return {};
  }
  Result<secret::Buffer> take_mask(std::size_t size) {
    while (!before_->wait_item(kPing)) {
      if (!ping_()) return fail(Code::kCancelled, "nobody waits for this part any more");
    }
    auto mask = before_->pop();
    if (!mask) return fail(Code::kUnavailable, "the helper that shares the mask broke off");
    if (mask->size() != size) return fail(Code::kProtocol, "a mask of another length came");
    return std::move(*mask);
  }

  std::unique_ptr<store::ShareReader> reader_;
  PartMaker maker_;
  std::uint64_t at_;
  std::shared_ptr<MaskQueue> before_;
  channel::KeepWaiting ping_;
  std::optional<channel::Call> after_;
  std::deque<secret::Buffer> drawn_;
};

}  // namespace

void ShareGiver::add_handlers(channel::Server& server) {
  server.handle(number(Method::kOrder), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const PartOrder order, decode_order(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY(accept(order));
    return exchange.reply({});
  });
  server.handle(number(Method::kMask),
                [this](channel::Exchange& exchange) { return handle_mask(exchange); });
  server.handle(number(Method::kGive),
                [this](channel::Exchange& exchange) { return handle_give(exchange); });
  server.handle(number(Method::kMay),
                [this](channel::Exchange& exchange) { return handle_may(exchange); });
}

Result<> ShareGiver::handle_may(channel::Exchange& exchange) {
  TRY_ASSIGN(const MayRequest request, decode_may(exchange.request().body));
  TRY(may(request));
  return exchange.reply({});
}

void ShareGiver::forget_old() {
  const auto now = site_.system.clock.monotonic();
  std::erase_if(orders_, [&](const auto& entry) {
    const auto age = now - entry.second.taken;
    return age > kOrderLife || (entry.second.given && age > kGivenLife);
  });
}

// May that site hold what is made? By the policy and the labels that every site knows, and by what
// this site and the siblings' have given it before.
Result<> ShareGiver::check_new_holder(const store::ShareHeader& held, const PartOrder& order) {
  const Making& making = order.making;
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  const std::string& label = policy.find(making.made)->holder();
  const config::SiteEntry* entry = site_.config.find(making.to);
  if (entry == nullptr ||
      !config::may_place(label, *entry, site_.config.find(site_.config.controller))) {
    return fail(Code::kRefused, making.to.text() + " is no '" + label +
                                    "', which the object's policy asks for there");
  }
  TRY(given_.check(held.object, making.made, making.to));
  if (!making.is_move()) return {};
  const Bytes question = encode(MayRequest{held.object, making.made, making.to});
  for (const store::Sibling& sibling : held.siblings) {
    if (sibling.share == held.share || sibling.site == site_.config.name) continue;
    const auto answer = site_.caller.ask(sibling.site, number(Method::kMay), question);
    if (!answer) return std::unexpected(answer.error());
  }
  return {};
}

Result<> ShareGiver::accept(const PartOrder& order) {
  TRY_ASSIGN(const auto reader, site_.shares.open(order.share));
  const Result<> fits = [&]() -> Result<> {
    TRY_ASSIGN(const PartMaker maker, PartMaker::make(reader->header(), order));
    if (order.making.first_chunk >= maker.records().count()) {
      return fail(Code::kInvalidArgument, "the part begins behind the end of the share");
    }
    if (order.making.chain[order.own].site != site_.config.name) {
      return fail(Code::kRefused, "the chain names another site for this share");
    }
    return check_new_holder(reader->header(), order);
  }();
  if (!fits) {
    TRY(site_.log.append("refused", {{"reason", "part"}, {"share", order.share.text()}}));
    return fail_in(site_.config.name.text(), fits.error());
  }
  const std::lock_guard lock(mutex_);
  forget_old();
  if (orders_.size() >= kMostOrders) return fail(Code::kBusy, "too many parts are ordered here");
  orders_[order.making.session] = {.order = order,
                                   .masks = std::make_shared<MaskQueue>(kMaskDepth),
                                   .taken = site_.system.clock.monotonic()};
  return {};
}

// Whoever shares a mask of this part, or knows its key, must not see the part.
Result<> ShareGiver::check_masks(const PartOrder& order,
                                 const std::vector<SiteName>& passed) const {
  std::set<SiteName> knowing;
  for (const SiteName* partner : {order.before(), order.after()}) {
    if (partner == nullptr) continue;
    knowing.insert(*partner);
    knowing.merge(config::key_relays(site_.config.links, {site_.config.name, *partner}));
  }
  std::vector<SiteName> way = passed;
  way.push_back(site_.config.name);
  std::set<SiteName> seeing(passed.begin(), passed.end());
  seeing.merge(config::key_relays(site_.config.links, way));
  for (const SiteName& site : seeing) {
    if (!knowing.contains(site)) continue;
    return fail(Code::kRefused, site.text() + " would see a part whose mask it knows");
  }
  return {};
}

Result<ShareGiver::Part> ShareGiver::open(const JobId& session, channel::Exchange& exchange) {
  const channel::Request& request = exchange.request();
  PartOrder order;
  std::shared_ptr<MaskQueue> masks;
  {
    const std::lock_guard lock(mutex_);
    const auto found = orders_.find(session);
    if (found == orders_.end() || found->second.given ||
        found->second.order.making.to != request.from) {
      return fail(Code::kNotFound, site_.config.name.text() + " has no part to give to " +
                                       request.from.text() + " in this session");
    }
    found->second.given = true;
    order = found->second.order;
    masks = found->second.masks;
  }
  TRY(check_masks(order, request.passed));
  TRY_ASSIGN(auto reader, site_.shares.open(order.share));
  TRY_ASSIGN(PartMaker maker, PartMaker::make(reader->header(), order));
  const sharing::RecordLayout layout = maker.records();
  TRY(given_.add(reader->header().object, order.making.made, request.from));
  TRY(site_.log.append(order.making.is_move() ? "share_moved" : "part_given",
                       {{"share", order.share.text()}, {"to", request.from.text()}}));
  const std::uint64_t first = order.making.first_chunk;
  const auto ping = [&exchange] { return exchange.working(0, 0).has_value(); };
  auto stream = std::make_unique<PartStream>(std::move(reader), std::move(maker), first);
  if (const SiteName* after = order.after()) {
    channel::StreamShape shape = control::shape_of(layout, first, layout.count() - first);
    shape.drawn = true;
    TRY_ASSIGN(channel::Call call, site_.caller.start({.to = *after,
                                                       .method = number(Method::kMask),
                                                       .job = request.job,
                                                       .upload = shape,
                                                       .body = encode(order.making)},
                                                      ping));
    stream->mask_after(std::move(call));
  }
  if (order.before() != nullptr) stream->mask_before(std::move(masks), ping);
  return Part{std::move(stream), layout, first};
}

Result<> ShareGiver::handle_mask(channel::Exchange& exchange) {
  TRY_ASSIGN(const Making making, decode_making(exchange.request().body));
  const SiteName& from = exchange.request().from;
  std::shared_ptr<MaskQueue> masks;
  {
    const std::lock_guard lock(mutex_);
    const auto found = orders_.find(making.session);
    const SiteName* before = found == orders_.end() ? nullptr : found->second.order.before();
    if (before == nullptr || *before != from) {
      return fail(Code::kNotFound, "no mask is due from " + from.text());
    }
    if (found->second.order.making != making) {
      found->second.masks->abandon();
      return fail(Code::kRefused,
                  from.text() + " has been told another chain than " + site_.config.name.text());
    }
    masks = found->second.masks;
  }
  channel::StreamReceiver& upload = exchange.upload();
  if (!upload.shape().drawn || upload.shape().application) {
    return fail(Code::kProtocol, "a mask must be drawn key");
  }
  const auto receive_all = [&]() -> Result<> {
    while (!upload.finished()) {
      TRY_ASSIGN(secret::Buffer mask, upload.receive());
      if (!masks->push(std::move(mask))) {
        return fail(Code::kCancelled, "the part that is masked is not wanted any more");
      }
      if (upload.ack_due()) TRY(upload.acknowledge());
    }
    return {};
  };
  const Result<> received = receive_all();
  if (received) {
    masks->close();
  } else {
    masks->abandon();
  }
  TRY(received);
  return exchange.reply({});
}

Result<> ShareGiver::handle_give(channel::Exchange& exchange) {
  TRY_ASSIGN(const JobId session, decode_session(exchange.request().body));
  TRY_ASSIGN(Part part, open(session, exchange));
  const std::uint64_t count = part.layout.count() - part.first;
  TRY(exchange.reply({}, control::shape_of(part.layout, part.first, count)));
  for (std::uint64_t i = 0; i < count; ++i) {
    TRY_ASSIGN(secret::Buffer record, part.records->next());
    TRY(exchange.send(record.bytes()));
  }
  return {};
}

}  // namespace warifu::upkeep
