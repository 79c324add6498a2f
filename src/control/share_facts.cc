// Asking, and the message.
#include "control/share_facts.h"

#include <algorithm>

#include "base/log.h"
#include "wire/wire.h"

namespace warifu::control {
namespace {

ShareFacts facts_of(SiteContext& site, const ShareId& share) {
  ShareFacts facts{.share = share};
  const auto opened = site.shares.open(share);
  if (!opened) {
    if (opened.error().code == Code::kNotFound) return facts;
    log_warning(opened.error().message);
    facts.presence = Presence::kUnreadable;
    return facts;
  }
  const store::ShareHeader& header = (*opened)->header();
  facts.presence = Presence::kWhole;
  facts.object = header.object;
  facts.path = header.path;
  facts.generation = header.generation;
  const sharing::RecordLayout records = store::records_of(header);
  facts.record_bytes = records.lengths({0}, records.count());
  return facts;
}

}  // namespace

Bytes encode(std::span<const ShareFacts> facts) {
  WARIFU_CHECK(facts.size() <= kMostFacts);
  wire::Writer writer;
  writer.u32(static_cast<std::uint32_t>(facts.size()));
  for (const ShareFacts& one : facts) {
    writer.id(one.share);
    writer.u8(static_cast<std::uint8_t>(one.presence));
    if (one.presence != Presence::kWhole) continue;
    writer.id(one.object);
    sharing::write_path(writer, one.path);
    writer.u32(one.generation);
    writer.u64(one.record_bytes);
  }
  return writer.take();
}

Result<std::vector<ShareFacts>> decode_share_facts(ByteView body) {
  wire::Reader reader(body, "facts about shares");
  const std::uint32_t count = reader.u32();
  if (count > kMostFacts) reader.reject("too many shares");
  std::vector<ShareFacts> all;
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    ShareFacts one{.share = reader.id<ShareId>()};
    const std::uint8_t presence = reader.u8();
    if (presence > static_cast<std::uint8_t>(Presence::kUnreadable)) {
      reader.reject("unknown presence");
      break;
    }
    one.presence = static_cast<Presence>(presence);
    if (one.presence == Presence::kWhole) {
      one.object = reader.id<ObjectId>();
      one.path = sharing::read_path(reader);
      one.generation = reader.u32();
      one.record_bytes = reader.u64();
    }
    all.push_back(one);
  }
  TRY(reader.finish());
  return all;
}

std::vector<ShareFacts> facts_here(SiteContext& site, std::span<const ShareId> shares) {
  std::vector<ShareFacts> facts;
  for (const ShareId& share : shares) facts.push_back(facts_of(site, share));
  return facts;
}

Result<std::map<ShareId, ShareFacts>> facts_at(SiteContext& site, const SiteName& at,
                                               std::span<const ShareId> shares) {
  std::map<ShareId, ShareFacts> facts;
  while (!shares.empty()) {
    const auto part = shares.first(std::min(shares.size(), kMostFacts));
    shares = shares.subspan(part.size());
    std::vector<ShareFacts> told;
    if (at == site.config.name) {
      told = facts_here(site, part);
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(at, number(Method::kShareFacts), encode(part)));
      TRY_ASSIGN(told, decode_share_facts(answer));
    }
    if (!std::ranges::equal(told, part, {}, &ShareFacts::share)) {
      return fail(Code::kProtocol, at.text() + " tells of other shares than it was asked for");
    }
    for (const ShareFacts& one : told) facts[one.share] = one;
  }
  return facts;
}

Result<> check_present(SiteContext& site, std::span<const catalog::Share> shares) {
  for (const catalog::Share& share : shares) {
    const SiteName& at = share.site ? *share.site : share.last_site;
    TRY_ASSIGN(const auto told, facts_at(site, at, {&share.share, 1}));
    const ShareFacts& facts = told.at(share.share);
    const std::string what = "share " + share.path.text() + " at " + at.text();
    if (facts.presence == Presence::kAbsent) {
      return fail(Code::kCorrupt, what + " is gone: its holder has not got it any more");
    }
    if (facts.presence == Presence::kUnreadable) {
      return fail(Code::kCorrupt, what + " cannot be read by its holder");
    }
    if (facts.object != share.object || facts.path != share.path ||
        facts.generation != share.generation || facts.record_bytes != share.bytes) {
      return fail(Code::kCorrupt, what + " is another one there: object " + facts.object.text() +
                                      ", share " + facts.path.text() + ", generation " +
                                      std::to_string(facts.generation) + ", " +
                                      std::to_string(facts.record_bytes) + " bytes");
    }
  }
  return {};
}

void add_facts_handler(channel::Server& server, SiteContext& site) {
  server.handle(number(Method::kShareFacts), [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const auto asked, decode_share_ids(exchange.request().body));
    if (asked.size() > kMostFacts) return fail(Code::kProtocol, "too many shares at once");
    return exchange.reply(encode(facts_here(site, asked)));
  });
}

}  // namespace warifu::control
