// The emulated card under faults: torn ceremonies, a full disk, hostile APDUs, damaged files.
#include "card/emulator.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "card/card_test_support.h"
#include "card/consent_commands.h"
#include "testing/temporary_folder.h"

namespace warifu::card {
namespace {

using namespace test;

class EmulatorTest : public testing::Test {
 protected:
  void SetUp() override { path_ = dir_ + "/card"; }
  void make_active(std::uint32_t count) {
    const auto card = *EmulatedCard::create(files_, path_);
    const auto session = *Session::open(*card);
    ASSERT_TRUE(
        ConsentCard::select(*session)->personalise(personalisation({"lsa", "tommo"}, count)));
  }
  CardIdentity identity() {
    const auto card = *EmulatedCard::open(files_, path_);
    const auto session = *Session::open(*card);
    return *ConsentCard::select(*session)->identity();
  }
  sim::TemporaryFolder dir_;
  std::string path_;
  BreakableFiles files_;
};

TEST_F(EmulatorTest, ASecondHolderIsToldThatTheCardIsBusy) {
  make_active(3);
  const auto card = *EmulatedCard::open(files_, path_);
  const auto second = EmulatedCard::open(files_, path_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kBusy);
  EXPECT_EQ(EmulatedCard::open(files_, dir_ + "/none").error().code, Code::kNotFound);
}

TEST_F(EmulatorTest, TheFileIsForItsOwnerOnlyAndNotOverwritten) {
  make_active(3);
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  EXPECT_EQ(EmulatedCard::create(files_, path_).error().code, Code::kAlreadyExists);
}

TEST_F(EmulatorTest, UsedKeysAreNoLongerInTheFile) {
  make_active(3);
  const auto content = personalisation({"lsa", "tommo"}, 3);
  {
    const auto card = *EmulatedCard::open(files_, path_);
    const auto session = *Session::open(*card);
    auto client = *ConsentCard::select(*session);
    ASSERT_TRUE(client.verify_pin(as_bytes(kPin)));
    ASSERT_TRUE(client.authorise(card_grant(card_id(), {1}, {"lsa"})));
  }
  const Bytes file = *os::read_file(files_, path_, 1 << 20);
  for (const SiteKeys& site : content.sites) {  // also of the site that the grant did not name
    for (std::size_t key = 0; key < 3; ++key) {
      const ByteView bytes = ByteView(site.keys.bytes()).subspan(key * 32, 32);
      const bool found = !std::ranges::search(file, bytes).empty();
      EXPECT_EQ(found, key != 0);
    }
  }
}

// Runs the whole ceremony through a reader that loses the card at APDU `left`. False = torn.
bool ceremony(EmulatedCard& card, int left, TearingTransport::Tear tear, std::uint32_t index,
              bool* answered) {
  TearingTransport reader(card, left, tear);
  const auto session = *Session::open(reader);
  auto client = ConsentCard::select(*session);
  if (!client || !client->identity() || !client->verify_pin(as_bytes(kPin))) return false;
  if (!client->put_object(object_record(static_cast<Byte>(index)))) return false;
  *answered = client->authorise(card_grant(card_id(), {index}, {"lsa", "tommo"})).has_value();
  if (!*answered) return false;
  const auto used = client->identity();
  if (!used) return false;
  std::vector<SiteKeys> more;
  more.push_back(site_keys("lsa", 8, 41));
  more.push_back(site_keys("tommo", 8, 42));
  return client->top_up(used->keys.end(), more).has_value() && client->identity().has_value();
}

TEST_F(EmulatorTest, TornAfterEveryApduTheCardStaysConsistent) {
  make_active(100);
  for (const auto tear :
       {TearingTransport::Tear::kBeforeCommand, TearingTransport::Tear::kAfterCommand}) {
    bool whole = false;
    int apdus = 0;
    for (int left = 0; !whole; ++left) {
      ASSERT_LT(left, 40);
      const CardIdentity before = identity();
      bool answered = false;
      {
        const auto card = *EmulatedCard::open(files_, path_);
        whole = ceremony(*card, left, tear, before.keys.first.value, &answered);
      }
      const CardIdentity after = identity();  // reads the file: it must be whole
      EXPECT_EQ(after.pin_tries_left, 3);
      EXPECT_EQ(after.card, before.card);
      const std::uint32_t burnt = after.keys.first.value - before.keys.first.value;
      EXPECT_LE(burnt, 1u);
      EXPECT_TRUE(!answered || burnt == 1);
      const std::uint32_t added = after.keys.end().value - before.keys.end().value;
      EXPECT_TRUE(added == 0 || added == 8) << added;
      apdus = left;
    }
    EXPECT_GT(apdus, 10);
  }
}

TEST_F(EmulatorTest, TornPersonalisationLeavesABlankOrAWholeCard) {
  for (const auto tear :
       {TearingTransport::Tear::kBeforeCommand, TearingTransport::Tear::kAfterCommand}) {
    bool whole = false;
    for (int left = 0; !whole; ++left) {
      const std::string path = dir_ + "/p" + std::to_string(left) +
                               (tear == TearingTransport::Tear::kBeforeCommand ? "b" : "a");
      const auto card = *EmulatedCard::create(files_, path);
      {
        TearingTransport reader(*card, left, tear);
        const auto session = *Session::open(reader);
        auto client = ConsentCard::select(*session);
        whole = client && client->personalise(personalisation({"lsa", "tommo"}, 15)).has_value();
      }
      const auto session = *Session::open(*card);
      const auto after = *ConsentCard::select(*session)->identity();
      EXPECT_EQ(after.keys.count, after.is_active ? 15u : 0u);
      EXPECT_TRUE(!whole || after.is_active);
    }
  }
}

TEST_F(EmulatorTest, NothingIsAnsweredThatCouldNotBeStored) {
  make_active(5);
  const auto card = *EmulatedCard::open(files_, path_);
  const auto session = *Session::open(*card);
  auto client = *ConsentCard::select(*session);
  // The counter cannot go down, so the PIN is not even compared.
  files_.broken = true;
  EXPECT_EQ(client.verify_pin(as_bytes(kPin)).error().code, Code::kIo);
  EXPECT_EQ(client.list_objects().error().code, Code::kRefused);
  files_.broken = false;
  ASSERT_TRUE(client.verify_pin(as_bytes(kPin)));
  files_.broken = true;
  const auto tags = client.authorise(card_grant(card_id(), {1}, {"lsa"}));
  ASSERT_FALSE(tags);
  EXPECT_EQ(tags.error().code, Code::kIo);
  EXPECT_EQ(client.put_object(object_record(1)).error().code, Code::kIo);
  files_.broken = false;
  EXPECT_EQ(client.identity()->keys.first.value, 1u);
  EXPECT_EQ(client.identity()->object_count, 0);
}

TEST_F(EmulatorTest, TheCounterIsDownInTheFileBeforeThePinIsCompared) {
  make_active(5);
  for (const char* pin : {"000000", "314159"}) {
    files_.broken = true;
    const auto card = *EmulatedCard::open(files_, path_);
    const auto session = *Session::open(*card);
    // Right or wrong: the answer is the same, because nothing was compared.
    EXPECT_EQ(ConsentCard::select(*session)->verify_pin(as_bytes(pin)).error().code, Code::kIo);
    files_.broken = false;
  }
  EXPECT_EQ(identity().pin_tries_left, 3);
  {
    const auto card = *EmulatedCard::open(files_, path_);
    const auto session = *Session::open(*card);
    EXPECT_FALSE(ConsentCard::select(*session)->verify_pin(as_bytes("000000")));
  }
  EXPECT_EQ(identity().pin_tries_left, 2);
}

TEST_F(EmulatorTest, AResetForgetsPinAndSelection) {
  make_active(5);
  const auto card = *EmulatedCard::open(files_, path_);
  const auto status_of = [&](const char* apdu) {
    return to_hex(card->transmit(*from_hex(apdu))->bytes());
  };
  EXPECT_EQ(status_of("00a4040008f057415249465501"), "9000");
  EXPECT_EQ(status_of("0020008106333134313539"), "9000");
  EXPECT_EQ(status_of("80cc000000"), "9000");
  card->reset();
  EXPECT_EQ(status_of("80cc000000"), "6985");
  EXPECT_EQ(status_of("00a4040008f057415249465501"), "9000");
  EXPECT_EQ(status_of("80cc000000"), "6982");
}

TEST_F(EmulatorTest, HostileApdusNeverReleaseAnythingWithoutThePin) {
  make_active(50);
  const auto card = *EmulatedCard::open(files_, path_);
  std::mt19937_64 generator(20261124);
  const Bytes grant = card_grant(card_id(), {1}, {"lsa", "tommo"});
  const std::vector<CommandHeader> known = {
      profile::kReadIdentity, profile::kBeginPersonalise, profile::kBeginTopUp,
      profile::kBeginRenewal, profile::kLoadKeys,         profile::kCommitLoad,
      profile::kPutObject,    profile::kListObjects,      profile::kGetObject,
      profile::kAuthorise,    profile::kGetResponse,      profile::kListSites};
  ASSERT_TRUE(card->transmit(*from_hex("00a4040008f057415249465501")));
  wire::Writer names;
  for (const char* name : {"lsa", "tommo"}) names.site(*SiteName::parse(name));
  const Bytes site_names = names.take();
  std::map<std::uint16_t, int> seen;
  for (int i = 0; i < 30000; ++i) {
    Bytes apdu;
    const auto kind = generator() % 4;
    if (kind == 0) {
      apdu.resize(generator() % 40);
      for (auto& b : apdu) b = static_cast<Byte>(generator());
    } else {
      const CommandHeader header = known[generator() % known.size()];
      Bytes data = kind == 1 ? grant : Bytes(generator() % 300, static_cast<Byte>(generator()));
      if (kind == 2 && !data.empty()) data[generator() % data.size()] ^= 0x40;
      const auto whole = *encode_command(header, data, generator() % 2 == 0 ? 0 : 256);
      apdu.assign(whole.bytes().begin(), whole.bytes().end());
      if (kind == 3) apdu[generator() % apdu.size()] = static_cast<Byte>(generator());
      if (generator() % 8 == 0) apdu.resize(generator() % apdu.size());
    }
    // VERIFY would spend tries; the wrong PINs have their own test.
    if (apdu.size() > 1 && apdu[1] == profile::kVerify.ins) continue;
    if (apdu.size() > 1 && apdu[1] == profile::kSelect.ins) continue;
    const auto answer = card->transmit(apdu);
    ASSERT_TRUE(answer);
    const auto response = parse_response(answer->bytes());
    ASSERT_TRUE(response);
    ++seen[response->status.value];
    // The identity and the names of sites are all that comes out.
    ASSERT_LE(response->data.size(), profile::kIdentityBytes);
    if (response->data.size() >= 32 && !std::ranges::equal(response->data.bytes(), site_names)) {
      ASSERT_EQ(response->data.bytes()[0], profile::kVersion);
    }
  }
  EXPECT_GT(seen.size(), 8u);
  EXPECT_GT(seen[0x6982], 1000);
  const auto session = *Session::open(*card);
  const auto after = *ConsentCard::select(*session)->identity();
  EXPECT_EQ(after.keys.first.value, 1u);
  EXPECT_EQ(after.keys.count, 50u);
  EXPECT_EQ(after.object_count, 0);
  EXPECT_EQ(after.pin_tries_left, 3);
}

TEST_F(EmulatorTest, CommandsNeedTheApplication) {
  make_active(3);
  const auto card = *EmulatedCard::open(files_, path_);
  EXPECT_EQ(to_hex(card->transmit(*from_hex("80ca000000"))->bytes()), "6985");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("00a4040002f057"))->bytes()), "6a82");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("00a4040008f057415249465501"))->bytes()), "9000");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("80ca000004"))->bytes()), "6c20");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("80cb010000"))->bytes()), "6a86");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("80aa000000"))->bytes()), "6d00");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("40ca000000"))->bytes()), "6e00");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("902a000002aabb"))->bytes()), "9000");
  EXPECT_EQ(to_hex(card->transmit(*from_hex("80ca000000"))->bytes()), "6883");
}

TEST_F(EmulatorTest, DamagedFilesAreNamedAndRefused) {
  make_active(2);
  const Bytes good = *os::read_file(files_, path_, 1 << 20);
  const auto open_with = [&](const Bytes& bytes) {
    EXPECT_TRUE(os::replace_file(files_, path_, bytes));
    return EmulatedCard::open(files_, path_);
  };
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes bad = good;
    bad[i] = static_cast<Byte>(bad[i] ^ (1U << (i % 8)));
    const auto card = open_with(bad);
    ASSERT_FALSE(card) << i;
    EXPECT_EQ(card.error().code, Code::kCorrupt);
    EXPECT_NE(card.error().message.find("/card' is damaged"), std::string::npos);
  }
  for (std::size_t size = 0; size < good.size(); size += 5) {
    EXPECT_FALSE(open_with(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  }
  EXPECT_TRUE(open_with(good));
}

}  // namespace
}  // namespace warifu::card
