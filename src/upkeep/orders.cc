// Encoding, strict decoding, and what makes a chain.
#include "upkeep/orders.h"

#include <algorithm>
#include <map>
#include <set>

namespace warifu::upkeep {
namespace {
constexpr std::uint8_t kWhole = 0xFF;  // in the place of a part
}  // namespace

void write_place(wire::Writer& writer, const TreePlace& place) {
  writer.u8(place.top);
  writer.u8(place.part.value_or(kWhole));
}

TreePlace read_place(wire::Reader& reader) {
  TreePlace place{.top = reader.u8(), .part = {}};
  const std::uint8_t part = reader.u8();
  if (part != kWhole) place.part = part;
  const bool sane =
      place.top < sharing::kMaxShares && (part == kWhole || part < sharing::kMaxShares);
  if (!sane) reader.reject("a place in the policy out of range");
  return place;
}

namespace {

constexpr std::size_t kMaxRoute = 64;

void write_making(wire::Writer& writer, const Making& making) {
  writer.id(making.session);
  write_place(writer, making.made);
  writer.site(making.to);
  writer.u64(making.first_chunk);
  writer.u8(static_cast<std::uint8_t>(making.chain.size()));
  for (const Helper& helper : making.chain) {
    writer.site(helper.site);
    write_place(writer, helper.place);
  }
}

Making read_making(wire::Reader& reader) {
  Making making;
  making.session = reader.id<JobId>();
  making.made = read_place(reader);
  making.to = reader.site();
  making.first_chunk = reader.u64();
  const std::size_t count = reader.u8();
  if (count == 0 || count > kMaxHelpers) reader.reject("number of helpers out of range");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    Helper helper{.site = reader.site(), .place = {}};
    helper.place = read_place(reader);
    making.chain.push_back(std::move(helper));
  }
  return making;
}

std::unexpected<Error> no_making(const std::string& why) {
  return fail(Code::kRefused, "the parts that are ordered do not make that share: " + why);
}

// Parts of one share that was cut: each once, as many as restore it, and none of them `but`.
Result<> check_parts(const control::PolicyNode& cut, const std::vector<TreePlace>& places,
                     std::optional<std::uint8_t> but) {
  std::set<std::uint8_t> parts;
  for (const TreePlace& place : places) {
    if (!place.part || *place.part >= cut.scheme.shares || place.part == but) {
      return no_making("a part is not one that can help");
    }
    parts.insert(*place.part);
  }
  if (parts.size() == places.size() && parts.size() == cut.scheme.threshold) return {};
  return no_making("not as many parts of one share as restore it");
}

}  // namespace

Result<> check_making(const control::PolicyNode& policy, const Making& making) {
  std::set<SiteName> sites = {making.to};
  std::map<std::uint8_t, std::vector<TreePlace>> by_top;
  for (const Helper& helper : making.chain) {
    if (!sites.insert(helper.site).second) return no_making("one site stands there twice");
    if (helper.place.top >= policy.children.size()) return no_making("there is no such share");
    by_top[helper.place.top].push_back(helper.place);
  }
  const auto cut_of = [&](std::uint8_t top) -> const control::PolicyNode& {
    return policy.children[top];
  };
  const bool is_there =
      making.made.top < policy.children.size() &&
      cut_of(making.made.top).is_leaf() != making.made.part.has_value() &&
      (!making.made.part || *making.made.part < cut_of(making.made.top).children.size());
  if (!is_there) return no_making("it has no such place in the policy");
  if (making.is_move()) {
    if (making.chain.front().place == making.made) return {};
    return no_making("one share alone makes no other");
  }
  if (making.made.part) {
    if (by_top.size() != 1 || !by_top.contains(making.made.top)) {
      return no_making("a part is made out of its siblings");
    }
    return check_parts(cut_of(making.made.top), by_top.begin()->second, making.made.part);
  }
  if (by_top.size() != policy.scheme.threshold || by_top.contains(making.made.top)) {
    return no_making("not as many other shares as restore the object");
  }
  for (const auto& [top, places] : by_top) {
    if (!cut_of(top).is_leaf()) {
      TRY(check_parts(cut_of(top), places, std::nullopt));
    } else if (places.size() != 1 || places.front().part) {
      return no_making("a share that was not cut stands there as parts");
    }
  }
  return {};
}

const SiteName* PartOrder::before() const {
  return own > 0 ? &making.chain[own - 1U].site : nullptr;
}

const SiteName* PartOrder::after() const {
  return own + 1U < making.chain.size() ? &making.chain[own + 1U].site : nullptr;
}

Bytes encode(const Making& making) {
  wire::Writer writer;
  write_making(writer, making);
  return writer.take();
}

Result<Making> decode_making(ByteView body) {
  wire::Reader reader(body, "chain of a repair");
  Making making = read_making(reader);
  TRY(reader.finish());
  return making;
}

Bytes encode(const PartOrder& order) {
  wire::Writer writer;
  writer.id(order.share);
  writer.u8(order.own);
  write_making(writer, order.making);
  return writer.take();
}

Result<PartOrder> decode_order(ByteView body) {
  wire::Reader reader(body, "order to give a part");
  PartOrder order;
  order.share = reader.id<ShareId>();
  order.own = reader.u8();
  order.making = read_making(reader);
  if (order.own >= order.making.chain.size()) reader.reject("own place in the chain out of range");
  TRY(reader.finish());
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
  if (count == 0 || count > kMaxHelpers) reader.reject("number of sources out of range");
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

Bytes encode(const MayRequest& request) {
  wire::Writer writer;
  writer.id(request.object);
  write_place(writer, request.place);
  writer.site(request.to);
  return writer.take();
}

Result<MayRequest> decode_may(ByteView body) {
  wire::Reader reader(body, "question about a site");
  MayRequest request;
  request.object = reader.id<ObjectId>();
  request.place = read_place(reader);
  request.to = reader.site();
  TRY(reader.finish());
  return request;
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
