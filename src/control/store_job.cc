// Planning, committing and finishing of a store job; moving is in store_move.cc.
#include "control/store_job.h"

#include <algorithm>

#include <boost/json.hpp>

#include "base/log.h"
#include "control/exposure_ledger.h"
#include "control/key_account.h"
#include "control/plan_json.h"

namespace warifu::control {

std::string staging_path(const SiteConfig& config, const JobId& job) {
  return config.data_dir + "/staging/" + job.text();
}

std::string StoreJob::staging_path() const {
  return control::staging_path(engine_.site().config, job_id_);
}

Result<> StoreJob::run() {
  TRY(load());
  if (job_.step == "plan") TRY(plan());
  if (job_.step == "move" || job_.step == "commit" || job_.step == "reshare") TRY(lease());
  if (job_.step == "move") TRY(move());
  if (job_.step == "commit") TRY(commit());
  if (job_.step == "move")
    return fail(Code::kUnavailable, "a site lost chunks; sending them again");
  if (job_.step == "reshare") TRY(reshare_all());
  if (job_.step == "account") TRY(account());
  return finish();
}

Result<> StoreJob::load() {
  catalog::Catalog& catalog = engine_.catalog();
  TRY_ASSIGN(job_, catalog.job(job_id_));
  TRY_ASSIGN(object_, catalog.object(*job_.object));
  TRY_ASSIGN(shares_, catalog.list_shares(object_.object));
  TRY_ASSIGN(const auto pseudonyms, catalog.pseudonyms(object_.person_id));
  for (const auto& entry : pseudonyms) pseudonyms_[entry.site] = entry.pseudonym;
  TRY_ASSIGN(secrets_,
             open_object_secrets(engine_.site().keys.root_key().bytes(), job_.sealed_secret));
  chunking_ = {{object_.length}};
  TRY_ASSIGN(policy_, parse_policy(object_.policy));
  if (job_.total_bytes == 0) {
    for (const auto& share : shares_) job_.total_bytes += share.bytes;
  }
  started_ = engine_.site().system.clock.monotonic();
  return {};
}

Result<> StoreJob::save(catalog::JobState state, const std::string& step) {
  job_.state = state;
  job_.step = step;
  return engine_.catalog().update_job(job_id_, {.state = state,
                                                .step = step,
                                                .progress_bytes = job_.progress_bytes,
                                                .total_bytes = job_.total_bytes,
                                                .error = job_.error,
                                                .result = job_.result,
                                                .updated = engine_.site().system.clock.now(),
                                                .expected_end = job_.expected_end});
}

Result<> StoreJob::save_secrets() {
  SiteContext& site = engine_.site();
  return engine_.catalog().set_job_secret(
      job_id_, seal_object_secrets(site.keys.root_key().bytes(), site.system.random, secrets_));
}

void StoreJob::note_trouble(const Error& why) {
  job_.error = why.message;
  const auto state =
      why.code == Code::kOutOfKey ? catalog::JobState::kWaitingKey : catalog::JobState::kRunning;
  if (const auto saved = save(state, job_.step); !saved) log_warning(saved.error().message);
}

namespace {

catalog::Share planned(const ObjectId& object, std::optional<ShareId> parent, std::size_t index,
                       const sharing::Scheme& scheme, const ShareTarget& target,
                       const sharing::RecordLayout& records, os::Random& random) {
  return {.share = os::random_id<ShareId>(random),
          .object = object,
          .parent = parent,
          .index = static_cast<std::uint8_t>(index),
          .cut_shares = scheme.shares,
          .level = static_cast<std::uint8_t>(parent ? 1 : 0),
          .generation = 1,
          .site = target.site,
          .state = catalog::ShareState::kPlanned,
          .bytes = records.lengths({0}, records.count()),
          .route = route_text(target.route)};
}

// All shares of a plan, each parent before its parts.
std::vector<catalog::Share> planned_shares(const ObjectId& object, const PlacementPlan& plan,
                                           const sharing::Scheme& scheme,
                                           const sharing::RecordLayout& cut, os::Random& random) {
  const sharing::RecordLayout records = cut.below(scheme);
  std::vector<catalog::Share> shares;
  for (std::size_t i = 0; i < plan.shares.size(); ++i) {
    const ShareTarget& target = plan.shares[i];
    shares.push_back(planned(object, std::nullopt, i, scheme, target, records, random));
    const ShareId parent = shares.back().share;
    for (std::size_t j = 0; j < target.nested.size(); ++j) {
      shares.push_back(planned(object, parent, j, target.cut, target.nested[j],
                               records.below(target.cut), random));
    }
  }
  return shares;
}

}  // namespace

Result<> StoreJob::plan() {
  SiteContext& site = engine_.site();
  if (!shares_.empty()) return save(catalog::JobState::kRunning, "move");  // planned before a crash
  const NetworkView view = look_at_network(site, engine_.own());
  const sharing::RecordLayout records(chunking_);
  const auto advice = advise_placement(policy_, view.snapshot, records);
  if (!advice) {
    std::string text = advice.error().message;
    for (const auto& [missing, why] : view.missing) text += "; " + why;
    // With every site there, the policy cannot be met; otherwise a site may come back.
    return fail(view.missing.empty() ? advice.error().code : Code::kUnavailable, text);
  }
  const PlacementPlan& plan = advice->plan;
  const auto shares =
      planned_shares(object_.object, plan, policy_.scheme, records, site.system.random);
  TRY(engine_.catalog().set_job_plan(job_id_, boost::json::serialize(advice_json(*advice, view))));
  for (const auto& share : shares) job_.total_bytes += share.bytes;
  TRY(engine_.catalog().add_sightings(object_.object, job_id_,
                                      sightings_of(plan.shares, view.snapshot.origin)));
  TRY(engine_.catalog().add_shares(shares));
  TRY_ASSIGN(shares_, engine_.catalog().list_shares(object_.object));
  return save(catalog::JobState::kRunning, "move");
}

// At every start of a run: leases live in the memory of the sending ends and are lost with it.
Result<> StoreJob::lease() {
  std::map<std::pair<SiteName, SiteName>, std::uint64_t> bytes;
  for (const auto& share : shares_) {
    if (share.state != catalog::ShareState::kPlanned &&
        share.state != catalog::ShareState::kWriting) {
      continue;
    }
    TRY_ASSIGN(const Route route, parse_route(share.route));
    for (std::size_t i = 0; i + 1 < route.size(); ++i) {
      bytes[{route[i], route[i + 1]}] += share.bytes;
    }
  }
  return lease_key(engine_.site(), job_id_, bytes);
}

std::vector<catalog::Share> StoreJob::top_shares() const {
  std::vector<catalog::Share> top;
  for (const auto& share : shares_) {
    if (!share.parent) top.push_back(share);
  }
  std::ranges::sort(top, {}, &catalog::Share::index);
  return top;
}

std::vector<catalog::Share> StoreJob::nested_of(const ShareId& parent) const {
  std::vector<catalog::Share> nested;
  for (const auto& share : shares_) {
    if (share.parent == parent) nested.push_back(share);
  }
  std::ranges::sort(nested, {}, &catalog::Share::index);
  return nested;
}

std::vector<Sibling> StoreJob::siblings_of(const std::vector<catalog::Share>& shares) const {
  std::vector<Sibling> siblings;
  for (const auto& share : shares) {
    siblings.push_back(
        {static_cast<sharing::ShareIndex>(share.index), share.share, share.last_site});
  }
  return siblings;
}

std::uint8_t StoreJob::parent_index_of(const catalog::Share& share) const {
  const auto parent = std::ranges::find_if(
      shares_, [&](const catalog::Share& other) { return share.parent == other.share; });
  WARIFU_CHECK(parent != shares_.end() && parent->index < policy_.children.size());
  return parent->index;
}

sharing::Scheme StoreJob::scheme_of(const catalog::Share& share) const {
  return share.parent ? policy_.children[parent_index_of(share)].scheme : policy_.scheme;
}

sharing::RecordLayout StoreJob::records_of(const catalog::Share& share) const {
  const sharing::RecordLayout top = sharing::RecordLayout(chunking_).below(policy_.scheme);
  return share.parent ? top.below(scheme_of(share)) : top;
}

ShareSpec StoreJob::spec_of(const catalog::Share& share) {
  return {
      .share = share.share,
      .object = object_.object,
      .parent = share.parent,
      .parent_index = static_cast<sharing::ShareIndex>(share.parent ? parent_index_of(share) : 0),
      .scheme = scheme_of(share),
      .index = static_cast<sharing::ShareIndex>(share.index),
      .generation = 1,
      .owner = pseudonyms_[share.last_site],
      .object_length = object_.length,
      .chunk_bytes = chunking_.chunk_bytes,
      .records = records_of(share),
      .computational = true,
      .policy = object_.policy};
}

Result<> StoreJob::commit() {
  SiteContext& site = engine_.site();
  const auto top = top_shares();
  TRY_ASSIGN(Cutting cutting, prepare_cut());
  if (cutting.first_chunk() != chunking_.chunk_count()) {
    // A site lost what it had acknowledged; the staged file is still here.
    return save(catalog::JobState::kRunning, "move");
  }
  CutReport report = cutting.report();
  if (cut_entropy_) report.entropy = *cut_entropy_;
  TRY(cutting.commit(siblings_of(top), report.entropy));
  for (const auto& share : top) {
    TRY(engine_.catalog().set_share_state(share.share, catalog::ShareState::kDurable));
  }
  TRY(note_cut(top, report));
  TRY(engine_.catalog().commit_object(object_.object, site.system.clock.now()));
  object_.state = catalog::ObjectState::kCommitted;
  // The plaintext has done its work: forget its key, then its file.
  secrets_.staging_key = {};
  TRY(save_secrets());
  TRY(save(catalog::JobState::kRunning, "reshare"));
  TRY(erase_staging(site.system, staging_path()));
  return site.log.append("object_committed", {{"object", object_.object.text()}});
}

Result<> StoreJob::reshare_all() {
  TRY(erase_staging(engine_.site().system, staging_path()));  // again, after a crash just before
  TRY_ASSIGN(shares_, engine_.catalog().list_shares(object_.object));
  for (const auto& parent : top_shares()) {
    if (!nested_of(parent.share).empty() && parent.state != catalog::ShareState::kDeleted) {
      TRY(reshare_one(parent));
    }
  }
  return save(catalog::JobState::kRunning, "account");
}

Result<> StoreJob::reshare_one(const catalog::Share& parent) {
  SiteContext& site = engine_.site();
  catalog::Catalog& catalog = engine_.catalog();
  const auto nested = nested_of(parent.share);
  const SiteName gateway = parent.last_site;
  if (parent.state == catalog::ShareState::kDurable) {
    ReshareRequest request{.share = parent.share};
    for (const auto& share : nested) {
      TRY(catalog.set_share_state(share.share, catalog::ShareState::kWriting));
      TRY_ASSIGN(Route route, parse_route(share.route));
      request.targets.push_back({share.last_site, spec_of(share), std::move(route)});
    }
    for (const auto& share : top_shares()) {
      TRY_ASSIGN(request.travelled[share.share], parse_route(share.route));
    }
    std::uint64_t before = 0;  // all top shares, and the parts of the shares cut earlier
    for (const auto& share : shares_) {
      if (!share.parent || parent_index_of(share) < parent.index) before += share.bytes;
    }
    CutReport report;
    const sharing::RecordLayout records = records_of(nested.front());
    const auto progress = [&](std::uint64_t done, std::uint64_t total) {
      if (total > 0) show_progress(before + records.lengths({0}, done) * nested.size());
    };
    if (gateway == site.config.name) {
      TRY_ASSIGN(report, reshare(site, engine_.own().uploads(), request, job_id_,
                                 {[&](std::uint64_t done, std::uint64_t total) -> Result<> {
                                    progress(done, total);
                                    return {};
                                  },
                                  keep_waiting()}));
    } else {
      TRY_ASSIGN(channel::Call call, site.caller.start({.to = gateway,
                                                        .method = number(Method::kReshare),
                                                        .job = job_id_,
                                                        .body = encode(request)}));
      TRY_ASSIGN(const channel::Reply reply, call.reply(progress));
      TRY_ASSIGN(report, decode_cut_report(reply.body));
    }
    TRY(note_cut(nested, report));
    std::vector<ShareId> children;
    for (const auto& share : nested) children.push_back(share.share);
    TRY(catalog.move_location(parent.share, children));
  }
  if (gateway == site.config.name) {
    TRY(engine_.own().remove(parent.share));
  } else {
    TRY(site.caller.ask(gateway, number(Method::kShareDelete), encode_share_id(parent.share)));
  }
  return catalog.mark_deleted(parent.share);
}

// How the shares of one cut came to be, beside each of them.
Result<> StoreJob::note_cut(const std::vector<catalog::Share>& shares, const CutReport& report) {
  for (const auto& share : shares) {
    TRY(engine_.catalog().set_share_travel(
        share.share, share.route,
        protections_json({.drawn = report.is_drawn(share.index), .entropy = report.entropy})));
  }
  return {};
}

// What every share travelled under, and the key that its way has cost.
Result<> StoreJob::account() {
  const NetworkView view = look_at_network(engine_.site(), engine_.own());
  TRY_ASSIGN(const auto booked, engine_.catalog().link_use_of_job(job_id_));
  TRY_ASSIGN(shares_, engine_.catalog().list_shares(object_.object));
  for (const auto& share : shares_) {
    TRY_ASSIGN(const Route route, parse_route(share.route));
    TRY_ASSIGN(Protections protections, parse_protections(share.protections));
    protections.hops = hops_of(route, view.snapshot);
    TRY(engine_.catalog().set_share_travel(share.share, share.route,
                                           protections_json(protections)));
    if (!booked.empty()) continue;  // by a run that a crash cut short
    TRY(record_route_use(engine_.catalog(), job_id_, route, view.snapshot,
                         bulk_use(records_of(share), 0, chunking_.chunk_count())));
  }
  return save(catalog::JobState::kRunning, "finish");
}

Result<> StoreJob::finish() {
  std::vector<SiteName> sites;
  for (const SiteEntry& entry : engine_.site().config.sites) sites.push_back(entry.name);
  release_key(engine_.site(), job_id_, sites);
  job_.progress_bytes = job_.total_bytes;
  job_.error.clear();
  job_.expected_end.reset();
  return save(catalog::JobState::kDone, "done");
}

bool StoreJob::is_committed() const {
  const auto now = engine_.catalog().object(object_.object);
  return !now || now->state != catalog::ObjectState::kStoring;
}

void StoreJob::roll_back(const Error& why) {
  SiteContext& site = engine_.site();
  // Best effort from here on: what cannot be taken back now is a partial share that nobody can use.
  if (is_committed()) return note_trouble(why);  // never take back what was acknowledged
  for (const auto& share : shares_) {
    Result<> removed =
        share.last_site == site.config.name ? engine_.own().remove(share.share) : Result<>();
    if (share.last_site != site.config.name) {
      const auto asked = site.caller.ask(share.last_site, number(Method::kShareDelete),
                                         encode_share_id(share.share));
      if (!asked) removed = std::unexpected(asked.error());
    }
    if (!removed) log_warning("not taken back: " + removed.error().message);
  }
  (void)erase_staging(site.system, staging_path());
  std::vector<SiteName> sites;
  for (const SiteEntry& entry : site.config.sites) sites.push_back(entry.name);
  release_key(site, job_id_, sites);
  job_.error = why.message;
  job_.result = boost::json::serialize(boost::json::object{{"code", code_name(why.code)}});
  if (object_.state != catalog::ObjectState::kCommitted) {
    (void)engine_.catalog().fail_object(object_.object);
    (void)engine_.catalog().set_job_secret(job_id_, {});
  }
  if (const auto saved = save(catalog::JobState::kFailed, job_.step); !saved) {
    log_error(saved.error().message);
  }
}

}  // namespace warifu::control
