// For the tests of recovery only: sites with share files of one object, a real catalog that may be
// older than they are, and the rebuild as rebuild_job.cc does it, with the sweep of deletions
// behind it. A file is known by what its bytes would be: which refresh they belong to, and which
// cut.
#pragma once

#include <algorithm>
#include <filesystem>

#include "control/deletion_rule.h"
#include "planner/policy_sets.h"
#include "recovery/known_objects.h"
#include "testing/temporary_folder.h"

namespace warifu::recovery {

inline SiteName at(const std::string& name) {
  return *SiteName::parse(name);
}

inline sharing::SharePath place(const std::string& name) {
  return *sharing::SharePath::parse(name);
}

inline ShareId share_id(const std::string& name) {
  WARIFU_CHECK(name.size() <= 16);
  ShareId share;
  std::ranges::copy(name, share.bytes.begin());
  return share;
}

// A share file: what its header says, and what its bytes are.
struct ShareFile {
  FoundShare header;
  std::string bytes;        // equal: they join
  bool unreadable = false;  // its header is damaged
};

class RebuildWorld {
 public:
  explicit RebuildWorld(const std::string& text, const std::string& control_site = "tommo")
      : policy_text(text), policy(*planner::parse_policy(text)), own(control_site) {
    object.bytes[0] = 7;
    job.bytes[0] = 9;
    catalog = *catalog::open_sqlite(folder + "/catalog.db");
    WARIFU_CHECK(catalog->add_person({"P-1", "Hanako", CardId{{1}}, {1000}}).has_value());
    catalog::Object row;
    row.object = object;
    row.person_id = "P-1";
    row.label = "a file";
    row.length = kLength;
    row.chunk_count = sharing::Chunking{{kLength}}.chunk_count();
    row.policy = policy_text;
    row.generation = 1;
    row.created = {1000};
    WARIFU_CHECK(catalog->add_object(row).has_value());
  }
  RebuildWorld(const RebuildWorld&) = delete;
  RebuildWorld& operator=(const RebuildWorld&) = delete;

  // A share's file, made whole; its bytes are of that cut.
  ShareFile& put(const std::string& name, const std::string& where, const std::string& site,
                 std::uint32_t generation, const std::string& bytes,
                 const std::string& parent = "") {
    const auto path = place(where);
    FoundShare found{.site = at(site), .created = {1000 + ++clock_}};
    found.spec = {.share = share_id(name),
                  .object = object,
                  .path = path,
                  .scheme = policy.find(path.parent())->scheme,
                  .generation = generation,
                  .object_length = kLength,
                  .records = planner::records_at(policy, records(), path),
                  .policy = policy_text};
    if (!parent.empty()) found.spec.parent = share_id(parent);
    std::ranges::copy(site, found.spec.owner.bytes.begin());
    ShareFile file{.header = found, .bytes = bytes};
    return disks[site].insert_or_assign(share_id(name), file).first->second;
  }
  void name_siblings(const std::vector<std::string>& names) {
    std::vector<control::Sibling> siblings;
    for (const std::string& name : names) {
      const ShareFile* file = find(name);
      WARIFU_CHECK(file != nullptr);
      siblings.push_back({static_cast<sharing::ShareIndex>(file->header.spec.path.index()),
                          share_id(name), file->header.site});
    }
    for (const std::string& name : names) find(name)->header.siblings = siblings;
  }
  ShareFile* find(const std::string& name) {
    for (auto& [site, files] : disks) {
      const auto file = files.find(share_id(name));
      if (file != files.end()) return &file->second;
    }
    return nullptr;
  }
  void drop(const std::string& name) {
    for (auto& [site, files] : disks) files.erase(share_id(name));
  }

  // Its row; parents before parts.
  catalog::Share row(const std::string& name, const std::string& where, const std::string& site,
                     std::uint32_t generation, catalog::ShareState state,
                     const std::string& parent = "") {
    const auto path = place(where);
    const auto lengths = planner::records_at(policy, records(), path);
    catalog::Share share{.share = share_id(name),
                         .object = object,
                         .path = path,
                         .cut_shares = policy.find(path.parent())->scheme.shares,
                         .generation = generation,
                         .bytes = lengths.lengths({0}, lengths.count())};
    if (!parent.empty()) share.parent = share_id(parent);
    share.site = share.last_site = at(site);
    share.state = state;
    return share;
  }
  [[nodiscard]] std::vector<catalog::Share> rows() const { return *catalog->list_shares(object); }
  void add_rows(const std::vector<catalog::Share>& rows) {
    const auto added = catalog->add_shares(rows);
    if (!added) std::fprintf(stderr, "%s\n", added.error().message.c_str());
    WARIFU_CHECK(added.has_value());
  }
  void set_state(const std::string& name, catalog::ShareState state) {
    WARIFU_CHECK(catalog->set_share_state(share_id(name), state).has_value());
  }
  void commit() { WARIFU_CHECK(catalog->commit_object(object, {2000}).has_value()); }
  // The catalog as it is now, to come back later.
  void copy_catalog() {
    std::filesystem::remove(folder + "/copy.db");
    WARIFU_CHECK(catalog->back_up(folder + "/copy.db").has_value());
  }
  [[nodiscard]] bool has_copy() const { return std::filesystem::exists(folder + "/copy.db"); }
  // The control site burns; what comes back is the copy, or (without) nothing but the person.
  void burn(bool with_copy) {
    disks.erase(own);
    renew_catalog();
    if (with_copy) {
      WARIFU_CHECK(catalog->take_over(folder + "/copy.db").has_value());
      return;
    }
    WARIFU_CHECK(catalog->add_person({"P-1", "Hanako", CardId{{1}}, {1000}}).has_value());
  }

  // The job of the rebuild, which sightings name too.
  void add_job() {
    const auto started = catalog->start_job({.job = {.job = job,
                                                     .kind = catalog::JobKind::kRebuild,
                                                     .step = "settle",
                                                     .created = {3000},
                                                     .updated = {3000}}});
    WARIFU_CHECK(started.has_value());
  }
  // What the rebuild would be told, and what it makes of it. Errors: the verdict's.
  Result<Verdict> rebuild(const std::set<std::string>& silent = {}) {
    if (!catalog->job(job)) add_job();
    std::vector<FoundShare> shown;
    Evidence evidence{.shown = shown, .silent = {}, .unreadable = {}, .own = at(own)};
    for (const std::string& site : silent) evidence.silent.insert(at(site));
    for (const auto& [site, files] : disks) {
      if (silent.contains(site)) continue;
      for (const auto& [share, file] : files) {
        if (!file.unreadable) shown.push_back(file.header);
      }
    }
    if (shown.empty()) return fail(Code::kNotFound, "nobody shows anything");
    const auto known = catalog->object(object);
    auto verdict = known ? judge(*known, evidence) : judge_unknown(evidence);
    if (!verdict) return verdict;
    verdict->found.object.person_id = "P-1";
    TRY(catalog->settle_found(verdict->found, job));
    return verdict;
  }
  // One sweep of deletions, as DeletionSweep does it.
  void sweep(const std::set<std::string>& silent = {}) {
    const auto pending = *catalog->pending_deletions();
    for (const catalog::Share& share : pending) {
      const std::string holder = share.last_site.text();
      if (silent.contains(holder)) continue;
      const auto is_held = [&](const catalog::Share& counted) -> Result<bool> {
        const std::string site = counted.site->text();
        if (silent.contains(site)) return fail(Code::kUnavailable, site + " is silent");
        const auto file = disks[site].find(counted.share);
        return file != disks[site].end() && !file->second.unreadable;
      };
      const auto may = control::may_go(*catalog->object(share.object), rows(), share, is_held);
      if (!may || !*may) continue;
      disks[holder].erase(share.share);
      WARIFU_CHECK(catalog->mark_deleted(share.share).has_value());
    }
  }

  // Whether the files that are left restore the object, damaged headers included.
  [[nodiscard]] bool restores() const {
    std::set<std::string> refreshes;
    for (const auto& [site, files] : disks) {
      for (const auto& [share, file] : files) refreshes.insert(refresh_of(file));
    }
    return std::ranges::any_of(refreshes, [&](const std::string& refresh) {
      return stands(refresh, sharing::SharePath(), policy);
    });
  }
  // Whether all shares that the catalog counts on, and that are there, join.
  [[nodiscard]] bool joins() {
    std::map<sharing::SharePath, std::set<std::string>> bytes;
    for (const catalog::Share& share : rows()) {
      if (share.state != catalog::ShareState::kDurable || !share.site) continue;
      const auto file = disks[share.site->text()].find(share.share);
      if (file != disks[share.site->text()].end()) {
        bytes[share.path.parent()].insert(file->second.bytes);
      }
    }
    std::set<std::string> refreshes;
    for (const auto& [cut, kinds] : bytes) {
      if (kinds.size() > 1) return false;
      refreshes.insert(kinds.begin()->substr(0, kinds.begin()->find('/')));
    }
    return refreshes.size() <= 1;
  }
  [[nodiscard]] std::string state(const std::string& name) {
    const auto share = catalog->share(share_id(name));
    if (!share) return "unknown";
    if (share->state == catalog::ShareState::kDurable && share->site) return share->site->text();
    return std::string(state_name(share->state));
  }
  [[nodiscard]] sharing::RecordLayout records() const {
    return sharing::RecordLayout(sharing::Chunking{{kLength}});
  }

  static constexpr std::uint64_t kLength = 600'000;
  const std::string policy_text;
  const planner::PolicyNode policy;
  std::string own;
  ObjectId object;
  JobId job;
  const sim::TemporaryFolder folder{sim::TemporaryFolder::in_memory()};
  std::unique_ptr<catalog::Catalog> catalog;
  std::map<std::string, std::map<ShareId, ShareFile>> disks;

 private:
  // "2/x": of refresh 2, of the cut x of a share.
  static std::string refresh_of(const ShareFile& file) {
    return file.bytes.substr(0, file.bytes.find('/'));
  }
  [[nodiscard]] bool stands(const std::string& refresh, const sharing::SharePath& path,
                            const planner::PolicyNode& node) const {
    std::set<std::string> cuts;
    for (const auto& [site, files] : disks) {
      for (const auto& [share, file] : files) {
        const auto& spec = file.header.spec;
        if (refresh_of(file) != refresh) continue;
        if (spec.path == path) return true;
        if (path != spec.path && (path.size() == 0 || spec.path.is_within(path))) {
          cuts.insert(file.bytes);
        }
      }
    }
    if (node.is_leaf()) return false;
    // Parts join when they are of one cut; what is whole among them has the bytes of that cut.
    return std::ranges::any_of(cuts, [&](const std::string& cut) {
      std::size_t live = 0;
      for (std::size_t i = 0; i < node.children.size(); ++i) {
        live += has(path.part(i), cut) || (!node.children[i].is_leaf() &&
                                           stands(refresh, path.part(i), node.children[i]))
                    ? 1U
                    : 0U;
      }
      return live >= node.scheme.threshold;
    });
  }
  [[nodiscard]] bool has(const sharing::SharePath& path, const std::string& bytes) const {
    for (const auto& [site, files] : disks) {
      for (const auto& [share, file] : files) {
        if (file.header.spec.path == path && file.bytes == bytes) return true;
      }
    }
    return false;
  }
  Result<Verdict> judge(const catalog::Object& known, Evidence& evidence) {
    const auto all = rows();
    for (const catalog::Share& share : to_be_asked(all, evidence)) {
      if (disks[share.site->text()].contains(share.share)) evidence.unreadable.insert(share.share);
    }
    return judge_known(known, all, evidence);
  }
  void renew_catalog() {
    catalog.reset();
    for (const char* ending : {"", "-wal", "-shm"}) {
      std::filesystem::remove(folder + "/catalog.db" + ending);
    }
    catalog = *catalog::open_sqlite(folder + "/catalog.db");
  }

  std::int64_t clock_ = 0;
};

}  // namespace warifu::recovery
