// Bodies of requests for bytes of shares, gathered ones among them.
#include <algorithm>

#include "control/messages.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

void write_read(wire::Writer& writer, const ReadRequest& request) {
  writer.blob(request.grant);
  writer.raw(consent::encode_evidence(request.evidence));
  writer.id(request.object);
  writer.id(request.share);
  writer.site(request.destination);
  writer.u8(static_cast<std::uint8_t>(request.purpose));
  writer.id(request.session);
  writer.u16(request.use);
  writer.u64(request.first_chunk);
  writer.u64(request.chunk_count);
  consent::write_grantee(writer, request.grantee);
  consent::write_statements(writer, request.stated);
  consent::write_scope(writer, request.scope);
  writer.u8(static_cast<std::uint8_t>(request.together.size()));
  for (const consent::Presented& other : request.together) {
    writer.blob(other.grant);
    writer.raw(consent::encode_evidence(other.evidence));
  }
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
  if (purpose < 1 || purpose > consent::kLastPurpose) reader.reject("unknown purpose");
  request.purpose = static_cast<consent::Purpose>(purpose);
  request.session = reader.id<JobId>();
  request.use = reader.u16();
  request.first_chunk = reader.u64();
  request.chunk_count = reader.u64();
  request.grantee = consent::read_grantee(reader);
  request.stated = consent::read_statements(reader);
  request.scope = consent::read_scope(reader);
  const std::size_t others = reader.u8();
  if (others >= consent::kMaxGuardians) reader.reject("too many grants together");
  for (std::size_t i = 0; i < others && reader.good(); ++i) {
    consent::Presented other;
    const ByteView bytes = reader.blob(card::kMaxGrantBytes);
    other.grant.assign(bytes.begin(), bytes.end());
    other.evidence = read_evidence(reader);
    request.together.push_back(std::move(other));
  }
  return request;
}

}  // namespace

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

namespace {

void write_gathering(wire::Writer& writer, const Gathering& gathering) {
  writer.u8(static_cast<std::uint8_t>(gathering.size()));
  for (const std::vector<Gathered>& cut : gathering) {
    writer.u8(static_cast<std::uint8_t>(cut.size()));
    for (const Gathered& other : cut) {
      writer.site(other.site);
      writer.id(other.share);
      sharing::write_path(writer, other.path);
      writer.raw(consent::encode_evidence(other.evidence));
      writer.u8(static_cast<std::uint8_t>(other.together.size()));
      for (const consent::Evidence& one : other.together) {
        writer.raw(consent::encode_evidence(one));
      }
      writer.sites(other.route);
      write_gathering(writer, other.gathering);
    }
  }
}

// Into the share `held` steps, and not to the object; every level is one step shorter than what
// is joined there. `left`: so many more may follow in all.
Gathering read_gathering(wire::Reader& reader, const sharing::SharePath& held, std::size_t& left) {
  Gathering gathering(reader.u8());
  if (gathering.size() >= std::max<std::size_t>(held.size(), 1)) {
    reader.reject("more cuts are joined than there are");
    return {};
  }
  for (std::size_t up = 0; up < gathering.size() && reader.good(); ++up) {
    const std::size_t count = reader.u8();
    if (count == 0 || count >= sharing::kMaxShares || count > left) {
      reader.reject("1 to 31 other shares are needed");
      return {};
    }
    const sharing::SharePath here = held.above(held.size() - up);
    left -= count;
    for (std::size_t i = 0; i < count && reader.good(); ++i) {
      Gathered other;
      other.site = reader.site();
      other.share = reader.id<ShareId>();
      other.path = sharing::read_path(reader);
      other.evidence = read_evidence(reader);
      const std::size_t together = reader.u8();
      if (together >= consent::kMaxGuardians) reader.reject("too many grants together");
      for (std::size_t j = 0; j < together && reader.good(); ++j) {
        other.together.push_back(read_evidence(reader));
      }
      other.route = reader.sites(0, limits::kMaxHops + 1);
      other.gathering = read_gathering(reader, other.path, left);
      if (!reader.good()) return {};
      const auto given = other.path.above(other.path.size() - other.gathering.size());
      if (!given.same_cut(here) || given == here) reader.reject("it is no other share of the cut");
      gathering[up].push_back(std::move(other));
    }
  }
  return gathering;
}

}  // namespace

Bytes encode(const CombineRequest& request) {
  wire::Writer writer;
  write_read(writer, request.own);
  sharing::write_path(writer, request.path);
  write_gathering(writer, request.gathering);
  return writer.take();
}

Result<CombineRequest> decode_combine(ByteView body) {
  wire::Reader reader(body, "combine request");
  CombineRequest request;
  request.own = read_read(reader);
  request.path = sharing::read_path(reader);
  std::size_t left = kMostGathered;
  request.gathering = read_gathering(reader, request.path, left);
  if (request.gathering.empty()) reader.reject("nothing is to be combined");
  TRY(reader.finish());
  return request;
}

}  // namespace warifu::control
