// Handlers of share requests.
#include "control/share_service.h"

#include <algorithm>

#include "base/log.h"
#include "base/reason.h"
#include "config/site_selector.h"
#include "control/gather.h"
#include "control/givers.h"
#include "control/reshare.h"
#include "control/share_facts.h"
#include "control/share_sink.h"
#include "wire/wire.h"

namespace warifu::control {

bool may_hold(const config::SiteConfig& config, const planner::PolicyNode& policy,
              const sharing::SharePath& path, const SiteName& site) {
  const planner::PolicyNode* place = policy.find(path);
  const config::SiteEntry* entry = config.find(site);
  return place != nullptr && place->is_leaf() && entry != nullptr &&
         config::selects(place->label, *entry, config.find(config.controller));
}

channel::StreamShape shape_of(const sharing::RecordLayout& records, std::uint64_t first,
                              std::uint64_t count) {
  const std::uint64_t bytes = records.lengths({first}, count);
  return {count, bytes, count == 1 ? static_cast<std::uint32_t>(bytes) : records.full_bytes()};
}

secret::Buffer join_records(const sharing::Joiner& joiner, std::span<const secret::Buffer> shares,
                            std::size_t length) {
  std::vector<ByteView> views;
  for (const secret::Buffer& share : shares) views.push_back(share.bytes());
  secret::Buffer record(joiner.scheme().padded(length));
  joiner.join(views, record.bytes());
  record.shrink(length);
  return record;
}

namespace {

// Key that share control promises to a job.
void add_lease_handlers(channel::Server& server, SiteContext& site) {
  const auto on = [&](Method method, channel::Handler handler) {
    server.handle(number(method), std::move(handler));
  };
  on(Method::kLease, [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const LeaseRequest lease, decode_lease(exchange.request().body));
    kme::Link* link = site.keys.link_to(lease.peer);
    if (link == nullptr) return fail(Code::kNotFound, "there is no link to " + lease.peer.text());
    link->lease(lease.job, {lease.bytes}, lease.priority);
    return exchange.reply({});
  });
  on(Method::kRelease, [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const LeaseRequest lease, decode_lease(exchange.request().body));
    for (kme::Link* link : site.keys.links()) link->release(lease.job);
    return exchange.reply({});
  });
}

// What enrolments and consents need of this site's gate.
void add_gate_handlers(channel::Server& server, SiteContext& site) {
  const auto on = [&](Method method, channel::Handler handler) {
    server.handle(number(method), std::move(handler));
  };
  on(Method::kGateEnrol, [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    TRY_ASSIGN(const EnrolRequest enrol, decode_enrol(exchange.request().body));
    TRY_ASSIGN(const card::SiteKeys keys,
               site.gate.enrol({enrol.card, enrol.person, enrol.kind, enrol.keys}));
    const ByteView secret = keys.keys.bytes();
    return exchange.reply(Bytes(secret.begin(), secret.end()));
  });
  on(Method::kGateNonce, [&site](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site, exchange.request().from));
    wire::Reader reader(exchange.request().body, "nonce request");
    const auto card = reader.id<CardId>();
    TRY(reader.finish());
    TRY_ASSIGN(const consent::Challenge challenge, site.gate.issue_nonce(card));
    wire::Writer answer;
    answer.id(challenge.nonce);
    answer.u32(challenge.lowest_index.value);
    answer.u8(static_cast<std::uint8_t>(challenge.untold.size()));
    for (const consent::Emergency& one : challenge.untold) consent::write_emergency(answer, one);
    return exchange.reply(answer.take());
  });
}

}  // namespace

void ShareService::add_handlers(channel::Server& server) {
  const auto on = [&](Method method, channel::Handler handler) {
    server.handle(number(method), std::move(handler));
  };
  on(Method::kStatus,
     [this](channel::Exchange& exchange) { return exchange.reply(encode(status())); });
  on(Method::kSharesHeld, [this](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site_, exchange.request().from));
    TRY_ASSIGN(const auto asked, decode_share_ids(exchange.request().body));
    return exchange.reply(encode(held_of(asked)));
  });
  add_facts_handler(server, site_);
  on(Method::kSharePrepare, [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const ShareSpec spec, decode_share_spec(exchange.request().body));
    // Top shares come from share control; nested ones from whoever cuts the share above them.
    if (!spec.parent) TRY(only_control(site_, exchange.request().from));
    TRY_ASSIGN(const PreparedShare prepared, uploads_.prepare(spec, exchange.request().from));
    wire::Writer answer;
    answer.u64(prepared.durable_chunks);
    answer.u8(prepared.drawn ? 1 : 0);
    return exchange.reply(answer.take());
  });
  on(Method::kShareCutBack, [this](channel::Exchange& exchange) -> Result<> {
    wire::Reader reader(exchange.request().body, "request to cut a share back");
    const auto share = reader.id<ShareId>();
    const std::uint64_t chunks = reader.u64();
    TRY(reader.finish());
    TRY(uploads_.cut_back(share, chunks, exchange.request().from));
    return exchange.reply({});
  });
  on(Method::kShareWrite, [this](channel::Exchange& exchange) { return handle_write(exchange); });
  on(Method::kShareCommit, [this](channel::Exchange& exchange) -> Result<> {
    TRY_ASSIGN(const CommitRequest commit, decode_commit(exchange.request().body));
    TRY(uploads_.commit(commit, exchange.request().from));
    return exchange.reply({});
  });
  on(Method::kShareRead, [this](channel::Exchange& exchange) { return handle_read(exchange); });
  on(Method::kShareCombine,
     [this](channel::Exchange& exchange) { return handle_combine(exchange); });
  on(Method::kReshare, [this](channel::Exchange& exchange) { return handle_reshare(exchange); });
  on(Method::kShareDelete, [this](channel::Exchange& exchange) -> Result<> {
    TRY(only_control(site_, exchange.request().from));
    TRY_ASSIGN(const ShareId share, decode_share_id(exchange.request().body));
    TRY(remove(share));
    return exchange.reply({});
  });
  add_lease_handlers(server, site_);
  add_gate_handlers(server, site_);
}

std::function<Result<>(MutableBytes)> numbers_for_sharing(const SiteContext& site) {
  return [&site](MutableBytes out) -> Result<> {
    TRY(site.keys.random().fill(out, kme::RandomUse::kSharing));
    return {};
  };
}

Result<> only_control(const SiteContext& site, const SiteName& from) {
  if (from == site.config.controller) return {};
  TRY(site.log.append("refused", {{"reason", "not_control"}, {"from", from.text()}}));
  return fail(Code::kRefused, site.config.name.text() + " takes this from share control only (" +
                                  site.config.controller.text() + "), not from " + from.text());
}

SiteStatus ShareService::status() {
  SiteStatus status{.site = site_.config.name};
  status.free_bytes = site_.shares.free_bytes().value_or(0);
  const auto totals = site_.shares.totals();
  if (!totals) log_error(totals.error().message);
  status.share_count = totals ? static_cast<std::uint32_t>(totals->shares) : 0;
  for (const kme::Link* link : site_.keys.links()) {
    const kme::LinkStatus state = link->status();
    status.edges.push_back({site_.config.name, state.peer, state.link_class, state.residual_bytes,
                            state.inflow_bits_per_second, state.send.origins, state.relay_paths,
                            state.relays});
    status.edges.back().carries = state.carries_shares;
  }
  return status;
}

std::vector<ShareId> ShareService::held_of(std::span<const ShareId> shares) {
  std::vector<ShareId> held;
  for (const ShareId& share : shares) {
    const auto opened = site_.shares.open(share);
    if (opened) held.push_back(share);
    if (!opened && opened.error().code != Code::kNotFound) log_warning(opened.error().message);
  }
  return held;
}

Result<> ShareService::note_given_up(const ShareId& share) {
  std::optional<store::ShareHeader> header = uploads_.begun(share);
  if (const auto reader = site_.shares.open(share)) header = (*reader)->header();
  if (!header) return {};  // it is not here, or nobody can read it
  TRY_ASSIGN(const auto here, site_.shares.shares_of(header->object));
  const bool keeps_another = std::ranges::any_of(
      here, [&](const store::ShareSummary& other) { return other.share != share; });
  if (keeps_another) return {};
  return sightings_.add({header->object, header->generation, header->path, site_.config.name});
}

Result<> ShareService::note_way(const store::ShareHeader& share, const sharing::SharePath& place,
                                const channel::Request& request, const SiteName& apart) {
  for (const SiteName& site : request.passed) {
    if (site == apart) continue;
    TRY(sightings_.add({share.object, share.generation, place, site}));
  }
  return {};
}

Result<> ShareService::note_joined(const store::ShareHeader& share, const CombineRequest& request) {
  if (request.own.destination == site_.config.name) return {};
  for (std::size_t cuts = 1; cuts <= request.gathering.size(); ++cuts) {
    const auto place = request.path.above(request.path.size() - cuts);
    TRY(sightings_.add({share.object, share.generation, place, site_.config.name}));
  }
  return {};
}

Result<> ShareService::remove(const ShareId& share) {
  TRY(note_given_up(share));
  uploads_.abandon(share);
  TRY(site_.shares.remove(share));
  return site_.log.append("share_deleted", {{"share", share.text()}});
}

Result<> ShareService::handle_write(channel::Exchange& exchange) {
  wire::Reader reader(exchange.request().body, "write request");
  const auto share = reader.id<ShareId>();
  const std::uint64_t first = reader.u64();
  TRY(reader.finish());
  TRY_ASSIGN(auto writer, uploads_.take(share, first, exchange.request().from));
  const auto receive_all = [&]() -> Result<> {
    // Whoever cut the share had all of what was cut.
    TRY(note_way(writer->header(), writer->header().path, exchange.request(),
                 exchange.request().from));
    channel::StreamReceiver& upload = exchange.upload();
    ShareSink sink(*writer, upload.shape().frames);
    while (!upload.finished()) {
      TRY_ASSIGN(secret::Buffer record, upload.receive());
      TRY(sink.put(std::move(record)));
      if (!upload.ack_due()) continue;
      TRY(sink.wait_durable(upload.due_frames()));
      TRY(upload.acknowledge());
    }
    return {};
  };
  const Result<> received = receive_all();
  uploads_.give_back(share, std::move(writer));
  TRY(received);
  return exchange.reply({});
}

bool may_join(const config::SiteConfig& config, const store::ShareHeader& held,
              const sharing::SharePath& given, const SiteName& site) {
  const auto policy = planner::parse_policy(held.policy);
  if (given.is_top() || !policy) return false;
  return std::ranges::any_of(planner::leaf_paths(*policy), [&](const sharing::SharePath& leaf) {
    if (!leaf.is_within(given.parent()) || leaf.is_within(given)) return false;
    if (given != held.path || !leaf.same_cut(given)) return may_hold(config, *policy, leaf, site);
    const auto known = std::ranges::find(held.siblings, leaf.index(), &store::Sibling::index);
    return known != held.siblings.end() && known->site == site;
  });
}

Result<ShareService::Released> ShareService::release(const ReadRequest& request,
                                                     const SiteName& recipient,
                                                     const sharing::SharePath& given) {
  const std::string here = site_.config.name.text();
  TRY_ASSIGN(auto reader, site_.shares.open(request.share));
  const store::ShareHeader& header = reader->header();
  const sharing::SharePath& share = given.is_object() ? header.path : given;
  if (!header.path.is_within(share)) {
    return fail(Code::kInvalidArgument, here + ": the share is no part of what is asked for");
  }
  if (recipient != request.destination && !may_join(site_.config, header, share, recipient)) {
    TRY(site_.log.append("refused", {{"reason", "recipient"}, {"recipient", recipient.text()}}));
    return fail(Code::kRefused,
                here + ": " + recipient.text() +
                    " is neither the destination nor the holder of a sibling share");
  }
  if (header.object != request.object) {
    TRY(site_.log.append("refused", {{"reason", "other_share"}, {"share", request.share.text()}}));
    return fail(Code::kRefused, here + ": the share belongs to another object");
  }
  const std::uint64_t chunks = header.chunk_count;
  if (request.first_chunk >= chunks || request.chunk_count == 0 ||
      request.chunk_count > chunks - request.first_chunk) {
    return fail(Code::kInvalidArgument, here + ": the share has " + std::to_string(chunks) +
                                            " chunks, others were asked for");
  }
  // What is sent is what the gate is asked for: nobody names few chunks and takes more.
  if (!request.scope.is_whole() &&
      !consent::has_chunks(request.scope.chunks, request.first_chunk, request.chunk_count)) {
    TRY(site_.log.append("refused", {{"reason", "other_chunks"},
                                     {"share", request.share.text()},
                                     {"scope", consent::scope_text(request.scope)},
                                     {"first_chunk", std::to_string(request.first_chunk)},
                                     {"chunks", std::to_string(request.chunk_count)}}));
    return fail(Code::kRefused, here + ": chunks beside those that are named were asked for",
                Reason::kOtherChunks);
  }
  std::vector<consent::Presented> presented = {{request.grant, request.evidence}};
  presented.insert(presented.end(), request.together.begin(), request.together.end());
  for (const consent::Presented& one : presented) {
    const auto grant = consent::parse_grant(one.grant);
    if (!grant || !names_too_many(header, *grant)) continue;  // no grant: the gate says so
    TRY(site_.log.append("refused", {{"reason", "too_many_givers"},
                                     {"share", request.share.text()},
                                     {"grant", consent::grant_id(one.grant).text()}}));
    return fail(Code::kRefused,
                here +
                    ": the consent names so many holders that two sets of them without one in "
                    "common restore the object; each would count its uses apart",
                Reason::kTooManyGivers);
  }
  TRY_ASSIGN(consent::Permit permit,
             site_.gate.request_release(presented, {.object = header.object,
                                                    .owner = header.owner,
                                                    .destination = request.destination,
                                                    .purpose = request.purpose,
                                                    .session = request.session,
                                                    .use = request.use,
                                                    .grantee = request.grantee,
                                                    .stated = request.stated,
                                                    .scope = request.scope}));
  return Released{std::move(permit), std::move(reader)};
}

Result<> still_permitted(const SiteContext& site, const consent::Permit& permit,
                         const ReadRequest& request) {
  if (const auto bar = permit.bar(request.object, request.destination, site.system.clock.now())) {
    return fail(Code::kRefused, "site " + site.config.name.text() + " refuses: " + bar->text,
                bar->reason);
  }
  return site.gate.still_permits(permit);
}

namespace {

Result<> check_still_allowed(const consent::Permit& permit, const ReadRequest& request,
                             std::uint64_t chunk, const SiteContext& site) {
  if (!permit.covers_chunk(chunk)) {
    return fail(Code::kRefused,
                site.config.name.text() + ": the consent is not for chunk " + std::to_string(chunk),
                Reason::kOtherChunks);
  }
  return still_permitted(site, permit, request);
}

}  // namespace

Result<> ShareService::handle_read(channel::Exchange& exchange) {
  TRY_ASSIGN(const ReadRequest request, decode_read(exchange.request().body));
  TRY_ASSIGN(const Released released, release(request, exchange.request().from));
  const store::ShareHeader& header = released.reader->header();
  TRY(note_way(header, header.path, exchange.request(), request.destination));
  const sharing::RecordLayout records = store::records_of(header);
  TRY(exchange.reply({}, shape_of(records, request.first_chunk, request.chunk_count)));
  for (std::uint64_t i = 0; i < request.chunk_count; ++i) {
    const ChunkIndex index{request.first_chunk + i};
    TRY(check_still_allowed(released.permit, request, index.value, site_));
    secret::Buffer record(records.length(index));
    TRY(released.reader->read(index, 1, record.bytes()));
    TRY(exchange.send(record.bytes()));
  }
  return {};
}

Result<> ShareService::handle_combine(channel::Exchange& exchange) {
  TRY_ASSIGN(const CombineRequest request, decode_combine(exchange.request().body));
  const auto given = request.path.above(request.path.size() - request.gathering.size());
  TRY_ASSIGN(Released own, release(request.own, exchange.request().from, given));
  TRY(note_joined(own.reader->header(), request));
  TRY(note_way(own.reader->header(), given, exchange.request(), request.own.destination));
  TRY_ASSIGN(GatheredShare share,
             gather(site_, request, std::move(own.reader), exchange.request().job, [&] {
               (void)exchange.working(0, 0);  // a lost caller shows at the next frame
             }));
  TRY(exchange.reply({},
                     shape_of(share.records, request.own.first_chunk, request.own.chunk_count)));
  for (std::uint64_t i = 0; i < request.own.chunk_count; ++i) {
    TRY(check_still_allowed(own.permit, request.own, request.own.first_chunk + i, site_));
    TRY_ASSIGN(secret::Buffer record, share.source->next());
    TRY(exchange.send(record.bytes()));
  }
  return {};
}

Result<> ShareService::handle_reshare(channel::Exchange& exchange) {
  TRY_ASSIGN(const ReshareRequest request, decode_reshare(exchange.request().body));
  TRY(only_control(site_, exchange.request().from));
  TRY_ASSIGN(const CutReport report, reshare(site_, uploads_, request, exchange.request().job,
                                             {[&](std::uint64_t done, std::uint64_t total) {
                                                return exchange.working(done, total);
                                              },
                                              [&] { return exchange.working(0, 0).has_value(); }}));
  return exchange.reply(encode(report));
}

}  // namespace warifu::control
