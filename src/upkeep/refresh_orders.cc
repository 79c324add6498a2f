// Encoding and strict decoding.
#include "upkeep/refresh_orders.h"

namespace warifu::upkeep {
namespace {
constexpr std::size_t kMaxRoute = 64;
constexpr std::size_t kMaxSpecBytes = 4096;
}  // namespace

Bytes encode(const RefreshBegin& begin) {
  wire::Writer writer;
  writer.id(begin.session);
  writer.id(begin.old);
  writer.site(begin.dealer);
  writer.blob(encode(begin.fresh));
  return writer.take();
}

Result<RefreshBegin> decode_refresh_begin(ByteView body) {
  wire::Reader reader(body, "beginning of a refresh");
  RefreshBegin begin{.session = reader.id<JobId>(),
                     .old = reader.id<ShareId>(),
                     .dealer = reader.site(),
                     .fresh = {}};
  const ByteView spec = reader.blob(kMaxSpecBytes);
  TRY(reader.finish());
  TRY_ASSIGN(begin.fresh, control::decode_share_spec(spec));
  return begin;
}

Bytes encode(const DealOrder& order) {
  wire::Writer writer;
  writer.id(order.session);
  writer.u64(order.first_chunk);
  writer.u8(static_cast<std::uint8_t>(order.targets.size()));
  for (const ZeroTarget& target : order.targets) {
    sharing::write_path(writer, target.place);
    writer.site(target.site);
    writer.id(target.fresh);
    writer.sites(target.route);
  }
  return writer.take();
}

Result<DealOrder> decode_deal(ByteView body) {
  wire::Reader reader(body, "order to deal zero shares");
  DealOrder order{.session = reader.id<JobId>(), .first_chunk = reader.u64(), .targets = {}};
  const std::size_t count = reader.u8();
  if (count < 2) reader.reject("fewer than two holders");
  for (std::size_t i = 0; i < count && reader.good(); ++i) {
    ZeroTarget target{.place = sharing::read_path(reader), .site = {}, .fresh = {}, .route = {}};
    target.site = reader.site();
    target.fresh = reader.id<ShareId>();
    target.route = reader.sites(1, kMaxRoute);
    if (reader.good() && target.route.back() != target.site) {
      reader.reject("the route of a zero share does not end at its holder");
    }
    order.targets.push_back(std::move(target));
  }
  TRY(reader.finish());
  return order;
}

Bytes encode(const ZeroHead& head) {
  wire::Writer writer;
  writer.id(head.session);
  writer.id(head.fresh);
  writer.u64(head.first_chunk);
  return writer.take();
}

Result<ZeroHead> decode_zero_head(ByteView body) {
  wire::Reader reader(body, "head of a zero share");
  ZeroHead head{.session = reader.id<JobId>(), .fresh = reader.id<ShareId>()};
  head.first_chunk = reader.u64();
  TRY(reader.finish());
  return head;
}

Bytes encode(const keypool::Entropy& entropy) {
  wire::Writer writer;
  writer.u16(entropy.bits());
  return writer.take();
}

Result<keypool::Entropy> decode_entropy(ByteView body) {
  wire::Reader reader(body, "origins of random numbers");
  const std::uint16_t bits = reader.u16();
  keypool::Entropy entropy = keypool::Entropy::from_bits(bits);
  if (entropy.bits() != bits) reader.reject("unknown origin of random numbers");
  TRY(reader.finish());
  return entropy;
}

}  // namespace warifu::upkeep
