// What a crash leaves of the simulated disk.
#include <algorithm>

#include "testing/sim_disk.h"
#include "testing/sim_random.h"

namespace warifu::sim {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kBlock = 4096;

void write_into(Bytes& content, std::uint64_t offset, ByteView bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  copy_bytes(MutableBytes(content).subspan(offset), bytes);
}

// Overwrites a part of one sector of the blocks that [begin, end) touches. Half of the draws aim at
// the first bytes of the write, where headers are, and half of them are short: both are the worse
// for whoever does not check what he reads.
void garble(Bytes& content, std::uint64_t begin, std::uint64_t end, Dice& dice) {
  const std::uint64_t first = begin / kBlock * kBlock;
  const std::uint64_t last =
      std::min<std::uint64_t>((end + kBlock - 1) / kBlock * kBlock, content.size());
  if (first >= last) return;
  const std::uint64_t sectors = (last - first + kSector - 1) / kSector;
  std::uint64_t sector = first + dice.below(sectors) * kSector;
  std::uint64_t from = dice.below(std::min(kSector, last - sector));
  if (begin < last && dice.one_in(2)) {
    sector = begin / kSector * kSector;
    from = std::min(begin + dice.below(64), last - 1) - sector;
    from = std::min(from, std::min(kSector, last - sector) - 1);
  }
  const std::uint64_t most = std::min(kSector, last - sector) - from;
  const std::uint64_t size =
      dice.between(1, dice.one_in(2) ? std::min<std::uint64_t>(most, 16) : most);
  dice.fill(MutableBytes(content).subspan(sector + from, size));
}

}  // namespace

Bytes& SimDisk::own(Content& content) {
  if (content.use_count() > 1) content = std::make_shared<Bytes>(*content);
  return *content;
}

void SimDisk::apply(const Change& change, Content& content) {
  if (change.truncate_to) {
    own(content).resize(*change.truncate_to);
  } else {
    write_into(own(content), change.offset, change.bytes);
  }
}

void SimDisk::tear(const Change& change, Content& content, Dice& dice, bool garbage) {
  enum Outcome { kLost, kLostToo, kWhole, kWholeToo, kPrefix, kSuffix, kScattered, kGarbage };
  const auto outcome = static_cast<Outcome>(dice.below(8));
  if (change.truncate_to) {
    if (outcome < kPrefix && outcome >= kWhole) apply(change, content);
    return;
  }
  if (change.bytes.empty()) return;
  const std::uint64_t begin = change.offset, end = begin + change.bytes.size();
  const std::uint64_t first = begin / kSector, sectors = (end - 1) / kSector - first + 1;
  const std::uint64_t cut = dice.between(0, sectors);
  Bytes& bytes = own(content);
  const bool keeps_length = dice.one_in(4);
  if (keeps_length && bytes.size() < end) bytes.resize(end);
  for (std::uint64_t i = 0; i < sectors; ++i) {
    const bool kept = outcome == kWhole || outcome == kWholeToo ||
                      (outcome == kPrefix && i < cut) || (outcome == kSuffix && i >= cut) ||
                      (outcome >= kScattered && dice.one_in(2));
    if (!kept) continue;
    const std::uint64_t from = std::max(begin, (first + i) * kSector);
    const std::uint64_t to = std::min(end, (first + i + 1) * kSector);
    write_into(bytes, from, ByteView(change.bytes).subspan(from - begin, to - from));
  }
  if (outcome == kGarbage && garbage) garble(bytes, begin, end, dice);
}

std::unique_ptr<SimDisk> SimDisk::crash_image(std::uint64_t seed) const {
  Dice dice(seed);
  auto image = std::make_unique<SimDisk>();
  image->lies_ = lies_;
  image->spared_ = spared_;
  Names names = durable_names_;
  for (const NameChange& change : pending_names_) {
    const bool renames = change.kind == NameChange::Kind::kRename;
    if (dice.one_in(2)) apply(change, names);
    if (lies_.rename_keeps_nothing && renames && dice.one_in(4)) names.erase(change.to);
  }
  for (const auto& [path, inode] : names) {  // a folder comes before what is in it
    const std::string folder = os::parent_of(path);
    if (folder != "/" && folder != "." && !image->seen_names_.contains(folder)) continue;
    if (inode == kFolder) {
      image->seen_names_.emplace_hint(image->seen_names_.end(), path, kFolder);
      continue;
    }
    Content content = inodes_[inode].durable;
    const bool garbage = spared_ == nullptr || !spared_(path);
    for (const Change& change : inodes_[inode].pending) tear(change, content, dice, garbage);
    image->seen_names_.emplace_hint(image->seen_names_.end(), path, image->inodes_.size());
    image->inodes_.push_back({content, content, {}});
  }
  image->durable_names_ = image->seen_names_;
  return image;
}

std::unique_ptr<SimDisk> SimDisk::kill_image() const {
  auto image = std::make_unique<SimDisk>();
  image->inodes_ = inodes_;
  image->seen_names_ = seen_names_;
  image->durable_names_ = durable_names_;
  image->pending_names_ = pending_names_;
  image->spared_ = spared_;
  image->lies_ = lies_;
  return image;
}

}  // namespace warifu::sim
