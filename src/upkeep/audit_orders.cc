// Encoding, strict decoding, and which sums are zero.
#include "upkeep/audit_orders.h"

#include <algorithm>
#include <set>

namespace warifu::upkeep {
namespace {

constexpr std::size_t kMaxDamaged = 4000;

std::unexpected<Error> no_sum(const std::string& why) {
  return fail(Code::kRefused, "what is to be summed up is not zero: " + why);
}

void write_round(wire::Writer& writer, const AuditRound& round) {
  writer.id(round.session);
  writer.raw(round.key);
  writer.u8(static_cast<std::uint8_t>(round.sums.size()));
  for (const AuditSum& sum : round.sums) {
    writer.u8(static_cast<std::uint8_t>(sum.chain.size()));
    for (const Helper& helper : sum.chain) {
      writer.site(helper.site);
      sharing::write_path(writer, helper.place);
    }
  }
}

AuditRound read_round(wire::Reader& reader) {
  AuditRound round;
  round.session = reader.id<JobId>();
  copy_bytes(round.key, reader.raw(round.key.size()));
  const std::size_t sums = reader.u8();
  if (sums == 0 || sums > kMaxAuditSums) reader.reject("number of sums out of range");
  for (std::size_t i = 0; i < sums && reader.good(); ++i) {
    AuditSum sum;
    const std::size_t count = reader.u8();
    if (count < 2 || count > kMaxHelpers) reader.reject("number of holders out of range");
    for (std::size_t j = 0; j < count && reader.good(); ++j) {
      Helper helper{.site = reader.site(), .place = {}};
      helper.place = sharing::read_path(reader);
      sum.chain.push_back(std::move(helper));
    }
    round.sums.push_back(std::move(sum));
  }
  return round;
}

}  // namespace

std::optional<std::size_t> AuditSum::place_of(const SiteName& site) const {
  const auto found = std::ranges::find(chain, site, &Helper::site);
  if (found == chain.end()) return std::nullopt;
  return static_cast<std::size_t>(found - chain.begin());
}

std::vector<sharing::SharePath> AuditSum::places() const {
  std::vector<sharing::SharePath> places;
  for (const Helper& helper : chain) places.push_back(helper.place);
  return places;
}

sharing::SharePath cut_of(const std::vector<sharing::SharePath>& places) {
  WARIFU_CHECK(!places.empty());
  sharing::SharePath cut = places.front().parent();
  while (!std::ranges::all_of(places, [&](const sharing::SharePath& place) {
    return place.size() > cut.size() && place.is_within(cut);
  })) {
    if (cut.is_object()) break;
    cut = cut.parent();
  }
  return cut;
}

Result<> check_sum(const planner::PolicyNode& policy, const AuditSum& sum) {
  std::set<SiteName> sites;
  for (const Helper& helper : sum.chain) {
    if (!sites.insert(helper.site).second) return no_sum("one site stands there twice");
    if (policy.find(helper.place) == nullptr) return no_sum("there is no such share");
  }
  const std::vector<sharing::SharePath> places = sum.places();
  const sharing::SharePath cut = cut_of(places);
  if (shares_made(policy, cut, places) == policy.find(cut)->scheme.threshold + 1U) return {};
  return no_sum("they do not make one share more of a cut than restore what was cut");
}

mac::Tag hash_of(const AuditRound& round, const HashKey& key) {
  wire::Writer writer;
  write_round(writer, round);
  const Bytes body = writer.take();
  wire::Writer length;  // first, because it fixes the length
  length.u64(body.size());
  length.u64(0);
  const mac::Key prepared(key);
  mac::Hasher hasher(prepared);
  hasher.update(length.bytes());
  hasher.update(body);
  return hasher.finish();
}

Bytes encode(const AuditOrder& order) {
  wire::Writer writer;
  writer.id(order.share);
  write_round(writer, order.round);
  return writer.take();
}

Result<AuditOrder> decode_audit_order(ByteView body) {
  wire::Reader reader(body, "order of an audit");
  AuditOrder order;
  order.share = reader.id<ShareId>();
  order.round = read_round(reader);
  TRY(reader.finish());
  return order;
}

Bytes encode(const AuditMask& mask) {
  wire::Writer writer;
  writer.id(mask.session);
  writer.u8(mask.sum);
  writer.raw(mask.mask);
  writer.raw(mask.round_key);
  writer.raw(mask.round_hash);
  return writer.take();
}

Result<AuditMask> decode_audit_mask(ByteView body) {
  wire::Reader reader(body, "mask of an audit");
  AuditMask mask;
  mask.session = reader.id<JobId>();
  mask.sum = reader.u8();
  copy_bytes(mask.mask, reader.raw(mask.mask.size()));
  copy_bytes(mask.round_key, reader.raw(mask.round_key.size()));
  copy_bytes(mask.round_hash, reader.raw(mask.round_hash.size()));
  TRY(reader.finish());
  return mask;
}

Bytes encode(const std::vector<mac::Tag>& answers) {
  wire::Writer writer;
  writer.u8(static_cast<std::uint8_t>(answers.size()));
  for (const mac::Tag& answer : answers) writer.raw(answer);
  return writer.take();
}

Result<std::vector<mac::Tag>> decode_answers(ByteView body) {
  wire::Reader reader(body, "answers of an audit");
  std::vector<mac::Tag> answers(reader.u8());
  if (answers.size() > kMaxAuditSums) reader.reject("number of answers out of range");
  for (mac::Tag& answer : answers) {
    if (!reader.good()) break;
    copy_bytes(answer, reader.raw(answer.size()));
  }
  TRY(reader.finish());
  return answers;
}

Bytes encode(const std::vector<ShareId>& shares) {
  const std::size_t count = std::min(shares.size(), kMaxDamaged);
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) writer.id(shares[i]);
  return writer.take();
}

Result<std::vector<ShareId>> decode_shares(ByteView body) {
  wire::Reader reader(body, "list of damaged shares");
  const std::uint32_t count = reader.u32();
  if (count > kMaxDamaged) reader.reject("too many damaged shares");
  std::vector<ShareId> shares;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    shares.push_back(reader.id<ShareId>());
  }
  TRY(reader.finish());
  return shares;
}

}  // namespace warifu::upkeep
