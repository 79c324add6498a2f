// Pools of earlier versions, and hands that do not belong: an index without parts and marks of
// versions before 3 are read and written anew or refused by name; a child of fork() uses nothing;
// a calendar that jumps harms nothing.
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/limits.h"
#include "keypool/pool.h"
#include "testing/sim_clock.h"
#include "testing/sim_disk.h"
#include "testing/sim_random.h"
#include "wire/wire.h"

namespace warifu::keypool {
namespace {

constexpr std::size_t kMagicBytes = 8;
const std::string kDir = "/site/rx";

class OldPoolsTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(disk_.make_directories("/site"));
    ASSERT_TRUE(
        Pool::create(system(), kDir, LinkId::from_view(Bytes(16, 9)), Direction::kReceive, root_));
    open();
    for (std::size_t i = 0; i < 3; ++i) feed();
  }
  os::System system() { return {disk_, clock_, random_}; }
  void open() {
    pool_.reset();
    auto pool = Pool::open(system(), kDir, root_, {.control_floor_bytes = 0});
    ASSERT_TRUE(pool) << pool.error().message;
    pool_ = std::move(*pool);
  }
  void feed() {
    Bytes material(1000);
    random_.fill(material);
    const SegmentNumber number = pool_->next_segment();
    ASSERT_TRUE(pool_->ingest(number, Origin::kPreshared, material));
    ASSERT_TRUE(pool_->mark_synced(number, pool_->status().synced_end));
    stream_.insert(stream_.end(), material.begin(), material.end());
  }
  void expect_next(std::size_t size) {
    auto reserved = pool_->reserve({size}, Purpose::kControl);
    ASSERT_TRUE(reserved) << reserved.error().message;
    const auto begin = static_cast<std::ptrdiff_t>(reserved->begin().value);
    const auto pad = reserved->take(size);
    ASSERT_TRUE(pad);
    EXPECT_EQ(Bytes(pad->bytes().begin(), pad->bytes().end()),
              Bytes(stream_.begin() + begin,
                    stream_.begin() + begin + static_cast<std::ptrdiff_t>(size)));
  }
  Bytes read(const char* name) { return *os::read_file(disk_, kDir + "/" + name, 1 << 20); }
  void write(const char* name, ByteView bytes) {
    ASSERT_TRUE(os::replace_file(disk_, kDir + "/" + name, bytes));
  }
  // The index as the first version wrote it.
  Bytes first_index() {
    const Index index = *decode_index(read("index"), "index");
    wire::Writer old;
    old.raw(as_bytes("WRFINDX1"));
    old.u64(index.next_number);
    old.u64(index.stream_end.value);
    old.u32(static_cast<std::uint32_t>(index.entries.size()));
    for (const SegmentEntry& entry : index.entries) {
      old.u64(entry.number.value);
      old.u64(entry.base.value);
      old.u32(entry.length);
      old.u8(static_cast<std::uint8_t>(entry.state));
      old.u8(static_cast<std::uint8_t>(entry.origin));
      old.i64(entry.created.value);
      old.u64(entry.wrap_index);
      old.raw(entry.wrapped_key);
    }
    old.u32(wire::crc32c(old.bytes()));
    return old.take();
  }
  // Both slots as an earlier version wrote them: fewer counters.
  static Bytes old_marks(std::string_view magic, const Mark& mark, int counters) {
    Bytes slots;
    for (std::uint64_t sequence = mark.sequence; sequence < mark.sequence + 2; ++sequence) {
      wire::Writer slot;
      slot.raw(as_bytes(magic));
      slot.u64(sequence);
      slot.u64(mark.mark.value);
      for (int i = 0; i < counters; ++i) slot.u64(mark.payload_bytes);
      slot.u32(wire::crc32c(slot.bytes()));
      Bytes whole = slot.take();
      whole.resize(kMarkSlotBytes);
      slots.insert(slots.end(), whole.begin(), whole.end());
    }
    return slots;
  }
  std::string magic(const char* name) {
    const Bytes bytes = read(name);
    return std::string(as_text(ByteView(bytes).first(kMagicBytes)));
  }

  sim::SimDisk disk_;
  sim::SimClock clock_;
  sim::SimRandom random_{4};
  Bytes root_ = Bytes(32, 3);
  Bytes stream_;
  std::unique_ptr<Pool> pool_;
};

TEST_F(OldPoolsTest, AnIndexWithoutPartsIsReadAndWrittenAnew) {
  expect_next(100);
  pool_.reset();
  write("index", first_index());
  open();
  ASSERT_EQ(pool_->segments().size(), 3u);
  for (const SegmentEntry& entry : pool_->segments()) {
    EXPECT_EQ(entry.parts, origin_bit(Origin::kPreshared));
  }
  EXPECT_EQ(pool_->status().mark.value, 100u);
  expect_next(2000);
  EXPECT_EQ(magic("index"), "WRFINDX2");  // two segments were forgotten
  feed();
  open();
  expect_next(1900);
}

TEST_F(OldPoolsTest, ABentIndexOfTheFirstVersionIsRefused) {
  pool_.reset();
  const Bytes good = first_index();
  for (std::size_t at = 0; at < good.size(); ++at) {
    Bytes bent = good;
    bent[at] ^= 1;
    write("index", bent);
    const auto opened = Pool::open(system(), kDir, root_);
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, Code::kCorrupt) << at;
    write("index", ByteView(good).first(at));
    EXPECT_FALSE(Pool::open(system(), kDir, root_)) << "cut at " << at;
  }
  // A right checksum over a count or a state that cannot be.
  for (const auto& [place, value] : {std::pair<std::size_t, Byte>{24, 200}, {48, 9}}) {
    Bytes bent(good.begin(), good.end() - 4);
    bent[place] = value;
    wire::Writer writer;
    writer.raw(bent);
    writer.u32(wire::crc32c(bent));
    write("index", writer.bytes());
    EXPECT_FALSE(Pool::open(system(), kDir, root_)) << place;
  }
}

TEST_F(OldPoolsTest, AMarkOfTheSecondVersionIsReadAndWrittenAsTheThird) {
  pool_.reset();
  write("mark", old_marks("WRFMARK2", {.sequence = 6, .mark = {700}, .payload_bytes = 3}, 5));
  open();
  EXPECT_EQ(magic("mark"), "WRFMARK3");
  EXPECT_EQ(pool_->status().mark.value, 700u);
  EXPECT_EQ(pool_->status().payload_bytes, 3u);
  EXPECT_EQ(pool_->status().application_bytes, 0u);
  expect_next(50);
  pool_.reset();
  Bytes bent = old_marks("WRFMARK2", {.sequence = 6, .mark = {700}}, 5);
  bent[20] ^= 1;
  bent[kMarkSlotBytes + 20] ^= 1;
  write("mark", bent);
  EXPECT_EQ(Pool::open(system(), kDir, root_).error().code, Code::kCorrupt);
}

TEST_F(OldPoolsTest, AMarkOfTheFirstVersionIsRefusedByName) {
  pool_.reset();
  write("mark", old_marks("WRFMARK1", {.sequence = 2, .mark = {0}}, 4));
  const auto opened = Pool::open(system(), kDir, root_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Code::kRefused);
  EXPECT_NE(opened.error().message.find("mark format 1"), std::string::npos);
}

// A torn write may leave any bytes in the slot that it was to replace, also this name.
TEST_F(OldPoolsTest, ATornSlotThatLooksLikeTheFirstVersionIsATornSlot) {
  const std::uint64_t mark = pool_->status().mark.value;
  for (const std::size_t slot : {0U, 1U}) {
    pool_.reset();
    Bytes slots = read("mark");
    slots[slot * kMarkSlotBytes + 7] = '1';
    write("mark", slots);
    open();
    EXPECT_EQ(pool_->status().mark.value, mark);
    EXPECT_EQ(magic("mark"), "WRFMARK3");
  }
  expect_next(50);
}

// --- hands that do not belong -------------------------------------------------------------------

TEST_F(OldPoolsTest, AChildOfForkUsesNothing) {
  auto held = pool_->reserve({500}, Purpose::kControl);
  auto kept = pool_->reserve({100}, Purpose::kControl);
  ASSERT_TRUE(held && kept && kept->keep_in_memory());
  // Each statement runs in a child of its own.
  EXPECT_DEATH((void)held->take(10), "process_");
  EXPECT_DEATH((void)kept->take(10), "process_");
  EXPECT_DEATH((void)pool_->reserve({10}, Purpose::kControl), "process_");
  EXPECT_DEATH((void)pool_->burn_to({2500}), "process_");
  EXPECT_DEATH((void)pool_->ingest(pool_->next_segment(), Origin::kPreshared, Bytes(10)),
               "process_");
  // A child that only ends leaves the files alone.
  const Bytes index = read("index"), mark = read("mark");
  EXPECT_EXIT(
      {
        *held = Reservation();
        ::_exit(index == read("index") && mark == read("mark") ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_TRUE(held->take(500));
}

TEST_F(OldPoolsTest, ACalendarThatJumpsByYearsHarmsNothing) {
  const os::UnixMs now = clock_.now();
  constexpr std::int64_t kYear = 365LL * 24 * 3600 * 1000;
  for (const std::int64_t years : {20, -50, -200, 300, 0}) {
    clock_.set_calendar({now.value + years * kYear});
    feed();
    expect_next(700);
    const PadOffset mark = pool_->status().mark;
    open();
    EXPECT_EQ(pool_->status().mark, mark) << years;
    expect_next(100);
  }
}

}  // namespace
}  // namespace warifu::keypool
