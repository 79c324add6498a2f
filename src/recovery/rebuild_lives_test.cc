// Whole lives of an object, by seeds: it is refreshed, moved and cut; that stops anywhere; the
// catalog becomes an older one, or nothing; sites are silent and headers damaged while it is
// rebuilt and deletions are swept. Whatever came to be: what is left restores the object, and what
// the catalog counts on joins.
#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "recovery/rebuild_test_support.h"

namespace warifu::recovery {
namespace {

using catalog::ShareState;

class Life {
 public:
  Life(std::uint64_t seed, bool nested)
      : dice_(seed),
        nested_(nested),
        world_(nested ? "2 of (origin, vault, 2 of (cloud, cloud, cloud) via gateway)"
                      : "2 of (origin, vault, vault)") {}

  // What is wrong with it in the end; empty: nothing.
  std::string live() {
    world_.add_job();
    store();
    for (int age = 0; age < 3; ++age) {
      if (one_in(2)) world_.copy_catalog();
      begin_something();
      const std::string wrong = burn_and_rebuild();
      if (!wrong.empty()) return "age " + std::to_string(age) + ": " + wrong + "\n" + told_;
      if (!mend()) break;
    }
    return "";
  }
  [[nodiscard]] bool was_rebuilt() const { return rebuilt_; }
  [[nodiscard]] bool was_refreshed() const { return refreshed_; }

 private:
  using Steps = std::vector<std::function<void()>>;

  bool one_in(unsigned n) { return dice_() % n == 0; }
  void say(const std::string& what) { told_ += what + "\n"; }
  std::string fresh(const std::string& where) { return where + "#" + std::to_string(++names_); }
  std::vector<catalog::Share> counted() {
    std::vector<catalog::Share> all;
    for (const catalog::Share& share : world_.rows()) {
      if (share.state == ShareState::kDurable && share.site) all.push_back(share);
    }
    return all;
  }
  static std::string name_of(const ShareId& share) {
    return {reinterpret_cast<const char*>(share.bytes.data()),
            ::strnlen(reinterpret_cast<const char*>(share.bytes.data()), share.bytes.size())};
  }
  ShareFile* file_of(const catalog::Share& share) { return world_.find(name_of(share.share)); }

  void store() {
    const std::vector<std::pair<std::string, std::string>> top = {
        {"A", "tommo"}, {"B", "lsa"}, {"C", "tuh"}};
    std::vector<std::string> names;
    std::vector<catalog::Share> rows;
    for (const auto& [where, site] : top) {
      names.push_back(fresh(where));
      world_.put(names.back(), where, site, 1, "r1");
      rows.push_back(world_.row(names.back(), where, site, 1, ShareState::kDurable));
    }
    world_.name_siblings(names);
    world_.add_rows(rows);
    world_.commit();
    if (nested_) carry_on(cut(rows[2]), !one_in(3));
  }

  // The share at the gateway becomes three at the clouds.
  Steps cut(const catalog::Share& whole) {
    const std::string parent = name_of(whole.share);
    const std::string bytes = file_of(whole)->bytes + "/" + std::to_string(++cuts_);
    std::vector<std::string> names;
    std::vector<ShareId> ids;
    Steps steps;
    std::vector<catalog::Share> rows;
    for (int i = 1; i <= 3; ++i) {
      const std::string where = "C" + std::to_string(i), site = "cloud" + std::to_string(i);
      names.push_back(fresh(where));
      ids.push_back(share_id(names.back()));
      rows.push_back(
          world_.row(names.back(), where, site, whole.generation, ShareState::kWriting, parent));
    }
    steps.push_back([this, rows] { world_.add_rows(rows); });
    for (int i = 1; i <= 3; ++i) {
      steps.push_back([=, this, name = names[static_cast<std::size_t>(i - 1)]] {
        world_.put(name, "C" + std::to_string(i), "cloud" + std::to_string(i), whole.generation,
                   bytes, parent);
      });
    }
    steps.push_back([this, names] { world_.name_siblings(names); });
    steps.push_back(
        [=, this] { WARIFU_CHECK(world_.catalog->move_location(whole.share, ids).has_value()); });
    steps.push_back([=, this] { world_.drop(parent); });
    steps.push_back([=, this] { (void)world_.catalog->mark_deleted(whole.share); });
    return steps;
  }

  // Every share at its site, and those above them, get the next generation.
  Steps refresh() {
    const std::vector<catalog::Share> all = world_.rows();
    const std::uint32_t next = world_.catalog->object(world_.object)->generation + 1;
    const std::string refresh = "r" + std::to_string(++refreshes_);
    const std::string part_bytes = refresh + "/" + std::to_string(++cuts_);
    std::vector<catalog::Share> old = counted();
    std::map<ShareId, std::string> names;
    std::vector<catalog::Share> rows;
    for (const catalog::Share& share : old) {
      if (share.parent && !names.contains(*share.parent)) {
        const auto parent = std::ranges::find(all, *share.parent, &catalog::Share::share);
        names[parent->share] = fresh(parent->path.text());
        catalog::Share row = *parent;
        row.share = share_id(names[parent->share]);
        row.generation = next;
        row.state = ShareState::kDeleted;
        row.site.reset();
        rows.push_back(row);
      }
    }
    for (const catalog::Share& share : old) {
      names[share.share] = fresh(share.path.text());
      catalog::Share row = share;
      row.share = share_id(names[share.share]);
      if (share.parent) row.parent = share_id(names[*share.parent]);
      row.generation = next;
      row.state = ShareState::kWriting;
      rows.push_back(row);
    }
    Steps steps;
    steps.push_back([this, rows] { world_.add_rows(rows); });
    for (const catalog::Share& share : old) {
      steps.push_back(
          [=, this, name = names[share.share], parent = share.parent ? names[*share.parent] : ""] {
            ShareFile& file = world_.put(name, share.path.text(), share.site->text(), next,
                                         share.path.is_top() ? refresh : part_bytes, parent);
            // Siblings as the rows say, those that were cut again too.
            for (const catalog::Share& row : rows) {
              if (row.path.parent() != share.path.parent()) continue;
              file.header.siblings.push_back({static_cast<sharing::ShareIndex>(row.path.index()),
                                              row.share, row.site ? *row.site : row.last_site});
            }
          });
    }
    steps.push_back([=, this] {
      const auto seen = *world_.catalog->sightings(world_.object);
      const auto done =
          world_.catalog->commit_generation(world_.object, next, world_.job, {}, seen);
      WARIFU_CHECK(done.has_value());
      refreshed_ = true;
    });
    for (const catalog::Share& share : old) {
      steps.push_back([=, this] { world_.drop(name_of(share.share)); });
      steps.push_back([=, this] { (void)world_.catalog->mark_deleted(share.share); });
    }
    return steps;
  }

  // A share gets a new file, at another site or (a repair) where it was.
  Steps move(const catalog::Share& old, const std::string& site, const std::string& bytes) {
    const std::string name = fresh(old.path.text());
    catalog::Share row = old;
    row.share = share_id(name);
    row.site = row.last_site = at(site);
    std::vector<catalog::Share> cut;
    for (const catalog::Share& other : world_.rows()) {
      const bool is_live = other.state == ShareState::kDurable ||
                           std::ranges::any_of(counted(), [&](const catalog::Share& part) {
                             return part.parent == other.share;
                           });
      if (other.share != old.share && is_live && other.generation == old.generation &&
          other.path.parent() == old.path.parent()) {
        cut.push_back(other);
      }
    }
    Steps steps;
    steps.push_back([=, this] {
      ShareFile& file = world_.put(name, old.path.text(), site, old.generation, bytes,
                                   old.parent ? name_of(*old.parent) : "");
      file.header.siblings.push_back(
          {static_cast<sharing::ShareIndex>(old.path.index()), row.share, at(site)});
      for (const catalog::Share& other : cut) {
        file.header.siblings.push_back({static_cast<sharing::ShareIndex>(other.path.index()),
                                        other.share, other.site ? *other.site : other.last_site});
      }
    });
    steps.push_back(
        [=, this] { WARIFU_CHECK(world_.catalog->replace_share(old.share, row, {}).has_value()); });
    for (const catalog::Share& other : cut) {
      steps.push_back([=, this] {
        ShareFile* file = world_.find(name_of(other.share));
        if (file == nullptr) return;
        for (control::Sibling& sibling : file->header.siblings) {
          if (static_cast<std::uint8_t>(sibling.index) == old.path.index()) {
            sibling = {sibling.index, row.share, at(site)};
          }
        }
      });
    }
    steps.push_back([=, this] { world_.drop(name_of(old.share)); });
    steps.push_back([=, this] { (void)world_.catalog->mark_deleted(old.share); });
    return steps;
  }

  // Up to the end, or a crash somewhere; copies of the catalog are made anywhere.
  void carry_on(const Steps& steps, bool to_the_end) {
    const std::size_t end = to_the_end ? steps.size() : dice_() % (steps.size() + 1);
    for (std::size_t i = 0; i < end; ++i) {
      steps[i]();
      if (one_in(6)) {
        say("copy after step " + std::to_string(i));
        world_.copy_catalog();
      }
    }
    say("stopped after " + std::to_string(end) + " of " + std::to_string(steps.size()));
  }

  void begin_something() {
    const auto shares = counted();
    const auto is_uncut = std::ranges::find_if(shares, [&](const catalog::Share& share) {
      return !world_.policy.find(share.path)->is_leaf();
    });
    // Nobody goes on to cut it (docs/recovery.md).
    if (is_uncut != shares.end() || shares.empty()) return;
    const catalog::Share& any = shares[dice_() % shares.size()];
    if (one_in(3) && file_of(any) != nullptr) {
      const std::string site = any.site->text() == "spare" ? "other" : "spare";
      const bool taken = std::ranges::any_of(
          shares, [&](const catalog::Share& share) { return share.site->text() == site; });
      if (taken) return;
      say("move " + name_of(any.share) + " to " + site);
      carry_on(move(any, site, file_of(any)->bytes), one_in(3));
      return;
    }
    const bool all_there = std::ranges::all_of(
        shares, [&](const catalog::Share& share) { return file_of(share) != nullptr; });
    if (!all_there) return;
    say("refresh");
    carry_on(refresh(), one_in(4));
    if (one_in(3)) give_up();
  }
  // A refresh that is not committed is taken back, but for who is away.
  void give_up() {
    const std::uint32_t now = world_.catalog->object(world_.object)->generation;
    for (const catalog::Share& share : world_.rows()) {
      if (share.generation <= now || share.state != ShareState::kWriting) continue;
      world_.set_state(name_of(share.share), ShareState::kDeletePending);
      if (one_in(2)) continue;
      world_.drop(name_of(share.share));
      WARIFU_CHECK(world_.catalog->mark_deleted(share.share).has_value());
    }
    say("given up");
  }

  std::set<std::string> some_sites() {
    std::set<std::string> silent;
    for (const char* site : {"lsa", "tuh", "cloud1", "cloud2", "cloud3", "spare", "other"}) {
      if (one_in(4)) silent.insert(site);
    }
    return silent;
  }
  void harm_one() {
    for (auto& [site, files] : world_.disks) {
      for (auto& [share, file] : files) {
        if (!one_in(8)) continue;
        say("damaged: " + name_of(share));
        file.unreadable = true;
        return;
      }
    }
  }

  std::string burn_and_rebuild() {
    const bool burns = !one_in(4);
    if (burns) {
      const bool from_copy = world_.has_copy() && !one_in(3);
      say(from_copy ? "burns, back to the copy" : "burns, from shares");
      world_.burn(from_copy);
    }
    if (one_in(3)) harm_one();
    if (!world_.restores()) return "";  // two losses: nobody promises anything
    for (int round = 0; round < 4; ++round) {
      const auto silent = round == 3 ? std::set<std::string>() : some_sites();
      const auto verdict = world_.rebuild(silent);
      say("rebuilt: " +
          (verdict ? std::string(verdict->is_kept ? "kept" : "found") : verdict.error().message));
      rebuilt_ = rebuilt_ || (verdict && !verdict->is_kept);
      world_.sweep(some_sites());
      if (!world_.restores()) return "round " + std::to_string(round) + " deleted the object";
      if (verdict && !world_.joins()) return "shares stand together that do not join";
    }
    world_.sweep();
    if (!world_.restores()) return "the last sweep deleted the object";
    return "";
  }

  // Damaged and lost shares are made anew, as far as the others are there. False when not.
  bool mend() {
    if (!world_.catalog->object(world_.object)) return false;
    for (int i = 0; i < 5; ++i) {
      const auto shares = counted();
      const auto lost = std::ranges::find_if(shares, [&](const catalog::Share& share) {
        const ShareFile* file = file_of(share);
        return file == nullptr || file->unreadable;
      });
      if (lost == shares.end()) return true;
      const auto helper = std::ranges::find_if(shares, [&](const catalog::Share& share) {
        const ShareFile* file = file_of(share);
        return share.path.parent() == lost->path.parent() && file != nullptr && !file->unreadable;
      });
      if (helper == shares.end() || !world_.policy.find(lost->path)->is_leaf()) return false;
      say("repair of " + name_of(lost->share));
      carry_on(move(*lost, lost->site->text(), file_of(*helper)->bytes), true);
    }
    return false;
  }

  std::mt19937_64 dice_;
  const bool nested_;
  RebuildWorld world_;
  std::uint64_t names_ = 0, cuts_ = 0, refreshes_ = 1;
  bool rebuilt_ = false, refreshed_ = false;
  std::string told_;
};

TEST(RebuildLives, NothingThatIsNeededGoesAndNothingIsMixed) {
  std::uint64_t rebuilt = 0, refreshed = 0;
  const char* more = std::getenv("WARIFU_LIVES");
  const std::uint64_t seeds = more != nullptr ? std::strtoull(more, nullptr, 10) : 100;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    Life life(seed, seed % 2 == 0);
    const std::string wrong = life.live();
    EXPECT_EQ(wrong, "") << "seed " << seed;
    rebuilt += life.was_rebuilt() ? 1U : 0U;
    refreshed += life.was_refreshed() ? 1U : 0U;
  }
  // The courses of events that this is about do occur.
  EXPECT_GT(rebuilt, seeds / 10);
  EXPECT_GT(refreshed, seeds / 10);
}

}  // namespace
}  // namespace warifu::recovery
