// Requests 40 to 42, 44 and 52.
#include "recovery/recovery_service.h"

#include <algorithm>

#include "base/log.h"
#include "channel/whole.h"
#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::size_t kPageBytes = 256 << 10;  // of descriptions, about
constexpr std::size_t kCardsAtOnce = 2000;

FoundShare describe(const store::ShareHeader& header) {
  FoundShare found{.created = header.created};
  found.spec = {.share = header.share,
                .object = header.object,
                .path = header.path,
                .scheme = header.scheme,
                .generation = header.generation,
                .owner = header.owner,
                .object_length = header.object_length,
                .chunk_bytes = header.chunk_bytes,
                .records = store::records_of(header),
                .computational = header.computational,
                .drawn = header.drawn,
                .entropy_origins = header.entropy_origins,
                .policy = header.policy,
                .lead_chunks = header.lead_chunks};
  if (!header.path.is_top()) found.spec.parent = header.parent;
  for (const store::Sibling& sibling : header.siblings) {
    found.siblings.push_back(
        {static_cast<sharing::ShareIndex>(sibling.index), sibling.share, sibling.site});
  }
  return found;
}

template <typename Id>
Result<Id> decode_cursor(ByteView body) {
  wire::Reader reader(body, "cursor");
  const Id id = reader.id<Id>();
  TRY(reader.finish());
  return id;
}

}  // namespace

Result<FoundPage> found_shares(control::SiteContext& site, const ShareId& after) {
  TRY_ASSIGN(const store::Inventory inventory, site.shares.inventory());
  FoundPage page;
  auto it = std::ranges::upper_bound(inventory.shares, after, {}, &store::ShareSummary::share);
  for (std::size_t bytes = 0; it != inventory.shares.end() && bytes < kPageBytes; ++it) {
    const auto reader = site.shares.open(it->share);
    if (!reader) {  // deleted since, or its header has rotted
      log_warning(reader.error().message);
      continue;
    }
    const store::ShareHeader& header = (*reader)->header();
    page.shares.push_back(describe(header));
    page.shares.back().site = site.config.name;
    bytes += 256 + header.policy.size() + header.siblings.size() * 40;
  }
  page.more = it != inventory.shares.end();
  return page;
}

CardPage found_cards(control::SiteContext& site, const CardId& after) {
  CardPage page;
  for (const auto& [card, person] : site.gate.enrolled(after, kCardsAtOnce)) {
    page.cards.push_back({card, person});
  }
  page.more = page.cards.size() == kCardsAtOnce;
  return page;
}

Result<> RecoveryService::handle_put(channel::Exchange& exchange) {
  TRY_ASSIGN(const CopyHead head, decode_copy_head(exchange.request().body));
  const channel::StreamShape& shape = exchange.upload().shape();
  if (shape.drawn || shape.bytes != head.bytes) {
    return fail(Code::kProtocol, "a share of a copy was due");
  }
  TRY_ASSIGN(const secret::Buffer share, channel::receive_whole(exchange));
  TRY(keeper_.put(head, share.bytes()));
  return exchange.reply({});
}

Result<> RecoveryService::handle_get(channel::Exchange& exchange) {
  TRY_ASSIGN(const CopyPlace place, decode_copy_place(exchange.request().body));
  TRY_ASSIGN(const secret::Buffer share, keeper_.get(place));
  if (place.number == 0) {
    TRY(site_.log.append("catalog_copy_given", {{"to", exchange.request().from.text()},
                                                {"epoch", std::to_string(place.epoch)}}));
  }
  const channel::StreamShape shape =
      channel::shape_of_whole(share.size(), limits::kMaxFramePayload);
  TRY(exchange.reply({}, shape));
  return channel::send_whole(exchange, shape, share.bytes());
}

void RecoveryService::add_handlers(channel::Server& server) {
  const auto on = [&](Method method, auto handler) {
    server.handle(number(method), [this, handler](channel::Exchange& exchange) -> Result<> {
      TRY(control::only_control(site_, exchange.request().from));
      return handler(exchange);
    });
  };
  on(Method::kCopyPut, [this](channel::Exchange& exchange) { return handle_put(exchange); });
  on(Method::kCopyGet, [this](channel::Exchange& exchange) { return handle_get(exchange); });
  on(Method::kCopyList,
     [this](channel::Exchange& exchange) { return exchange.reply(encode(keeper_.list())); });
  on(Method::kShareHeaders, [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const auto after, decode_cursor<ShareId>(exchange.request().body));
    TRY_ASSIGN(const FoundPage page, found_shares(site_, after));
    return exchange.reply(encode(page));
  });
  on(Method::kCards, [this](channel::Exchange& exchange) -> Result<> {
    TRY(keeper_.check_leave());
    TRY_ASSIGN(const auto after, decode_cursor<CardId>(exchange.request().body));
    return exchange.reply(encode(found_cards(site_, after)));
  });
}

}  // namespace warifu::recovery
