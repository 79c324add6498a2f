// Choosing a state, joining its bundles, writing its pages.
#include "recovery/copy_reader.h"

#include <algorithm>
#include <set>

#include "channel/whole.h"
#include "sharing/guarded.h"

namespace warifu::recovery {
namespace {

struct Held {
  SiteName site;
  CopyHead head;
};
// By attempt: shares of different attempts do not fit together.
using Attempts = std::map<AttemptId, std::vector<Held>>;

class CopyReader {
 public:
  CopyReader(control::SiteContext& site, std::string path) : site_(site), path_(std::move(path)) {}

  Result<TakenCopy> run() {
    TRY(ask_holders());
    TRY_ASSIGN(const CopyPlace last, newest_whole());
    TRY_ASSIGN(file_, site_.system.files.open(path_, os::OpenMode::kCreate));
    TakenCopy taken{.last = last};
    std::uint64_t pages = 0;
    std::uint32_t page_bytes = 0;
    for (CopyPlace place = last; place.number = next_, place.number <= last.number; ++next_) {
      TRY_ASSIGN(Bundle bundle, join(place));
      if (bundle.place != place || (place == last && !bundle.ends)) {
        return fail(Code::kCorrupt, "a copy stands in another's place, or ends too early");
      }
      for (const Bundle::Page& page : bundle.pages) {
        TRY(file_->write_at(page.number * bundle.page_bytes, page.bytes));
      }
      pages = bundle.total_pages;
      page_bytes = bundle.page_bytes;
      taken.made = bundle.made;
      taken.root_key = std::move(bundle.root_key);
    }
    TRY(file_->truncate(pages * page_bytes));
    file_->sync();
    site_.system.files.sync_dir(os::parent_of(path_));
    taken.wrong.assign(wrong_.begin(), wrong_.end());
    return taken;
  }

 private:
  Result<> ask_holders() {
    std::string silent;
    for (const SiteName& name : holders()) {
      const auto heads = ask(name);
      if (!heads) {
        silent += (silent.empty() ? "" : "; ") + heads.error().message;
        continue;
      }
      std::set<CopyPlace> told;
      for (const CopyHead& head : *heads) {
        if (told.insert(head.place).second) held_[head.place][head.attempt].push_back({name, head});
      }
    }
    silent_ = silent;
    return {};
  }

  // As configured; without a configuration every other site.
  [[nodiscard]] std::vector<SiteName> holders() const {
    if (!site_.config.copies.holders.empty()) return site_.config.copies.holders;
    std::vector<SiteName> others;
    for (const config::SiteEntry& entry : site_.config.sites) {
      if (entry.name != site_.config.name) others.push_back(entry.name);
    }
    return others;
  }
  Result<std::vector<CopyHead>> ask(const SiteName& name) {
    TRY_ASSIGN(const Bytes answer, site_.caller.ask(name, number(Method::kCopyList), {}));
    return decode_copy_heads(answer);
  }

  [[nodiscard]] static const std::vector<Held>* enough(const Attempts& attempts) {
    for (const auto& [attempt, shares] : attempts) {
      std::set<sharing::ShareIndex> indices;
      for (const Held& held : shares) indices.insert(held.head.index);
      if (indices.size() >= shares.front().head.scheme.threshold) return &shares;
    }
    return nullptr;
  }

  // The last bundle that ends a state and before which none is missing.
  Result<CopyPlace> newest_whole() {
    std::set<CatalogId> catalogs;
    for (const auto& [place, attempts] : held_) catalogs.insert(place.catalog);
    if (catalogs.size() > 1) {
      return fail(Code::kRefused,
                  "sites hold copies of different catalogs; give up the wrong one "
                  "with 'warifu catalog forget' where it lies");
    }
    std::optional<CopyPlace> best;
    std::optional<std::uint32_t> epoch;
    std::uint32_t due = 0;
    for (const auto& [place, attempts] : held_) {
      if (place.epoch != epoch) due = 0;
      epoch = place.epoch;
      if (place.number != due || enough(attempts) == nullptr) continue;
      ++due;
      if (enough(attempts)->front().head.ends) best = place;
    }
    if (best) return *best;
    return fail(silent_.empty() ? Code::kNotFound : Code::kUnavailable,
                "no whole copy of the catalog was found" +
                    (silent_.empty() ? std::string() : ": " + silent_));
  }

  Result<secret::Buffer> fetch(const Held& held) {
    TRY_ASSIGN(channel::Call call, site_.caller.start({.to = held.site,
                                                       .method = number(Method::kCopyGet),
                                                       .body = encode(held.head.place)}));
    TRY_ASSIGN(const channel::Reply reply, call.reply());
    if (reply.download.bytes != held.head.bytes) {
      return fail(Code::kProtocol, held.site.text() + " sends another length than it has told");
    }
    return channel::receive_whole(call, reply.download);
  }

  // Every choice of threshold-many shares, until one passes the check.
  Result<Bundle> join(const CopyPlace& place) {
    std::vector<Held> holders;
    std::vector<secret::Buffer> shares;
    std::optional<Error> trouble;
    for (const Held& held : *enough(held_.at(place))) {
      auto share = fetch(held);
      if (!share) {
        trouble = share.error();
        continue;
      }
      holders.push_back(held);
      shares.push_back(std::move(*share));
    }
    const sharing::Scheme scheme = enough(held_.at(place))->front().head.scheme;
    if (shares.size() < scheme.threshold) return std::unexpected(trouble.value());
    std::vector<sharing::GuardedShare> guarded;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      guarded.push_back({holders[i].head.index, shares[i].bytes()});
    }
    const auto joined = sharing::join_guarded(scheme, guarded);
    if (!joined) {
      return fail_in("bundle " + std::to_string(place.number) + " of the catalog's copy",
                     joined.error());
    }
    for (const std::size_t i : joined->wrong) wrong_.insert(holders[i].site);
    return open_guarded(joined->guarded.bytes());
  }

  control::SiteContext& site_;
  const std::string path_;
  std::map<CopyPlace, Attempts> held_;
  std::string silent_;
  std::uint32_t next_ = 0;
  std::set<SiteName> wrong_;
  std::unique_ptr<os::File> file_;
};

}  // namespace

Result<TakenCopy> take_copy(control::SiteContext& site, const std::string& path) {
  TRY(site.system.files.remove(path));  // of an attempt that a crash cut short
  CopyReader reader(site, path);
  auto taken = reader.run();
  if (!taken) TRY(site.system.files.remove(path));
  return taken;
}

}  // namespace warifu::recovery
