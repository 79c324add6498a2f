// Encoding and strict decoding of the bodies.
#include "control/messages.h"

#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::uint8_t kComputational = 1;  // flags of a share
constexpr std::uint8_t kDrawn = 2;

void write_scheme(wire::Writer& writer, const sharing::Scheme& scheme) {
  writer.u16(static_cast<std::uint16_t>(scheme.kind));
  writer.u8(scheme.threshold);
  writer.u8(scheme.shares);
}

// What all shares of one cut have in common.
void write_cut(wire::Writer& writer, const ShareSpec& spec) {
  writer.id(spec.object);
  writer.id(spec.parent.value_or(ShareId{}));
  write_scheme(writer, spec.scheme);
  writer.u32(spec.generation);
  writer.u64(spec.object_length);
  writer.u32(spec.chunk_bytes);
  writer.u32(spec.records.full_bytes());
  writer.u32(spec.records.last_bytes());
  writer.u16(spec.entropy_origins);
  writer.text(spec.policy);
  writer.u32(spec.lead_chunks);
}

// What is a share's own.
void write_part(wire::Writer& writer, const ShareSpec& spec) {
  writer.id(spec.share);
  sharing::write_path(writer, spec.path);
  writer.id(spec.owner);
  writer.u8(static_cast<std::uint8_t>((spec.computational ? kComputational : 0) |
                                      (spec.drawn ? kDrawn : 0)));
}

sharing::ShareIndex read_index(wire::Reader& reader, std::size_t shares) {
  const std::uint8_t index = reader.u8();
  if (index >= shares) reader.reject("share index out of range");
  return static_cast<sharing::ShareIndex>(index);
}

sharing::Scheme read_scheme(wire::Reader& reader) {
  const std::uint16_t kind = reader.u16();
  const std::uint8_t threshold = reader.u8();
  const auto scheme = sharing::Scheme::from_numbers(kind, threshold, reader.u8());
  if (!scheme) reader.reject(scheme.error().message);
  return scheme.value_or(sharing::Scheme{});
}

void read_cut(wire::Reader& reader, ShareSpec& spec) {
  spec.object = reader.id<ObjectId>();
  const auto parent = reader.id<ShareId>();
  if (!parent.is_zero()) spec.parent = parent;
  spec.scheme = read_scheme(reader);
  spec.generation = reader.u32();
  spec.object_length = reader.u64();
  spec.chunk_bytes = reader.u32();
  const std::uint32_t full = reader.u32();
  const std::uint32_t last = reader.u32();
  spec.entropy_origins = reader.u16();
  spec.policy = reader.text(planner::kMaxPolicyBytes);
  spec.lead_chunks = reader.u32();
  if (spec.object_length == 0 || spec.object_length > limits::kMaxObjectBytes) {
    return reader.reject("object length out of range");
  }
  if (spec.chunk_bytes != limits::kChunkBytes) return reader.reject("unknown chunk size");
  if (spec.lead_chunks >= spec.chunking().chunk_count()) {
    return reader.reject("nothing is behind the object's lead");
  }
  const auto records =
      sharing::RecordLayout::from_numbers(spec.chunking().chunk_count(), full, last);
  if (!records) return reader.reject(records.error().message);
  spec.records = *records;
}

void read_part(wire::Reader& reader, ShareSpec& spec) {
  spec.share = reader.id<ShareId>();
  spec.path = sharing::read_path(reader);
  if (reader.good() &&
      (spec.path.index() >= spec.scheme.shares || spec.path.is_top() == spec.parent.has_value())) {
    reader.reject("share index or parent out of range");
  }
  spec.owner = reader.id<Pseudonym>();
  const std::uint8_t flags = reader.u8();
  if ((flags & ~(kComputational | kDrawn)) != 0) reader.reject("unknown flags");
  spec.computational = (flags & kComputational) != 0;
  spec.drawn = (flags & kDrawn) != 0;
}

// Empty: by each site's own next hop.
planner::Route read_route(wire::Reader& reader) {
  return reader.sites(0, limits::kMaxHops + 1);
}

}  // namespace

Bytes encode(const ShareSpec& spec) {
  wire::Writer writer;
  write_cut(writer, spec);
  write_part(writer, spec);
  return writer.take();
}

Result<ShareSpec> decode_share_spec(ByteView body) {
  wire::Reader reader(body, "share description");
  ShareSpec spec;
  read_cut(reader, spec);
  read_part(reader, spec);
  TRY(reader.finish());
  return spec;
}

Bytes encode(const CommitRequest& request) {
  wire::Writer writer;
  writer.id(request.share);
  writer.u16(request.entropy.bits());
  writer.u8(static_cast<std::uint8_t>(request.siblings.size()));
  for (const Sibling& sibling : request.siblings) {
    writer.u8(static_cast<std::uint8_t>(sibling.index));
    writer.id(sibling.share);
    writer.site(sibling.site);
  }
  return writer.take();
}

namespace {

// Strict: a source that this version does not know must not look like none.
keypool::Entropy read_entropy(wire::Reader& reader) {
  const std::uint16_t bits = reader.u16();
  keypool::Entropy entropy = keypool::Entropy::from_bits(bits);
  if (entropy.bits() != bits) reader.reject("unknown origin of random numbers");
  return entropy;
}

}  // namespace

Result<CommitRequest> decode_commit(ByteView body) {
  wire::Reader reader(body, "commit request");
  CommitRequest request;
  request.share = reader.id<ShareId>();
  request.entropy = read_entropy(reader);
  const std::uint8_t count = reader.u8();
  if (count > sharing::kMaxShares) reader.reject("too many siblings");
  for (std::uint8_t i = 0; i < count && reader.good(); ++i) {
    Sibling sibling;
    sibling.index = read_index(reader, sharing::kMaxShares);
    sibling.share = reader.id<ShareId>();
    sibling.site = reader.site();
    request.siblings.push_back(std::move(sibling));
  }
  TRY(reader.finish());
  return request;
}

Bytes encode(const CutReport& report) {
  wire::Writer writer;
  writer.u16(report.entropy.bits());
  writer.u32(report.drawn);
  return writer.take();
}

Result<CutReport> decode_cut_report(ByteView body) {
  wire::Reader reader(body, "cut report");
  CutReport report;
  report.entropy = read_entropy(reader);
  report.drawn = reader.u32();
  TRY(reader.finish());
  return report;
}

namespace {

void write_relays(wire::Writer& writer, const planner::EdgeState& edge) {
  std::vector<SiteName> relays(edge.relays.begin(), edge.relays.end());
  if (relays.size() > limits::kMaxSites) relays.resize(limits::kMaxSites);
  writer.u8(static_cast<std::uint8_t>(edge.relay_paths));
  writer.sites(relays);
}

void read_relays(wire::Reader& reader, planner::EdgeState& edge) {
  edge.relay_paths = reader.u8();
  for (SiteName& site : reader.sites(0, UINT8_MAX)) edge.relays.insert(std::move(site));
}

}  // namespace

Bytes encode(const SiteStatus& status) {
  wire::Writer writer;
  writer.site(status.site);
  writer.u64(status.free_bytes);
  writer.u32(status.share_count);
  writer.u8(static_cast<std::uint8_t>(status.edges.size()));
  for (const planner::EdgeState& edge : status.edges) {
    writer.site(edge.to);
    writer.u8(static_cast<std::uint8_t>(edge.link_class));
    writer.u64(edge.residual_bytes);
    writer.u64(static_cast<std::uint64_t>(edge.inflow_bits_per_second));
    writer.u8(static_cast<std::uint8_t>(edge.origins.size()));
    for (const auto origin : edge.origins) writer.u8(static_cast<std::uint8_t>(origin));
    writer.u8(edge.carries ? 1 : 0);
    if (edge.link_class == kme::LinkClass::kRelayed) write_relays(writer, edge);
  }
  return writer.take();
}

Result<SiteStatus> decode_status(ByteView body) {
  wire::Reader reader(body, "site status");
  SiteStatus status;
  status.site = reader.site();
  status.free_bytes = reader.u64();
  status.share_count = reader.u32();
  const std::uint8_t count = reader.u8();
  for (std::uint8_t i = 0; i < count && reader.good(); ++i) {
    planner::EdgeState edge;
    edge.from = status.site;
    edge.to = reader.site();
    const std::uint8_t link_class = reader.u8();
    if (link_class < 1 || link_class > 3) reader.reject("unknown link class");
    edge.link_class = static_cast<kme::LinkClass>(link_class);
    edge.residual_bytes = reader.u64();
    edge.inflow_bits_per_second = static_cast<double>(reader.u64());
    const std::uint8_t origins = reader.u8();
    for (std::uint8_t j = 0; j < origins && reader.good(); ++j) {
      const auto origin = keypool::origin_from_number(reader.u8());
      if (!origin) {
        reader.reject(origin.error().message);
      } else {
        edge.origins.insert(*origin);
      }
    }
    const std::uint8_t carries = reader.u8();
    if (carries > 1) reader.reject("unknown state of transport");
    edge.carries = carries == 1;
    if (edge.link_class == kme::LinkClass::kRelayed) read_relays(reader, edge);
    status.edges.push_back(std::move(edge));
  }
  TRY(reader.finish());
  return status;
}

Bytes encode(std::span<const ShareId> shares) {
  WARIFU_CHECK(shares.size() <= kMostAskedShares);
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(shares.size()));
  for (const ShareId& share : shares) writer.id(share);
  return writer.take();
}

Result<std::vector<ShareId>> decode_share_ids(ByteView body) {
  wire::Reader reader(body, "list of shares");
  const std::uint32_t count = reader.u32();
  if (count > kMostAskedShares) reader.reject("too many shares");
  std::vector<ShareId> shares;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    shares.push_back(reader.id<ShareId>());
  }
  TRY(reader.finish());
  return shares;
}

Bytes encode(const ReshareRequest& request) {
  wire::Writer writer;
  writer.id(request.share);
  write_cut(writer, request.targets.front().spec);
  for (const ReshareTarget& target : request.targets) {
    writer.site(target.site);
    write_part(writer, target.spec);
    writer.sites(target.route);
  }
  writer.u16(static_cast<std::uint16_t>(request.travelled.size()));
  for (const auto& [share, route] : request.travelled) {
    sharing::write_path(writer, share);
    writer.sites(route);
  }
  return writer.take();
}

Result<ReshareRequest> decode_reshare(ByteView body) {
  wire::Reader reader(body, "re-share request");
  ReshareRequest request;
  request.share = reader.id<ShareId>();
  ShareSpec cut;
  read_cut(reader, cut);
  for (std::size_t i = 0; i < cut.scheme.shares && reader.good(); ++i) {
    ReshareTarget target{.site = reader.site(), .spec = cut, .route = {}};
    read_part(reader, target.spec);
    target.route = read_route(reader);
    const bool in_order = reader.good() && target.spec.path.index() == i &&
                          (i == 0 || target.spec.path.same_cut(request.targets[0].spec.path));
    if (!in_order) reader.reject("targets out of order");
    request.targets.push_back(std::move(target));
  }
  const std::uint16_t travelled = reader.u16();
  if (travelled > planner::kMaxPolicyNodes) reader.reject("too many routes");
  for (std::uint16_t i = 0; i < travelled && reader.good(); ++i) {
    const sharing::SharePath share = sharing::read_path(reader);
    if (!request.travelled.empty() && share <= request.travelled.rbegin()->first) {
      reader.reject("routes out of order");
    }
    request.travelled[share] = read_route(reader);
  }
  TRY(reader.finish());
  return request;
}

Bytes encode(const LeaseRequest& request) {
  wire::Writer writer;
  writer.site(request.peer);
  writer.id(request.job);
  writer.u64(request.bytes);
  writer.u8(request.priority);
  return writer.take();
}

Result<LeaseRequest> decode_lease(ByteView body) {
  wire::Reader reader(body, "lease request");
  LeaseRequest request;
  request.peer = reader.site();
  request.job = reader.id<JobId>();
  request.bytes = reader.u64();
  request.priority = reader.u8();
  TRY(reader.finish());
  if (request.priority > 2) return fail(Code::kProtocol, "a lease of no known priority");
  return request;
}

Bytes encode(const EnrolRequest& request) {
  wire::Writer writer;
  writer.id(request.card);
  writer.id(request.person);
  writer.u32(request.keys.first.value);
  writer.u32(request.keys.count);
  writer.u8(static_cast<std::uint8_t>(request.kind));
  return writer.take();
}

Result<EnrolRequest> decode_enrol(ByteView body) {
  wire::Reader reader(body, "enrolment");
  EnrolRequest request;
  request.card = reader.id<CardId>();
  request.person = reader.id<Pseudonym>();
  request.keys.first = {reader.u32()};
  request.keys.count = reader.u32();
  const std::uint8_t kind = reader.u8();
  if (kind != 1 && kind != 2) reader.reject("unknown card kind");
  request.kind = static_cast<card::CardKind>(kind);
  TRY(reader.finish());
  return request;
}

Bytes encode_share_id(const ShareId& share) {
  wire::Writer writer;
  writer.id(share);
  return writer.take();
}

Result<ShareId> decode_share_id(ByteView body) {
  wire::Reader reader(body, "share id");
  const auto share = reader.id<ShareId>();
  TRY(reader.finish());
  return share;
}

}  // namespace warifu::control
