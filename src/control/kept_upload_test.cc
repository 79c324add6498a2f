// Uploads that outlive their process: what was told as received is there after any crash.
#include "control/kept_upload.h"

#include <gtest/gtest.h>

#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::control {
namespace {

constexpr std::uint64_t kChunk = limits::kChunkBytes;
constexpr std::uint64_t kLength = 2 * kChunk + 1000;
const std::string kFolder = "site/staging";

Bytes file_bytes() {
  Bytes bytes(kLength);
  sim::Dice(3).fill(bytes);
  return bytes;
}
Bytes other_bytes() {
  Bytes bytes(kChunk + 10);
  sim::Dice(4).fill(bytes);
  return bytes;
}
Bytes lead_bytes() {
  Bytes bytes(kChunk);
  sim::Dice(5).fill(bytes);
  return bytes;
}

// Gives `bytes` in small parts, then its end or an error.
KeptUpload::Source source_of(ByteView bytes, std::optional<Error> end = {}) {
  return [bytes, end, at = std::size_t{0}](MutableBytes out) mutable -> Result<std::size_t> {
    const std::size_t part = std::min({out.size(), std::size_t{100'000}, bytes.size() - at});
    if (part == 0 && end) return std::unexpected(*end);
    copy_bytes(out, bytes.subspan(at, part));
    at += part;
    return part;
  };
}

class Site {
 public:
  explicit Site(os::FileSystem& files, std::uint64_t seed = 1) : random_(seed), files_(files) {}
  [[nodiscard]] KeptUpload::Home home() {
    return {.system = {files_, clock_, random_}, .folder = kFolder, .root_key = root_key_};
  }
  UploadFacts facts(IndexFrom index = IndexFrom::kNowhere) {
    UploadFacts made{.id = os::random_id<JobId>(random_),
                     .person = "P-001",
                     .label = "genome.cram",
                     .policy = "2 of (a, b, c)",
                     .mark = "1234",
                     .length = kLength,
                     .priority = catalog::JobPriority::kUrgent,
                     .index = index};
    made.began = clock_.now();
    return made;
  }

 private:
  sim::SimClock clock_;
  sim::SimRandom random_;
  os::FileSystem& files_;
  std::array<Byte, 32> root_key_{9};
};

Bytes all_of(const KeptUpload& upload) {
  Bytes bytes(upload.stored_bytes());
  EXPECT_TRUE(upload.read(0, bytes));
  return bytes;
}

TEST(KeptUpload, IsTheSameWhenItIsLoadedAgain) {
  sim::SimDisk disk;
  Site site(disk);
  const Bytes bytes = file_bytes();
  auto upload = *KeptUpload::create(site.home(), site.facts());
  ASSERT_TRUE(upload.append(source_of(ByteView(bytes).first(kChunk + 500))));
  EXPECT_EQ(upload.received(), kChunk) << "whole chunks";
  auto again = *KeptUpload::load(site.home(), upload.facts().id);
  EXPECT_EQ(again.received(), kChunk);
  EXPECT_EQ(again.facts().person, "P-001");
  EXPECT_EQ(again.facts().policy, "2 of (a, b, c)");
  EXPECT_EQ(again.facts().mark, "1234");
  EXPECT_EQ(again.facts().priority, catalog::JobPriority::kUrgent);
  ASSERT_TRUE(again.append(source_of(ByteView(bytes).subspan(kChunk))));
  EXPECT_TRUE(again.is_ready());
  EXPECT_EQ(all_of(again), bytes);
  ASSERT_TRUE(again.erase());
  EXPECT_TRUE(disk.list(kFolder)->empty());
}

TEST(KeptUpload, APieceThatIsCutOffKeepsItsWholeChunks) {
  sim::SimDisk disk;
  Site site(disk);
  const Bytes bytes = file_bytes();
  auto upload = *KeptUpload::create(site.home(), site.facts());
  const Error lost{Code::kUnavailable, "lost"};
  EXPECT_EQ(upload.append(source_of(ByteView(bytes).first(kChunk + 1), lost)).error().code,
            Code::kUnavailable);
  EXPECT_EQ(upload.received(), kChunk);
  EXPECT_EQ(upload.append(source_of(ByteView(bytes).subspan(kChunk, 100))).error().code,
            Code::kInvalidArgument)
      << "less than a chunk";
  Bytes more(kLength - kChunk + 1);
  EXPECT_EQ(upload.append(source_of(more)).error().code, Code::kInvalidArgument);
  EXPECT_LE(upload.received(), 2 * kChunk);
}

TEST(KeptUpload, AFullDiskLosesNothing) {
  sim::SimDisk disk;
  Site site(disk);
  const Bytes bytes = file_bytes();
  auto upload = *KeptUpload::create(site.home(), site.facts());
  ASSERT_TRUE(upload.append(source_of(ByteView(bytes).first(kChunk))));
  disk.set_full(true);
  EXPECT_EQ(upload.append(source_of(ByteView(bytes).subspan(kChunk))).error().code, Code::kNoSpace);
  EXPECT_EQ(upload.received(), kChunk);
  disk.set_full(false);
  ASSERT_TRUE(upload.append(source_of(ByteView(bytes).subspan(kChunk))));
  EXPECT_EQ(all_of(upload), bytes);
}

TEST(KeptUpload, ARecordOfAnotherSiteOrADamagedOneIsRefused) {
  sim::SimDisk disk;
  Site site(disk);
  const auto upload = *KeptUpload::create(site.home(), site.facts());
  const std::string path = kFolder + "/" + upload.facts().id.text() + ".upload";
  for (std::uint64_t at = 0; disk.rot(path, at, 0x40); ++at) {
    EXPECT_EQ(KeptUpload::load(site.home(), upload.facts().id).error().code, Code::kCorrupt) << at;
    disk.rot(path, at, 0x40);
  }
  ASSERT_TRUE(disk.rename(path, kFolder + "/" + JobId{}.text() + ".upload"));
  EXPECT_EQ(KeptUpload::load(site.home(), JobId{}).error().code, Code::kCorrupt);
}

// --- power loss at every change of the disk ------------------------------------------------------

struct Promise {
  std::optional<JobId> id;
  std::uint64_t received = 0;
  bool lead = false, prepared = false, erased = false;
};

// Another file takes the first one's place, as control/upload_prepare.cc does it.
Result<> prepare(KeptUpload& upload) {
  const auto done = [&]() -> Result<> {
    TRY_ASSIGN(KeptUpload::Other file, upload.start_other());
    TRY(file.writer->append(other_bytes()));
    TRY_ASSIGN(const ByteCount written, file.writer->finish());
    file.length = written.value;
    file.writer.reset();
    return upload.set_prepared({.reads_per_slice = 1000, .records = 8, .stored_bytes = file.length},
                               lead_bytes(), 1, "CRAM", &file);
  }();
  if (!done) upload.drop_other();
  return done;
}

// Errors are failures of the test; the crash is an exception. `other`: the file is replaced too.
void live(sim::SimDisk& disk, Promise& promise, bool other) {
  Site site(disk);
  const Bytes bytes = file_bytes();
  auto upload =
      *KeptUpload::create(site.home(), site.facts(other ? IndexFrom::kHere : IndexFrom::kSender));
  promise.id = upload.facts().id;
  if (!other) {
    ASSERT_TRUE(upload.set_lead(lead_bytes(), 1, "CRAM"));
    promise.lead = true;
  }
  while (!upload.has_all()) {
    const ByteView rest = ByteView(bytes).subspan(upload.received());
    ASSERT_TRUE(upload.append(source_of(rest.first(std::min<std::size_t>(kChunk, rest.size())))));
    promise.received = upload.received();
  }
  ASSERT_TRUE(upload.touch({5}, true));
  if (other) {
    ASSERT_TRUE(prepare(upload));
    promise.prepared = true;
  }
  promise.erased = true;  // from here on it may be gone
  ASSERT_TRUE(upload.erase());
}

// Empty, or which promise was broken.
std::string judge(sim::SimDisk& disk, const Promise& promise) {
  if (!promise.id) return {};
  Site site(disk, 2);
  auto upload = KeptUpload::load(site.home(), *promise.id);
  if (!upload) return promise.erased ? "" : upload.error().message;
  if (upload->received() < promise.received) return "what was told as received is gone";
  if (promise.lead && upload->facts().lead_chunks != 1) return "the lead is gone";
  if (promise.prepared && !upload->facts().prepared) return "the preparation is gone";
  if (promise.erased) return {};  // cut off while it was erased
  const Bytes bytes = file_bytes();
  if (!upload->has_all()) {
    if (!upload->append(source_of(ByteView(bytes).subspan(upload->received())))) {
      return "it does not go on";
    }
  }
  if (all_of(*upload) != (upload->facts().prepared ? other_bytes() : bytes)) return "other bytes";
  if (upload->facts().lead_chunks == 0) return {};
  auto reader =
      StagingReader::open(site.home().system, kFolder + "/" + promise.id->text(), upload->key(),
                          sharing::Chunking{ByteCount{upload->object_bytes()}});
  Bytes first(sharing::Chunking{ByteCount{upload->object_bytes()}}.record_length({0}));
  if (!reader || !reader->read({0}, first)) return "the lead cannot be read";
  first.resize(kChunk);
  return first == lead_bytes() ? "" : "another lead";
}

void crash_everywhere(bool other) {
  sim::SimDisk whole;
  Promise last;
  live(whole, last, other);
  const std::uint64_t changes = whole.changes();
  ASSERT_GT(changes, 20);
  for (std::uint64_t change = 1; change <= changes; ++change) {
    sim::SimDisk disk;
    Promise promise;
    disk.crash_at(change);
    try {
      live(disk, promise, other);
    } catch (const sim::SimCrash&) {  // as wished
    }
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
      const auto image = disk.crash_image(seed);
      EXPECT_EQ(judge(*image, promise), "") << "change " << change << ", seed " << seed;
      EXPECT_EQ(judge(*image, promise), "") << "again: change " << change << ", seed " << seed;
    }
    EXPECT_EQ(judge(*disk.kill_image(), promise), "") << "killed at change " << change;
  }
}

TEST(KeptUploadCrash, NothingReceivedIsLostWhereverThePowerGoes) {
  crash_everywhere(false);
}

TEST(KeptUploadCrash, AnotherFileTakesTheFirstOnesPlaceAtOnceOrNotAtAll) {
  crash_everywhere(true);
}

// --- an error at every operation -----------------------------------------------------------------

KeptUpload received(Site& site) {
  auto upload = *KeptUpload::create(site.home(), site.facts(IndexFrom::kHere));
  const Bytes bytes = file_bytes();
  EXPECT_TRUE(upload.append(source_of(bytes)));
  return upload;
}

// False: that many operations were not needed.
bool prepare_with(sim::Fault fault, bool for_good, std::uint64_t operation) {
  const std::string where = "fault " + std::to_string(static_cast<int>(fault)) + " at operation " +
                            std::to_string(operation) + (for_good ? " and behind it" : "");
  sim::SimDisk disk;
  Site site(disk);
  auto upload = received(site);
  Promise promise{.id = upload.facts().id, .received = kLength};
  const std::uint64_t before = disk.faults_met();
  disk.fail_next(operation, fault, for_good);
  bool is_dead = false;
  Result<> done;
  try {
    done = prepare(upload);
  } catch (const sim::SimAbort&) {  // a failed sync
    is_dead = true;
  }
  const bool met = disk.faults_met() > before;
  disk.clear_faults();
  promise.prepared = done && !is_dead;
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    EXPECT_EQ(judge(*disk.crash_image(seed), promise), "") << where << ", seed " << seed;
  }
  EXPECT_EQ(judge(*disk.kill_image(), promise), "") << where;
  if (is_dead) return met;
  EXPECT_EQ(upload.facts().prepared.has_value(), promise.prepared) << where;
  EXPECT_EQ(all_of(upload), done ? other_bytes() : file_bytes()) << where;
  if (!done) {
    EXPECT_TRUE(prepare(upload)) << where;
    promise.prepared = true;
    EXPECT_EQ(all_of(upload), other_bytes()) << where;
    EXPECT_EQ(judge(*disk.kill_image(), promise), "") << where;
  }
  return met;
}

TEST(KeptUploadError, APreparationThatFailsLeavesTheUploadAsItWas) {
  for (const sim::Fault fault : {sim::Fault::kIo, sim::Fault::kShort, sim::Fault::kInterrupted}) {
    for (const bool for_good : {false, true}) {
      std::uint64_t operation = 1;
      while (prepare_with(fault, for_good, operation)) ++operation;
      EXPECT_GT(operation, 20);
    }
  }
}

TEST(KeptUploadError, AnErasureThatFailsLeavesTheUploadAsItWas) {
  for (const sim::Fault fault : {sim::Fault::kIo, sim::Fault::kInterrupted}) {
    std::uint64_t refused = 0;
    for (std::uint64_t operation = 1;; ++operation) {
      sim::SimDisk disk;
      Site site(disk);
      auto upload = received(site);
      disk.fail_next(operation, fault, true);
      Result<> done;
      try {
        done = upload.erase();
      } catch (const sim::SimAbort&) {  // a failed sync
        continue;
      }
      const bool met = disk.faults_met() > 0;
      disk.clear_faults();
      if (done) {
        EXPECT_EQ(KeptUpload::load(site.home(), upload.facts().id).error().code, Code::kNotFound);
      } else {
        ++refused;
        EXPECT_EQ(all_of(upload), file_bytes()) << operation;
        EXPECT_TRUE(upload.touch({7}, true));
        EXPECT_EQ(all_of(*KeptUpload::load(site.home(), upload.facts().id)), file_bytes());
      }
      if (!met) break;
    }
    EXPECT_EQ(refused, fault == sim::Fault::kIo ? 1U : 0U);
  }
}

// The test must see a disk that lies about what is durable.
TEST(KeptUploadCrash, ADiskThatDoesNotSyncIsFound) {
  bool found = false;
  for (std::uint64_t change = 1; change < 60 && !found; ++change) {
    sim::SimDisk disk;
    disk.lie({.sync_does_nothing = true});
    Promise promise;
    disk.crash_at(change);
    try {
      live(disk, promise, false);
    } catch (const sim::SimCrash&) {  // as wished
    }
    for (std::uint64_t seed = 0; seed < 6 && !found; ++seed) {
      found = !judge(*disk.crash_image(seed), promise).empty();
    }
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace warifu::control
