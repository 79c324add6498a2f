// Test doubles of the card's tests: keys, grants as the card reads them, faults on the way to the
// card and below it. No test framework here.
#pragma once

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "card/consent_profile.h"
#include "card/emulator.h"
#include "os/files.h"
#include "testing/passing_files.h"
#include "wire/wire.h"

namespace warifu::card::test {

inline constexpr std::string_view kPin = "314159";

inline secret::Buffer random_buffer(std::mt19937_64& generator, std::size_t size) {
  secret::Buffer buffer(size);
  for (auto& b : buffer.bytes()) b = static_cast<Byte>(generator());
  return buffer;
}

inline SiteKeys site_keys(std::string_view site, std::uint32_t count, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  return {*SiteName::parse(site), random_buffer(generator, count * kOneTimeKeyBytes)};
}

inline CardId card_id() {
  return *CardId::parse("00112233445566778899aabbccddeeff");
}

// A grant with the fields that a card checks; everything else is zero.
inline Bytes card_grant(const CardId& card, KeyIndex index, const std::vector<std::string>& sites) {
  namespace layout = grant_layout;
  const std::size_t size = layout::kSitesAt + sites.size() * layout::kSiteBytes;
  wire::Writer head;
  head.raw(as_bytes(layout::kMagic));
  head.u16(layout::kVersion);
  head.u16(static_cast<std::uint16_t>(size));
  head.id(card);
  Bytes grant = head.take();
  grant.resize(size);
  wire::Writer number;
  number.u32(index.value);
  copy_bytes(MutableBytes(grant).subspan(layout::kIndexAt), number.bytes());
  grant[layout::kSiteCountAt] = static_cast<Byte>(sites.size());
  for (std::size_t i = 0; i < sites.size(); ++i) {
    copy_bytes(MutableBytes(grant).subspan(layout::kSitesAt + i * layout::kSiteBytes),
               SiteName::parse(sites[i])->padded());
  }
  return grant;
}

inline ObjectRecord object_record(Byte number) {
  ObjectRecord record;
  record.object.bytes.fill(number);
  record.hash_key = secret::Buffer(16);
  record.hash_key.bytes()[3] = number;
  record.tag.fill(static_cast<Byte>(number + 1));
  record.chunk_count = number;
  record.length.value = number * 1000u;
  return record;
}

inline Personalisation personalisation(const std::vector<std::string>& sites, std::uint32_t count) {
  Personalisation content{card_id(), secret::Buffer::copy_of(as_bytes(kPin)), {1}, {}};
  for (std::size_t i = 0; i < sites.size(); ++i) {
    content.sites.push_back(site_keys(sites[i], count, i + 1));
  }
  return content;
}

// The tag that the site expects for index `position` of its key set.
inline mac::Tag expected_tag(const SiteKeys& keys, std::size_t position, ByteView grant) {
  const ByteView key =
      ByteView(keys.keys.bytes()).subspan(position * kOneTimeKeyBytes, kOneTimeKeyBytes);
  return mac::one_time_tag(mac::Key(key.first(16)), grant, key.last(16));
}

// Passes APDUs on until `left` of them are used up; then the card is torn out of the reader, before
// or after the card has carried out the command.
class TearingTransport final : public CardTransport {
 public:
  enum class Tear { kBeforeCommand, kAfterCommand };
  TearingTransport(CardTransport& card, int left, Tear tear)
      : card_(card), left_(left), tear_(tear) {}
  Bytes atr() override { return card_.atr(); }
  Result<secret::Buffer> transmit(ByteView apdu) override {
    if (left_-- > 0) return card_.transmit(apdu);
    if (left_ == -1 && tear_ == Tear::kAfterCommand) (void)card_.transmit(apdu);
    return fail(Code::kUnavailable, "card removed");
  }
  void reset() override { card_.reset(); }

 private:
  CardTransport& card_;
  int left_;
  Tear tear_;
};

// The real file system, in which opening a file for writing fails while `broken` is set.
class BreakableFiles final : public sim::PassingFiles {
 public:
  BreakableFiles() : PassingFiles(os::real_files()) {}
  bool broken = false;
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    if (broken && mode != os::OpenMode::kRead) return fail(Code::kNoSpace, "disk full: " + path);
    return PassingFiles::open(path, mode);
  }
};

}  // namespace warifu::card::test
