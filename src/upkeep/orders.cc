// Encoding, strict decoding, and what makes a chain.
#include "upkeep/orders.h"

#include <algorithm>
#include <set>

namespace warifu::upkeep {
namespace {

constexpr std::size_t kMaxRoute = 64;

void write_making(wire::Writer& writer, const Making& making) {
  writer.id(making.session);
  sharing::write_path(writer, making.made);
  writer.site(making.to);
  writer.u64(making.first_chunk);
  writer.u8(static_cast<std::uint8_t>(making.chain.size()));
  for (const Helper& helper : making.chain) {
    writer.site(helper.site);
    sharing::write_path(writer, helper.place);
  }
}

Making read_making(wire::Reader& reader) {
  Making making;
  making.session = reader.id<JobId>();
  making.made = sharing::read_path(reader);
  making.to = reader.site();
  making.first_chunk = reader.u64();
  const std::size_t count = reader.u8();
  if (count == 0 || count > kMaxHelpers) reader.reject("number of helpers out of range");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    Helper helper{.site = reader.site(), .place = {}};
    helper.place = sharing::read_path(reader);
    making.chain.push_back(std::move(helper));
  }
  return making;
}

std::unexpected<Error> no_making(const std::string& why) {
  return fail(Code::kRefused, "the parts that are ordered do not make that share: " + why);
}

// Whether just these make that share.
bool makes(const planner::PolicyNode& node, const sharing::SharePath& path,
           const std::vector<sharing::SharePath>& places) {
  std::vector<sharing::SharePath> inside;
  std::ranges::copy_if(places, std::back_inserter(inside),
                       [&](const sharing::SharePath& p) { return p.is_within(path); });
  // A share that is not cut yet stands for itself, as a leaf does.
  if (inside.size() == 1 && inside.front() == path) return true;
  if (node.is_leaf()) return false;
  std::size_t made = 0;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    const sharing::SharePath part = path.part(i);
    const bool is_there =
        std::ranges::any_of(inside, [&](const sharing::SharePath& p) { return p.is_within(part); });
    if (!is_there) continue;
    if (!makes(node.children[i], part, inside)) return false;
    ++made;
  }
  return made == node.scheme.threshold && std::ranges::find(inside, path) == inside.end();
}

}  // namespace

std::size_t shares_made(const planner::PolicyNode& policy, const sharing::SharePath& cut,
                        const std::vector<sharing::SharePath>& places) {
  const planner::PolicyNode* node = policy.find(cut);
  if (node == nullptr) return 0;
  std::set<sharing::SharePath> made;
  for (const sharing::SharePath& place : places) {
    if (place.size() <= cut.size() || !place.is_within(cut)) return 0;
    const sharing::SharePath share = place.above(cut.size() + 1);
    const planner::PolicyNode* child = policy.find(share);
    if (child == nullptr) return 0;
    if (made.insert(share).second && !makes(*child, share, places)) return 0;
  }
  return made.size();
}

Result<> check_making(const planner::PolicyNode& policy, const Making& making) {
  std::set<SiteName> sites = {making.to};
  std::vector<sharing::SharePath> places;
  for (const Helper& helper : making.chain) {
    if (!sites.insert(helper.site).second) return no_making("one site stands there twice");
    if (policy.find(helper.place) == nullptr) return no_making("there is no such share");
    places.push_back(helper.place);
  }
  const planner::PolicyNode* made = policy.find(making.made);
  if (made == nullptr || making.made.is_object()) {
    return no_making("it has no such place in the policy");
  }
  if (making.is_move()) {
    if (made->is_leaf() && places.front() == making.made) return {};
    return no_making("one share alone makes no other");
  }
  const sharing::SharePath cut = making.made.parent();
  const bool is_other = std::ranges::none_of(
      places, [&](const sharing::SharePath& place) { return place.is_within(making.made); });
  if (is_other && shares_made(policy, cut, places) == policy.find(cut)->scheme.threshold) return {};
  return no_making("they are not as many other shares of its cut as restore what was cut");
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
  sharing::write_path(writer, request.place);
  writer.site(request.to);
  return writer.take();
}

Result<MayRequest> decode_may(ByteView body) {
  wire::Reader reader(body, "question about a site");
  MayRequest request;
  request.object = reader.id<ObjectId>();
  request.place = sharing::read_path(reader);
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
