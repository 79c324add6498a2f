// Encoding and strict decoding.
#include "upkeep/orders.h"

#include "wire/wire.h"

namespace warifu::upkeep {
namespace {

enum Flags : std::uint8_t { kJoin = 1, kRepair = 2, kBefore = 4, kAfter = 8 };
constexpr std::uint8_t kAllFlags = 15;
constexpr std::size_t kMaxRoute = 64;

void write_place(wire::Writer& writer, const Place& place) {
  writer.u16(static_cast<std::uint16_t>(place.scheme.kind));
  writer.u8(place.scheme.threshold);
  writer.u8(place.scheme.shares);
  for (const sharing::ShareIndex index : place.shares) {
    writer.u8(static_cast<std::uint8_t>(index));
  }
  writer.u8(place.own);
}

Place read_place(wire::Reader& reader) {
  Place place;
  const std::uint16_t kind = reader.u16();
  const std::uint8_t threshold = reader.u8();
  const auto scheme = sharing::Scheme::from_numbers(kind, threshold, reader.u8());
  if (!scheme) {
    reader.reject(scheme.error().message);
    return place;
  }
  place.scheme = *scheme;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < scheme->threshold; ++i) {
    const std::uint8_t index = reader.u8();
    if (index >= scheme->shares || ((seen >> index) & 1U) != 0) {
      reader.reject("shares of a step out of range, or named twice");
      return place;
    }
    seen |= std::uint64_t{1} << index;
    place.shares.push_back(static_cast<sharing::ShareIndex>(index));
  }
  place.own = reader.u8();
  if (place.own >= place.shares.size()) reader.reject("own place of a step out of range");
  return place;
}

}  // namespace

Bytes encode(const PartOrder& order) {
  wire::Writer writer;
  writer.id(order.session);
  writer.id(order.share);
  writer.id(order.made);
  writer.site(order.to);
  writer.u64(order.first_chunk);
  writer.u8(static_cast<std::uint8_t>((order.join ? kJoin : 0) | (order.repair ? kRepair : 0) |
                                      (order.before ? kBefore : 0) | (order.after ? kAfter : 0)));
  if (order.join) write_place(writer, *order.join);
  if (order.repair) {
    write_place(writer, order.repair->helpers);
    writer.u8(static_cast<std::uint8_t>(order.repair->lost));
  }
  if (order.before) writer.site(*order.before);
  if (order.after) writer.site(*order.after);
  return writer.take();
}

Result<PartOrder> decode_order(ByteView body) {
  wire::Reader reader(body, "order to give a part");
  PartOrder order;
  order.session = reader.id<JobId>();
  order.share = reader.id<ShareId>();
  order.made = reader.id<ShareId>();
  order.to = reader.site();
  order.first_chunk = reader.u64();
  const std::uint8_t flags = reader.u8();
  if ((flags & ~kAllFlags) != 0) reader.reject("unknown flags");
  if ((flags & kJoin) != 0 && reader.good()) order.join = read_place(reader);
  if ((flags & kRepair) != 0 && reader.good()) {
    RepairStep step{.helpers = read_place(reader)};
    const std::uint8_t lost = reader.u8();
    if (lost >= step.helpers.scheme.shares) reader.reject("lost share out of range");
    step.lost = static_cast<sharing::ShareIndex>(lost);
    order.repair = std::move(step);
  }
  if ((flags & kBefore) != 0) order.before = reader.site();
  if ((flags & kAfter) != 0) order.after = reader.site();
  TRY(reader.finish());
  const bool masked = order.before || order.after;
  if (order.repair.has_value() != masked || (order.join && !order.repair)) {
    return fail(
        Code::kProtocol,
        "an order to give a part is masked when it is of a repair, and else the share itself");
  }
  return order;
}

Bytes encode(const TakeRequest& request) {
  wire::Writer writer;
  writer.id(request.session);
  writer.id(request.share);
  writer.u64(request.first_chunk);
  writer.u8(static_cast<std::uint8_t>(request.sources.size()));
  for (const TakeRequest::Source& source : request.sources) {
    writer.site(source.site);
    writer.sites(source.route);
  }
  return writer.take();
}

Result<TakeRequest> decode_take(ByteView body) {
  wire::Reader reader(body, "order to take a share");
  TakeRequest request;
  request.session = reader.id<JobId>();
  request.share = reader.id<ShareId>();
  request.first_chunk = reader.u64();
  const std::size_t count = reader.u8();
  if (count == 0 || count > kMaxSources) reader.reject("number of sources out of range");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    TakeRequest::Source source{.site = reader.site(), .route = {}};
    source.route = reader.sites(1, kMaxRoute);
    if (reader.good() && source.route.front() != source.site) {
      reader.reject("the route of a part does not begin at its holder");
    }
    request.sources.push_back(std::move(source));
  }
  TRY(reader.finish());
  return request;
}

Bytes encode(const SiblingNews& news) {
  wire::Writer writer;
  writer.id(news.share);
  writer.u8(static_cast<std::uint8_t>(news.sibling.index));
  writer.id(news.sibling.share);
  writer.site(news.sibling.site);
  return writer.take();
}

Result<SiblingNews> decode_news(ByteView body) {
  wire::Reader reader(body, "news of a sibling");
  SiblingNews news;
  news.share = reader.id<ShareId>();
  const std::uint8_t index = reader.u8();
  if (index >= sharing::kMaxShares) reader.reject("share index out of range");
  news.sibling.index = static_cast<sharing::ShareIndex>(index);
  news.sibling.share = reader.id<ShareId>();
  news.sibling.site = reader.site();
  TRY(reader.finish());
  return news;
}

Bytes encode_session(const JobId& session) {
  wire::Writer writer;
  writer.id(session);
  return writer.take();
}

Result<JobId> decode_session(ByteView body) {
  wire::Reader reader(body, "session");
  const auto session = reader.id<JobId>();
  TRY(reader.finish());
  return session;
}

}  // namespace warifu::upkeep
