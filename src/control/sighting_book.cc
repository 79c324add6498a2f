// The file, and the question.
#include "control/sighting_book.h"

#include "control/share_service.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

constexpr std::size_t kBodyBytes = 46;

void write_sighting(wire::Writer& writer, const NotedSighting& sighting) {
  writer.id(sighting.object);
  writer.u32(sighting.generation);
  sharing::write_path(writer, sighting.place);
  writer.site(sighting.site);
}

NotedSighting read_sighting(wire::Reader& reader) {
  NotedSighting sighting{
      .object = reader.id<ObjectId>(), .generation = reader.u32(), .place = {}, .site = {}};
  sighting.place = sharing::read_path(reader);
  sighting.site = reader.site();
  return sighting;
}

}  // namespace

Result<std::unique_ptr<SightingBook>> SightingBook::open(os::FileSystem& files,
                                                         const std::string& path) {
  std::set<NotedSighting> sightings;
  const auto take = [&](ByteView body) -> Result<> {
    wire::Reader reader(body, "record of a sighting");
    NotedSighting sighting = read_sighting(reader);
    TRY(reader.finish());
    sightings.insert(std::move(sighting));
    return {};
  };
  TRY_ASSIGN(auto file,
             store::RecordFile::open(files, path,
                                     {kBodyBytes, "what sites have seen cannot be told"}, take));
  return std::unique_ptr<SightingBook>(new SightingBook(std::move(file), std::move(sightings)));
}

Result<> SightingBook::add(const NotedSighting& sighting) {
  const std::lock_guard lock(mutex_);
  if (sightings_.contains(sighting)) return {};
  wire::Writer writer;
  write_sighting(writer, sighting);
  TRY(file_.add(writer.bytes()));
  sightings_.insert(sighting);
  return {};
}

std::vector<NotedSighting> SightingBook::list(const std::optional<NotedSighting>& after,
                                              std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<NotedSighting> listed;
  auto at = after ? sightings_.upper_bound(*after) : sightings_.begin();
  for (; at != sightings_.end() && listed.size() < most; ++at) listed.push_back(*at);
  return listed;
}

Bytes encode(const std::vector<NotedSighting>& sightings) {
  WARIFU_CHECK(sightings.size() <= kMostNotedSightings);
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(sightings.size()));
  for (const NotedSighting& sighting : sightings) write_sighting(writer, sighting);
  return writer.take();
}

Result<std::vector<NotedSighting>> decode_noted_sightings(ByteView body) {
  wire::Reader reader(body, "sightings");
  const std::uint32_t count = reader.u32();
  if (count > kMostNotedSightings) reader.reject("too many sightings");
  std::vector<NotedSighting> sightings;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i)
    sightings.push_back(read_sighting(reader));
  TRY(reader.finish());
  return sightings;
}

Result<std::vector<NotedSighting>> sightings_at(SiteContext& site, const SightingBook& own,
                                                const SiteName& at) {
  std::vector<NotedSighting> all;
  for (;;) {
    const auto after = all.empty() ? std::nullopt : std::optional(all.back());
    std::vector<NotedSighting> page;
    if (at == site.config.name) {
      page = own.list(after, kMostNotedSightings);
    } else {
      const Bytes question = encode(after ? std::vector{*after} : std::vector<NotedSighting>());
      TRY_ASSIGN(const Bytes answer, site.caller.ask(at, number(Method::kSightings), question));
      TRY_ASSIGN(page, decode_noted_sightings(answer));
    }
    if (page.empty()) return all;
    for (const NotedSighting& sighting : page) {
      if (!all.empty() && sighting <= all.back()) {
        return fail(Code::kProtocol, at.text() + " lists sightings out of order");
      }
      all.push_back(sighting);
    }
  }
}

Result<std::vector<NotedSighting>> sightings_here(SiteContext& site, const SightingBook& own,
                                                  const ObjectId& object) {
  const SiteName& here = site.config.name;
  std::set<NotedSighting> known;
  for (const NotedSighting& one : own.list(NotedSighting{object, 0, {}, {}}, kMostNotedSightings)) {
    if (one.object != object) break;
    known.insert(one);
  }
  TRY_ASSIGN(const auto held, site.shares.shares_of(object));
  for (const store::ShareSummary& share : held) {
    const auto reader = site.shares.open(share.share);
    if (!reader && reader.error().code == Code::kNotFound) continue;  // just deleted, and noted
    if (!reader) return std::unexpected(reader.error());
    known.insert({object, (*reader)->header().generation, share.path, here});
  }
  TRY_ASSIGN(const store::PartialListing begun, site.shares.list_partial());
  for (const store::PartialShare& share : begun.shares) {
    if (share.header.object != object) continue;
    known.insert({object, share.header.generation, share.header.path, here});
  }
  return std::vector(known.begin(), known.end());
}

Result<std::vector<NotedSighting>> sightings_of_object(SiteContext& site, const SightingBook& own,
                                                       const SiteName& at, const ObjectId& object) {
  if (at == site.config.name) return sightings_here(site, own, object);
  wire::Writer question;
  question.id(object);
  TRY_ASSIGN(const Bytes answer,
             site.caller.ask(at, number(Method::kObjectSightings), question.take()));
  return decode_noted_sightings(answer);
}

void add_sightings_handler(channel::Server& server, SiteContext& site, const SightingBook& own) {
  server.handle(number(Method::kSightings), [&site, &own](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const auto after, decode_noted_sightings(exchange.request().body));
    if (after.size() > 1) return fail(Code::kProtocol, "a question has one place to begin at");
    return exchange.reply(encode(own.list(
        after.empty() ? std::nullopt : std::optional(after.front()), kMostNotedSightings)));
  });
  server.handle(number(Method::kObjectSightings),
                [&site, &own](channel::Exchange& exchange) -> Result<> {
                  TRY(only_control(site, exchange.request().from));
                  wire::Reader question(exchange.request().body, "question for an object");
                  const auto object = question.id<ObjectId>();
                  TRY(question.finish());
                  TRY_ASSIGN(auto known, sightings_here(site, own, object));
                  if (known.size() > kMostNotedSightings) known.resize(kMostNotedSightings);
                  return exchange.reply(encode(known));
                });
}

}  // namespace warifu::control
