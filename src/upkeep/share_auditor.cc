// Checks of an order, the pass over the share, and the masks.
#include "upkeep/share_auditor.h"

#include <algorithm>

#include "config/site_selector.h"
#include "upkeep/part_maker.h"
#include "upkeep/share_hash.h"

namespace warifu::upkeep {
namespace {

constexpr std::chrono::milliseconds kAuditPing(500);

void add(mac::Tag& sum, const mac::Tag& term) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = static_cast<Byte>(sum[i] ^ term[i]);
}

}  // namespace

Result<> check_seeing(const std::vector<config::LinkEntry>& links, const AuditSum& sum,
                      const SiteName& collector, const std::set<SiteName>& seeing) {
  std::set<SiteName> knowing;  // masks, without standing in the chain
  for (std::size_t i = 0; i + 1 < sum.chain.size(); ++i) {
    const std::vector<SiteName> edge = {sum.chain[i].site, sum.chain[i + 1].site};
    if (config::find_link(links, edge[0], edge[1]) == nullptr) {
      return fail(Code::kRefused,
                  edge[0].text() + " and " + edge[1].text() + " have no link to share a mask over");
    }
    knowing.merge(config::key_relays(links, edge));
  }
  for (const SiteName& site : seeing) {
    const auto at = sum.place_of(site);
    const bool at_an_end = at && (*at == 0 || *at + 1 == sum.chain.size());
    if (!knowing.contains(site) && (!at || (site == collector && at_an_end))) continue;
    return fail(Code::kRefused, site.text() + " would see an answer whose mask it knows");
  }
  return {};
}

void ShareAuditor::add_handlers(channel::Server& server) {
  server.handle(number(AuditMethod::kOrder), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const AuditOrder order, decode_audit_order(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY(accept(order));
    return exchange.reply({});
  });
  server.handle(number(AuditMethod::kMask), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const AuditMask mask, decode_audit_mask(exchange.request().body));
    const channel::Request& request = exchange.request();
    if (request.passed != std::vector{request.from}) {
      return fail(Code::kRefused, "a mask must come straight from " + request.from.text());
    }
    TRY(book_.put_mask(request.from, mask));
    return exchange.reply({});
  });
  server.handle(number(AuditMethod::kAudit), [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const JobId session, decode_session(exchange.request().body));
    TRY(control::only_control(site_, exchange.request().from));
    TRY_ASSIGN(const auto answers, answer(session, exchange.request().passed,
                                          [&exchange](std::uint64_t done, std::uint64_t total) {
                                            return exchange.working(done, total).has_value();
                                          }));
    return exchange.reply(encode(answers));
  });
}

// Who stands in the sums, by the policy and the labels that every site knows, and by the siblings
// that this share knows.
Result<> ShareAuditor::check_holders(const store::ShareHeader& held,
                                     const AuditRound& round) const {
  TRY_ASSIGN(const planner::PolicyNode policy, planner::parse_policy(held.policy));
  for (const AuditSum& sum : round.sums) {
    for (const Helper& helper : sum.chain) {
      const sharing::SharePath& place = helper.place;
      const std::string& label = policy.find(place)->label;
      const config::SiteEntry* entry = site_.config.find(helper.site);
      if (entry == nullptr ||
          !config::may_place(label, *entry, site_.config.find(site_.config.controller))) {
        return fail(Code::kRefused, helper.site.text() + " is no '" + label +
                                        "', which the object's policy asks for there");
      }
      const auto known = std::ranges::find(held.siblings, place.index(), &store::Sibling::index);
      if (place.same_cut(held.path) && known != held.siblings.end() && known->site != helper.site) {
        return fail(Code::kRefused,
                    "a sibling is at " + known->site.text() + ", not at " + helper.site.text());
      }
    }
  }
  return {};
}

Result<> ShareAuditor::accept(const AuditOrder& order) {
  TRY_ASSIGN(const auto reader, site_.shares.open(order.share));
  const Result<> fits = [&]() -> Result<> {
    TRY(ShareHash::make(reader->header(), order.round, site_.config.name));
    TRY(check_holders(reader->header(), order.round));
    for (const AuditSum& sum : order.round.sums) {
      if (!sum.place_of(site_.config.name)) continue;
      TRY(check_seeing(site_.config.links, sum, site_.config.controller,
                       {site_.config.controller}));
    }
    return {};
  }();
  if (!fits) {
    TRY(site_.log.append("refused", {{"reason", "audit"}, {"share", order.share.text()}}));
    return fail_in(site_.config.name.text(), fits.error());
  }
  return book_.accept(order, site_.system.clock.monotonic());
}

Result<mac::Tag> ShareAuditor::give_mask(const AuditRound& round, std::size_t sum,
                                         const SiteName& next) {
  AuditMask mask{.session = round.session, .sum = static_cast<std::uint8_t>(sum)};
  TRY(site_.keys.random().fill(mask.mask));
  site_.system.random.fill(mask.round_key);
  mask.round_hash = hash_of(round, mask.round_key);
  TRY(site_.caller.ask(next, number(AuditMethod::kMask), encode(mask)));
  return mask.mask;
}

Result<std::vector<mac::Tag>> ShareAuditor::make_answers(const AuditOrder& order,
                                                         const std::vector<SiteName>& passed,
                                                         const Watch& watch) {
  const AuditRound& round = order.round;
  const SiteName& own = site_.config.name;
  TRY_ASSIGN(const auto reader, site_.shares.open(order.share));
  TRY_ASSIGN(ShareHash hash, ShareHash::make(reader->header(), round, own));
  std::vector<SiteName> way = passed;
  way.push_back(own);
  std::set<SiteName> seeing(passed.begin(), passed.end());
  seeing.insert(site_.config.controller);
  seeing.merge(config::key_relays(site_.config.links, way));
  seeing.erase(own);
  std::vector<mac::Tag> masks(hash.sums().size());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    const AuditSum& sum = round.sums[hash.sums()[i]];
    TRY(check_seeing(site_.config.links, sum, site_.config.controller, seeing));
    const std::size_t at = *sum.place_of(own);
    if (at + 1 == sum.chain.size()) continue;
    TRY_ASSIGN(masks[i], give_mask(round, hash.sums()[i], sum.chain[at + 1].site));
  }
  const store::ShareLayout& layout = reader->layout();
  const std::uint64_t total = layout.records_length({0}, layout.chunk_count());
  std::uint64_t done = 0;
  secret::Buffer record(layout.record_length({0}));
  for (std::uint64_t chunk = 0; chunk < layout.chunk_count(); ++chunk) {
    const MutableBytes bytes = record.bytes().first(layout.record_length({chunk}));
    TRY(reader->read({chunk}, 1, bytes));
    hash.add({chunk}, bytes);
    done += bytes.size();
    if (!watch(done, total)) return fail(Code::kCancelled, "nobody waits for this audit any more");
  }
  std::vector<mac::Tag> answers = hash.finish();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    add(answers[i], masks[i]);
    secret::wipe(masks[i]);
    if (*round.sums[hash.sums()[i]].place_of(own) == 0) continue;
    TRY_ASSIGN(const mac::Tag before, book_.take_mask(round.session, hash.sums()[i], kAuditPing,
                                                      [&] { return watch(total, total); }));
    add(answers[i], before);
  }
  return answers;
}

Result<std::vector<mac::Tag>> ShareAuditor::answer(const JobId& session,
                                                   const std::vector<SiteName>& passed,
                                                   const Watch& watch) {
  TRY_ASSIGN(const AuditOrder order, book_.start(session));
  auto answers = make_answers(order, passed, watch);
  book_.finish(session);
  if (!answers) return answers;
  TRY(site_.log.append("share_audited", {{"share", order.share.text()}}));
  return answers;
}

}  // namespace warifu::upkeep
