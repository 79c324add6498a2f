// Bodies of requests 40 to 42, 44 and 52.
#include "recovery/messages.h"

#include "wire/wire.h"

namespace warifu::recovery {
namespace {

constexpr std::uint32_t kMostHeads = 8000;
constexpr std::uint32_t kMostFound = 4000;
constexpr std::size_t kMostSpecBytes = 4096;

void write(wire::Writer& writer, const CopyPlace& place) {
  writer.id(place.catalog);
  writer.u32(place.epoch);
  writer.u32(place.number);
}

CopyPlace read_place(wire::Reader& reader) {
  CopyPlace place;
  place.catalog = reader.id<CatalogId>();
  place.epoch = reader.u32();
  place.number = reader.u32();
  return place;
}

void write(wire::Writer& writer, const CopyHead& head) {
  write(writer, head.place);
  writer.id(head.attempt);
  writer.u16(static_cast<std::uint16_t>(head.scheme.kind));
  writer.u8(head.scheme.threshold);
  writer.u8(head.scheme.shares);
  writer.u8(static_cast<std::uint8_t>(head.index));
  writer.u8(head.ends ? 1 : 0);
  writer.u32(head.bytes);
}

CopyHead read_head(wire::Reader& reader) {
  CopyHead head;
  head.place = read_place(reader);
  head.attempt = reader.id<AttemptId>();
  const std::uint16_t kind = reader.u16();
  const std::uint8_t threshold = reader.u8();
  const std::uint8_t shares = reader.u8();
  const auto scheme = sharing::Scheme::from_numbers(kind, threshold, shares);
  if (scheme) head.scheme = *scheme;
  const std::uint8_t index = reader.u8();
  head.index = static_cast<sharing::ShareIndex>(index);
  head.ends = reader.u8() != 0;
  head.bytes = reader.u32();
  const bool sound = scheme && scheme->kind != sharing::SchemeKind::kRamp && index < shares &&
                     head.bytes > 0 && head.bytes <= kMaxGuardedBytes;
  if (reader.good() && !sound) reader.reject("impossible share of a copy");
  return head;
}

template <typename Item, typename ReadItem>
std::vector<Item> read_all(wire::Reader& reader, std::uint32_t most, const ReadItem& read_item) {
  const std::uint32_t count = reader.u32();
  if (count > most) reader.reject("too many entries");
  std::vector<Item> items;
  for (std::uint32_t i = 0; reader.good() && i < count; ++i) items.push_back(read_item(reader));
  return items;
}

FoundShare read_found(wire::Reader& reader) {
  FoundShare found;
  if (auto spec = control::decode_share_spec(reader.blob(kMostSpecBytes))) {
    found.spec = std::move(*spec);
  } else {
    reader.reject(spec.error().message);
  }
  found.created = {reader.i64()};
  if (auto siblings = control::decode_commit(reader.blob(kMostSpecBytes))) {
    found.siblings = std::move(siblings->siblings);
  } else {
    reader.reject(siblings.error().message);
  }
  return found;
}

}  // namespace

Bytes encode(const CopyPlace& place) {
  wire::Writer writer;
  write(writer, place);
  return writer.take();
}

Result<CopyPlace> decode_copy_place(ByteView body) {
  wire::Reader reader(body, "place of a copy");
  const CopyPlace place = read_place(reader);
  TRY(reader.finish());
  return place;
}

Bytes encode(const CopyHead& head) {
  wire::Writer writer;
  write(writer, head);
  return writer.take();
}

Result<CopyHead> decode_copy_head(ByteView body) {
  wire::Reader reader(body, "head of a copy");
  CopyHead head = read_head(reader);
  TRY(reader.finish());
  return head;
}

Bytes encode(const std::vector<CopyHead>& heads) {
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(heads.size()));
  for (const CopyHead& head : heads) write(writer, head);
  return writer.take();
}

Result<std::vector<CopyHead>> decode_copy_heads(ByteView body) {
  wire::Reader reader(body, "list of copies");
  auto heads = read_all<CopyHead>(reader, kMostHeads, read_head);
  TRY(reader.finish());
  return heads;
}

Bytes encode(const FoundPage& page) {
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(page.shares.size()));
  for (const FoundShare& found : page.shares) {
    writer.blob(control::encode(found.spec));
    writer.i64(found.created.value);
    writer.blob(control::encode(
        control::CommitRequest{.share = found.spec.share, .siblings = found.siblings}));
  }
  writer.u8(page.more ? 1 : 0);
  return writer.take();
}

Result<FoundPage> decode_found_page(ByteView body) {
  wire::Reader reader(body, "list of share headers");
  FoundPage page;
  page.shares = read_all<FoundShare>(reader, kMostFound, read_found);
  page.more = reader.u8() != 0;
  TRY(reader.finish());
  return page;
}

Bytes encode(const CardPage& page) {
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(page.cards.size()));
  for (const FoundCard& found : page.cards) {
    writer.id(found.card);
    writer.id(found.person);
  }
  writer.u8(page.more ? 1 : 0);
  return writer.take();
}

Result<CardPage> decode_card_page(ByteView body) {
  wire::Reader reader(body, "list of cards");
  CardPage page;
  page.cards = read_all<FoundCard>(reader, kMostFound, [](wire::Reader& r) {
    FoundCard card;
    card.card = r.id<CardId>();
    card.person = r.id<Pseudonym>();
    return card;
  });
  page.more = reader.u8() != 0;
  TRY(reader.finish());
  return page;
}

}  // namespace warifu::recovery
