// Encoding of heads and verdicts.
#include "kme/relay_part.h"

#include <algorithm>

#include "wire/wire.h"

namespace warifu::kme {

namespace {

constexpr std::size_t kMaxLetter = 1 << 20;

RelayPath read_path(wire::Reader& reader) {
  RelayPath path = reader.sites(3, kMaxRelayPath);
  const bool whole = reader.good();
  if (whole && (path.front() == path.back() || !are_disjoint({path}, path.front(), path.back()))) {
    reader.reject("a site stands twice on the path");
  }
  return path;
}

}  // namespace

Result<std::size_t> place_on(const RelayPath& path, const SiteName& site) {
  const auto it = std::ranges::find(path, site);
  if (it == path.end()) {
    return fail(Code::kRefused, site.text() + " is not on the way of this relayed key");
  }
  return static_cast<std::size_t>(it - path.begin());
}

Bytes encode(const RelayLetter& letter) {
  wire::Writer writer;
  writer.sites(letter.path);
  writer.u16(letter.method);
  writer.blob(letter.body);
  return writer.take();
}

Result<RelayLetter> decode_relay_letter(ByteView body) {
  wire::Reader reader(body, "message about relayed key");
  RelayLetter letter;
  letter.path = read_path(reader);
  letter.method = reader.u16();
  const ByteView inner = reader.blob(kMaxLetter);
  letter.body.assign(inner.begin(), inner.end());
  TRY(reader.finish());
  return letter;
}

Bytes encode(const PartHead& head) {
  wire::Writer writer;
  writer.id(head.transfer);
  writer.u8(head.part);
  writer.u8(head.parts);
  writer.u32(head.bytes);
  writer.sites(head.path);
  return writer.take();
}

Result<PartHead> decode_part_head(ByteView body) {
  wire::Reader reader(body, "part of relayed key");
  PartHead head;
  head.transfer = reader.id<TransferId>();
  head.part = reader.u8();
  head.parts = reader.u8();
  head.bytes = reader.u32();
  if (head.parts == 0 || head.parts > kMaxRelayPaths || head.part >= head.parts) {
    reader.reject("number of parts out of range");
  }
  if (head.bytes != kRelayPartBytes) reader.reject("size out of range");
  head.path = read_path(reader);
  TRY(reader.finish());
  return head;
}

Bytes encode(const PartVerdict& verdict) {
  wire::Writer writer;
  writer.u8(verdict.accepted ? 1 : 0);
  writer.u8(verdict.at);
  writer.text(verdict.why.substr(0, 200));
  return writer.take();
}

Result<PartVerdict> decode_part_verdict(ByteView body) {
  wire::Reader reader(body, "answer about relayed key");
  PartVerdict verdict;
  const std::uint8_t accepted = reader.u8();
  if (accepted > 1) reader.reject("unknown verdict");
  verdict.accepted = accepted == 1;
  verdict.at = reader.u8();
  verdict.why = reader.text(200);
  TRY(reader.finish());
  return verdict;
}

}  // namespace warifu::kme
