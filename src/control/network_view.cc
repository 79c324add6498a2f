// Status of all sites in parallel, leases one by one.
#include "control/network_view.h"

#include <algorithm>
#include <thread>

#include "base/log.h"

namespace warifu::control {

bool NetworkView::reaches(const SiteName& site) const {
  return std::ranges::any_of(snapshot.sites,
                             [&](const config::SiteEntry& entry) { return entry.name == site; });
}

NetworkView look_at_network(SiteContext& site, ShareService& own) {
  struct Answer {
    const config::SiteEntry* entry = nullptr;
    Result<SiteStatus> status = fail(Code::kUnavailable, "not asked");
  };
  std::vector<Answer> answers;
  for (const config::SiteEntry& entry : site.config.sites) answers.push_back({.entry = &entry});
  {
    std::vector<std::jthread> threads;
    for (Answer& answer : answers) {
      threads.emplace_back([&site, &own, &answer] {
        if (answer.entry->name == site.config.name) {
          answer.status = own.status();
          return;
        }
        const auto body = site.caller.ask(answer.entry->name, number(Method::kStatus), {});
        if (body) {
          answer.status = decode_status(*body);
        } else {
          answer.status = std::unexpected(body.error());
        }
      });
    }
  }
  NetworkView view;
  view.snapshot.origin = site.config.name;
  view.snapshot.domains = planner::domain_map(site.config.sites);
  for (Answer& answer : answers) {
    if (!answer.status) {
      view.missing.emplace_back(answer.entry->name, answer.status.error());
      continue;
    }
    view.snapshot.sites.push_back(*answer.entry);
    view.snapshot.free_bytes[answer.entry->name] = answer.status->free_bytes;
    for (planner::EdgeState& edge : answer.status->edges) {
      edge.knowing = config::key_relays(site.config.links, {edge.from, edge.to});
      view.snapshot.edges.push_back(std::move(edge));
    }
  }
  std::erase_if(view.snapshot.edges,
                [&](const planner::EdgeState& edge) { return !view.reaches(edge.to); });
  return view;
}

Result<> lease_key(SiteContext& site, const JobId& job, catalog::JobPriority priority,
                   const std::map<std::pair<SiteName, SiteName>, std::uint64_t>& bytes) {
  for (const auto& [ends, count] : bytes) {
    const std::uint64_t with_tags = count + count / 4096 + limits::kChunkBytes;
    if (ends.first == site.config.name) {
      kme::Link* link = site.keys.link_to(ends.second);
      if (link == nullptr)
        return fail(Code::kNotFound, "there is no link to " + ends.second.text());
      link->lease(job, {with_tags}, static_cast<unsigned>(priority));
    } else {
      TRY(site.caller.ask(
          ends.first, number(Method::kLease),
          encode(LeaseRequest{ends.second, job, with_tags, static_cast<std::uint8_t>(priority)})));
    }
  }
  return {};
}

void release_key(SiteContext& site, const JobId& job) {
  for (const config::SiteEntry& at : site.config.sites) {
    if (at.name == site.config.name) {
      for (kme::Link* link : site.keys.links()) link->release(job);
      continue;
    }
    const auto released = site.caller.ask(at.name, number(Method::kRelease),
                                          encode(LeaseRequest{site.config.name, job, 0}));
    if (!released) log_warning("lease not given back: " + released.error().message);
  }
}

Result<std::set<ShareId>> held_at(SiteContext& site, ShareService& own, const SiteName& at,
                                  std::span<const ShareId> shares) {
  std::set<ShareId> held;
  while (!shares.empty()) {
    const auto part = shares.first(std::min(shares.size(), kMostAskedShares));
    shares = shares.subspan(part.size());
    std::vector<ShareId> there;
    if (at == site.config.name) {
      there = own.held_of(part);
    } else {
      TRY_ASSIGN(const Bytes answer,
                 site.caller.ask(at, number(Method::kSharesHeld), encode(part)));
      TRY_ASSIGN(there, decode_share_ids(answer));
    }
    held.insert(there.begin(), there.end());
  }
  return held;
}

Result<bool> is_held_at(SiteContext& site, ShareService& own, const SiteName& at,
                        const ShareId& share) {
  TRY_ASSIGN(const auto held, held_at(site, own, at, {&share, 1}));
  return held.contains(share);
}

Result<> delete_share(SiteContext& site, ShareService& own, const catalog::Share& share) {
  if (share.last_site == site.config.name) return own.remove(share.share);
  TRY(site.caller.ask(share.last_site, number(Method::kShareDelete), encode_share_id(share.share)));
  return {};
}

}  // namespace warifu::control
