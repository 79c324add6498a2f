// Encoding and strict decoding of the bodies.
#include "control/messages.h"

#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kMaxPolicy = 512;
constexpr std::uint32_t kMaxList = 4000;

void write_spec(wire::Writer& writer, const ShareSpec& spec) {
  writer.id(spec.share);
  writer.id(spec.object);
  writer.id(spec.parent.value_or(ShareId{}));
  writer.u8(static_cast<std::uint8_t>(spec.index));
  writer.u32(spec.generation);
  writer.id(spec.owner);
  writer.u64(spec.object_length);
  writer.u32(spec.chunk_bytes);
  writer.u8(spec.computational ? 1 : 0);
  writer.text(spec.policy);
}

sharing::ShareIndex read_index(wire::Reader& reader) {
  const std::uint8_t index = reader.u8();
  if (index >= sharing::kShareCount) reader.reject("share index out of range");
  return static_cast<sharing::ShareIndex>(index);
}

ShareSpec read_spec(wire::Reader& reader) {
  ShareSpec spec;
  spec.share = reader.id<ShareId>();
  spec.object = reader.id<ObjectId>();
  const auto parent = reader.id<ShareId>();
  if (!parent.is_zero()) spec.parent = parent;
  spec.index = read_index(reader);
  spec.generation = reader.u32();
  spec.owner = reader.id<Pseudonym>();
  spec.object_length = reader.u64();
  spec.chunk_bytes = reader.u32();
  spec.computational = reader.u8() != 0;
  spec.policy = reader.text(kMaxPolicy);
  if (spec.object_length == 0 || spec.object_length > limits::kMaxObjectBytes) {
    reader.reject("object length out of range");
  }
  if (spec.chunk_bytes != limits::kChunkBytes) reader.reject("unknown chunk size");
  return spec;
}

void write_read(wire::Writer& writer, const ReadRequest& request) {
  writer.blob(request.grant);
  writer.raw(consent::encode_evidence(request.evidence));
  writer.id(request.object);
  writer.id(request.share);
  writer.site(request.destination);
  writer.u8(static_cast<std::uint8_t>(request.purpose));
  writer.id(request.session);
  writer.u64(request.first_chunk);
  writer.u64(request.chunk_count);
}

consent::Evidence read_evidence(wire::Reader& reader) {
  const ByteView bytes = reader.raw(consent::kEvidenceBytes);
  if (!reader.good()) return {};
  auto evidence = consent::parse_evidence(bytes);
  if (!evidence) {
    reader.reject(evidence.error().message);
    return {};
  }
  return *evidence;
}

ReadRequest read_read(wire::Reader& reader) {
  ReadRequest request;
  const ByteView grant = reader.blob(card::kMaxGrantBytes);
  request.grant.assign(grant.begin(), grant.end());
  request.evidence = read_evidence(reader);
  request.object = reader.id<ObjectId>();
  request.share = reader.id<ShareId>();
  request.destination = reader.site();
  const std::uint8_t purpose = reader.u8();
  if (purpose < 1 || purpose > 3) reader.reject("unknown purpose");
  request.purpose = static_cast<consent::Purpose>(purpose);
  request.session = reader.id<JobId>();
  request.first_chunk = reader.u64();
  request.chunk_count = reader.u64();
  return request;
}

}  // namespace

std::string ShareSpec::letter() const {
  if (!parent) return std::string(1, sharing::share_letter(index));
  return "C" + std::to_string(static_cast<int>(index) + 1);
}

Bytes encode(const ShareSpec& spec) {
  wire::Writer writer;
  write_spec(writer, spec);
  return writer.take();
}

Result<ShareSpec> decode_share_spec(ByteView body) {
  wire::Reader reader(body, "share description");
  ShareSpec spec = read_spec(reader);
  TRY(reader.finish());
  return spec;
}

Bytes encode_commit(const ShareId& share, const std::vector<Sibling>& siblings) {
  wire::Writer writer;
  writer.id(share);
  writer.u8(static_cast<std::uint8_t>(siblings.size()));
  for (const Sibling& sibling : siblings) {
    writer.u8(static_cast<std::uint8_t>(sibling.index));
    writer.id(sibling.share);
    writer.site(sibling.site);
  }
  return writer.take();
}

Result<std::pair<ShareId, std::vector<Sibling>>> decode_commit(ByteView body) {
  wire::Reader reader(body, "commit request");
  const auto share = reader.id<ShareId>();
  const std::uint8_t count = reader.u8();
  std::vector<Sibling> siblings;
  for (std::uint8_t i = 0; i < count && reader.good(); ++i) {
    Sibling sibling;
    sibling.index = read_index(reader);
    sibling.share = reader.id<ShareId>();
    sibling.site = reader.site();
    siblings.push_back(std::move(sibling));
  }
  TRY(reader.finish());
  return std::pair{share, std::move(siblings)};
}

Bytes encode(const SiteStatus& status) {
  wire::Writer writer;
  writer.site(status.site);
  writer.u64(status.free_bytes);
  writer.u32(status.share_count);
  writer.u8(static_cast<std::uint8_t>(status.edges.size()));
  for (const EdgeState& edge : status.edges) {
    writer.site(edge.to);
    writer.u8(static_cast<std::uint8_t>(edge.link_class));
    writer.u64(edge.residual_bytes);
    writer.u64(static_cast<std::uint64_t>(edge.inflow_bits_per_second));
    writer.u8(static_cast<std::uint8_t>(edge.origins.size()));
    for (const auto origin : edge.origins) writer.u8(static_cast<std::uint8_t>(origin));
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
    EdgeState edge;
    edge.from = status.site;
    edge.to = reader.site();
    const std::uint8_t link_class = reader.u8();
    if (link_class != 1 && link_class != 2) reader.reject("unknown link class");
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
    status.edges.push_back(std::move(edge));
  }
  TRY(reader.finish());
  return status;
}

Bytes encode(const std::vector<HeldShare>& shares) {
  wire::Writer writer;
  const std::size_t count = std::min<std::size_t>(shares.size(), kMaxList);
  writer.u32(static_cast<std::uint32_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    writer.id(shares[i].share);
    writer.id(shares[i].object);
    writer.text(shares[i].letter);
    writer.u64(shares[i].bytes);
  }
  return writer.take();
}

Result<std::vector<HeldShare>> decode_held_shares(ByteView body) {
  wire::Reader reader(body, "list of shares");
  const std::uint32_t count = reader.u32();
  if (count > kMaxList) reader.reject("too many shares");
  std::vector<HeldShare> shares;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    HeldShare share;
    share.share = reader.id<ShareId>();
    share.object = reader.id<ObjectId>();
    share.letter = reader.text(8);
    share.bytes = reader.u64();
    shares.push_back(std::move(share));
  }
  TRY(reader.finish());
  return shares;
}

Bytes encode(const ReadRequest& request) {
  wire::Writer writer;
  write_read(writer, request);
  return writer.take();
}

Result<ReadRequest> decode_read(ByteView body) {
  wire::Reader reader(body, "read request");
  ReadRequest request = read_read(reader);
  TRY(reader.finish());
  return request;
}

Bytes encode(const CombineRequest& request) {
  wire::Writer writer;
  write_read(writer, request.own);
  writer.site(request.other_site);
  writer.id(request.other_share);
  writer.raw(consent::encode_evidence(request.other_evidence));
  return writer.take();
}

Result<CombineRequest> decode_combine(ByteView body) {
  wire::Reader reader(body, "combine request");
  CombineRequest request;
  request.own = read_read(reader);
  request.other_site = reader.site();
  request.other_share = reader.id<ShareId>();
  request.other_evidence = read_evidence(reader);
  TRY(reader.finish());
  return request;
}

Bytes encode(const ReshareRequest& request) {
  wire::Writer writer;
  writer.id(request.share);
  writer.u8(static_cast<std::uint8_t>(request.targets.size()));
  for (const ReshareTarget& target : request.targets) {
    writer.site(target.site);
    write_spec(writer, target.spec);
  }
  return writer.take();
}

Result<ReshareRequest> decode_reshare(ByteView body) {
  wire::Reader reader(body, "re-share request");
  ReshareRequest request;
  request.share = reader.id<ShareId>();
  if (reader.u8() != sharing::kShareCount) reader.reject("three targets are needed");
  for (std::size_t i = 0; i < sharing::kShareCount && reader.good(); ++i) {
    ReshareTarget target;
    target.site = reader.site();
    target.spec = read_spec(reader);
    request.targets.push_back(std::move(target));
  }
  TRY(reader.finish());
  return request;
}

Bytes encode(const LeaseRequest& request) {
  wire::Writer writer;
  writer.site(request.peer);
  writer.id(request.job);
  writer.u64(request.bytes);
  return writer.take();
}

Result<LeaseRequest> decode_lease(ByteView body) {
  wire::Reader reader(body, "lease request");
  LeaseRequest request;
  request.peer = reader.site();
  request.job = reader.id<JobId>();
  request.bytes = reader.u64();
  TRY(reader.finish());
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
