// What clients do while things break, and how a run is made.
#include "testing/cluster_run.h"

#include <malloc.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

namespace warifu::sim {
namespace {

using State = ClusterObject::State;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostObjects = 3;
constexpr seconds kPatience(8);  // with one job, before something else is done

Dice& dice() {
  return Schedule::dice();
}

bool is_longer_than_a_chunk(const ClusterObject& object) {
  return object.plain.size() > limits::kChunkBytes;
}

}  // namespace

ClusterRun::ClusterRun(const ClusterRules& rules, const ClusterShape& shape,
                       const ClusterImages& images)
    : rules_(rules),
      card_disk_(images.card->crash_image(0)),
      cluster_(rules, shape, &images),
      person_(*card_disk_) {}

void ClusterRun::live() {
  const auto& harmable = cluster_.shape().harmable;
  const bool may_burn = std::ranges::find(harmable, kControlSite) != harmable.end();
  if (may_burn && (dice().one_in(3) || rules_.burn_control)) {
    cluster_.keep_copies(seconds(dice().one_in(2) ? 1 : 20));
  }
  cluster_.start_all();
  std::vector<std::thread> threads;
  working_ = 2;
  for (std::uint64_t client = 0; client < 2; ++client) {
    threads.emplace_back([this, client] { work(client); });
  }
  const auto end = Schedule::now() + seconds(dice().between(3, 9));
  working_ += 2;
  threads.emplace_back([this, end] { break_things(end, &ClusterRun::break_line); });
  threads.emplace_back([this, end] { break_things(end, &ClusterRun::break_disk); });
  while (working_ > 0) {
    cluster_.supervise();
    Schedule::sleep(milliseconds(40));
  }
  for (std::thread& thread : threads) thread.join();
  calm_down();
  heal();
  reckon();
  cluster_.counts.frames = cluster_.net().frames();
  cluster_.counts.shares_seen = cluster_.watch().shares_sent();
}

// --- clients ------------------------------------------------------------------------------------

void ClusterRun::work(std::uint64_t) {
  while (!calm_) {
    act();
    Schedule::sleep(milliseconds(dice().between(20, 500)));
  }
  --working_;
}

ClusterObject* ClusterRun::pick(State state) {
  std::vector<ClusterObject*> fitting;
  for (ClusterObject& object : objects_) {
    if (object.state == state) fitting.push_back(&object);
  }
  return fitting.empty() ? nullptr : fitting[dice().below(fitting.size())];
}

void ClusterRun::act() {
  if (catalog_ == CatalogFate::kLost) {
    (void)rebuild_catalog();
    return;
  }
  if (ClusterObject* storing = pick(State::kStoring); storing != nullptr && dice().one_in(2)) {
    return follow(*storing);
  }
  ClusterObject* const stored = pick(State::kStored);
  if (stored == nullptr) return store();
  switch (dice().below(12)) {
    case 0:
    case 1:
    case 2: return store();
    case 3:
    case 4:
    case 5: return restore(*stored);
    case 6:
    case 7: return relocate(*stored);
    case 8: return refresh(*stored);
    case 9: return audit(*stored);
    case 10: return objects_.size() > 2 ? remove(*stored) : store();
    default: return follow(*stored);
  }
}

void ClusterRun::store() {
  if (objects_.size() >= kMostObjects) return;
  const bool is_long = dice().one_in(6) && std::ranges::none_of(objects_, is_longer_than_a_chunk);
  Bytes plain(is_long ? limits::kChunkBytes + dice().below(20'000) : dice().between(1, 40'000));
  dice().fill(plain);
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const auto ticket = person_.upload(*control.operator->(), plain, "file");
  if (!ticket || !control.counts()) return;  // who hears no answer asks again with another upload
  cluster_.say("client: object ", ticket->object.text(), " of ", plain.size(),
               " bytes is taken in");
  objects_.push_back({.object = ticket->object, .plain = std::move(plain)});
  cluster_.watch().set_plain(ticket->object, objects_.back().plain);
}

// Looks how far a store is.
void ClusterRun::follow(ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const auto known = control->catalog().object(object.object);
  // As long as not all sites have told what they hold, it may be unknown.
  const bool is_settled = catalog_ == CatalogFate::kWhole || catalog_ == CatalogFate::kSettled;
  if (!control.counts() || (!known && !is_settled)) return;
  if (!known && object.may_be_lost) {
    object.state = State::kNotStored;
    return;
  }
  if (!known) {
    if (known.error().code == Code::kNotFound) {
      object.state = State::kNotStored;
      cluster_.found(&ClusterCounts::forgotten,
                     "object " + object.object.text() + " was confirmed, and nobody knows it");
    }
    return;
  }
  if (object.state == State::kStoring && known->state == catalog::ObjectState::kFailed) {
    object.state = State::kNotStored;
    ++cluster_.counts.not_stored;
    cluster_.say("client: object ", object.object.text(), " is not stored");
  }
  if (object.state == State::kStoring && known->state == catalog::ObjectState::kCommitted) {
    object.state = State::kStored;
    ++cluster_.counts.stored;
    cluster_.say("client: object ", object.object.text(), " is stored");
  }
  if (object.state == State::kStored && !object.on_card) {
    const auto loaded = person_.load_record(*control.operator->(), object.object);
    object.on_card = loaded.has_value();
    if (!loaded) cluster_.say("client: not on the card: ", loaded.error().message);
    if (!loaded && object.may_be_lost && is_settled) {
      object.state = State::kNotStored;
    }
  }
}

void ClusterRun::compare(const ClusterObject& object, ByteView got, const std::string& who) {
  if (std::ranges::equal(got, object.plain)) return;
  cluster_.found(&ClusterCounts::wrong,
                 who + " gives other bytes of object " + object.object.text());
}

void ClusterRun::restore(ClusterObject& object) {
  follow(object);
  // Long ones would use up the key of a run.
  if (!object.on_card || (is_longer_than_a_chunk(object) && !dice().one_in(6))) return;
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  if (!object.grant) {
    const auto grant = person_.consent(*control.operator->(), object.object);
    if (!grant) cluster_.say("client: no consent: ", grant.error().message);
    if (!grant || !control.counts()) return;
    object.grant = *grant;
  }
  const auto got = ClusterPerson::restore(*control.operator->(), object.object, *object.grant);
  if (!control.counts()) return;
  if (!got) {
    ++cluster_.counts.not_restored;
    cluster_.say("client: not restored: ", got.error().message);
    if (got.error().code == Code::kRefused) object.grant.reset();
    return;
  }
  ++cluster_.counts.restored;
  compare(object, *got, "a restore");
}

void ClusterRun::relocate(ClusterObject& object) {
  const auto& letters = cluster_.shape().movable;
  if (letters.empty()) return refresh(object);
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const std::string& letter = letters[dice().below(letters.size())];
  const auto job = control->control().upkeep().relocate(object.object, letter, false, std::nullopt);
  if (!job || !control.counts()) return;
  ++cluster_.counts.moved;
  cluster_.say("client: share ", letter, " of ", object.object.text(), " is to move");
}

void ClusterRun::refresh(ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const auto job = control->control().upkeep().refresh(object.object, {});
  if (!job || !control.counts()) return;
  ++cluster_.counts.refreshed;
  cluster_.say("client: object ", object.object.text(), " is to be refreshed");
}

void ClusterRun::audit(ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  const auto audit = control->control().audits().start(object.object);
  if (!audit) return;
  const auto until = Schedule::now() + kPatience;
  while (control.counts() && Schedule::now() < until) {
    const auto report = control->control().audits().report(*audit);
    if (!report || report->verdict != upkeep::Verdict::kRunning) {
      ++cluster_.counts.audited;
      if (!report || ever_harmed_ || !control.counts()) return;
      // A share that moves away meanwhile is missing; a sum that is not zero is somebody's fault.
      if (report->verdict == upkeep::Verdict::kInconsistent) {
        std::string text = "an audit finds fault with object " + object.object.text();
        for (const auto& share : report->shares) {
          text += ", " + share.letter + " at " + share.site.text() + " " +
                  std::string(upkeep::finding_name(share.finding)) + " " + share.why;
        }
        cluster_.found(&ClusterCounts::blamed, text);
      }
      return;
    }
    Schedule::sleep(milliseconds(200));
  }
}

void ClusterRun::remove(ClusterObject& object) {
  Cluster::Use control(cluster_, kControlSite);
  if (!control) return;
  object.state = State::kGoing;
  const auto job = control->control().upkeep().remove(object.object);
  if (!control.counts()) return;
  if (!job) {
    object.state = State::kStored;  // refused: another job works on it
    return;
  }
  object.state = State::kDeleted;
  ++cluster_.counts.deleted;
  cluster_.say("client: object ", object.object.text(), " is to be deleted");
}

// --- runs ---------------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t kFirstSeed = 20261127;

ClusterImages make_images(const ClusterShape& shape) {
  ClusterImages images;
  Schedule::run(kFirstSeed, {.preempt_one_in = 0}, [&] {
    ::sqlite3_randomness(0, nullptr);
    const ClusterRules rules{.seed = kFirstSeed};
    Cluster cluster(rules, shape, nullptr);
    cluster.keep_copies(std::chrono::hours(1));
    auto card_disk = std::make_unique<SimDisk>();
    ClusterPerson person(*card_disk);
    cluster.start_all();
    {
      Cluster::Use control(cluster, kControlSite);
      const auto enrolled = person.enrol(*control.operator->());
      if (!enrolled) abort_with(__FILE__, __LINE__, enrolled.error().message.c_str());
      const auto copied = control->control().recovery().copies()->round();
      if (!copied) abort_with(__FILE__, __LINE__, copied.error().message.c_str());
    }
    cluster.stop_all();
    images = cluster.take_images();
    images.card = std::move(card_disk);
  });
  return images;
}

}  // namespace

namespace {

// Of the run that there is.
const std::string* sql_of_bug = nullptr;

int run_sql_of_bug(sqlite3* database, char**, const sqlite3_api_routines*) {
  if (sql_of_bug != nullptr) {  // a database without the table is not meant
    (void)::sqlite3_exec(database, sql_of_bug->c_str(), nullptr, nullptr, nullptr);
  }
  return SQLITE_OK;
}

// Whoever dies of a broken invariant says of which seed; memory is kept instead of given back.
std::uint64_t running_seed = 0;

void tell_seed(int) {
  char text[] = "simulation: that was seed 00000000000000000000\n";
  std::uint64_t left = running_seed;
  for (std::size_t at = sizeof text - 3; left > 0; --at, left /= 10) {
    text[at] = static_cast<char>('0' + left % 10);
  }
  (void)!::write(STDERR_FILENO, text, sizeof text - 1);
  std::signal(SIGABRT, SIG_DFL);
}

void prepare_process() {
  static const bool done = [] {
    std::signal(SIGABRT, tell_seed);
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
    ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
    ::sqlite3_auto_extension(reinterpret_cast<void (*)()>(run_sql_of_bug));
    return true;
  }();
  (void)done;
}

}  // namespace

const ClusterImages& cluster_images(const ClusterShape& shape) {
  static std::map<std::string, ClusterImages> made;
  auto found = made.find(shape.name);
  if (found == made.end()) found = made.emplace(shape.name, make_images(shape)).first;
  return found->second;
}

ClusterOutcome run_cluster(const ClusterRules& rules) {
  prepare_process();
  running_seed = rules.seed;
  const ClusterShape& shape = rules.shape.empty() ? shape_of(rules.seed) : shape_named(rules.shape);
  const ClusterImages& images = cluster_images(shape);
  sql_of_bug = rules.bugs.catalog_sql.empty() ? nullptr : &rules.bugs.catalog_sql;
  ClusterOutcome outcome;
  Schedule::run(rules.seed, {}, [&] {
    ::sqlite3_randomness(0, nullptr);  // draws its seed anew, from this run's numbers
    ClusterRun run(rules, shape, images);
    run.live();
    outcome.counts = run.cluster().counts;
    outcome.counts.turns = Schedule::turns();
    outcome.findings = run.cluster().findings;
    outcome.trace = Schedule::trace();
  });
  return outcome;
}

}  // namespace warifu::sim
