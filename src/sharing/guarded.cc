// The guard, and the search for shares that fit together.
#include "sharing/guarded.h"

#include <algorithm>

#include "mac/mac.h"

namespace warifu::sharing {
namespace {

constexpr std::size_t kBlock = mac::kBlockBytes;
constexpr std::size_t kTrailer = 3 * kBlock;
constexpr std::size_t kLengthBytes = 8;

// Over all blocks before the key.
mac::Tag check_of(ByteView blocks, ByteView key) {
  const mac::Key prepared(key);
  mac::Hasher hasher(prepared);
  Bytes top(2 * kBlock);
  top[0] = 1;  // the blocks 1 and 0 give key^(d+2) and nothing at key^(d+1)
  hasher.update(top);
  hasher.update(blocks);
  return hasher.finish();
}

// The length with padding and trailer of `bytes` that are to be guarded.
std::size_t guarded_size(std::size_t bytes) {
  const std::size_t blocks = (bytes + kBlock - 1) / kBlock;
  return (blocks | 1U) * kBlock + kTrailer;
}

Result<secret::Buffer> join_chosen(const Scheme& scheme, std::span<const GuardedShare> shares,
                                   const std::vector<bool>& chosen) {
  std::vector<ShareIndex> from;
  std::vector<ByteView> views;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (!chosen[i]) continue;
    from.push_back(shares[i].index);
    views.push_back(shares[i].bytes);
  }
  TRY_ASSIGN(const Joiner joiner, Joiner::make(scheme, from));
  const bool alike = std::ranges::all_of(
      views, [&](const ByteView& view) { return view.size() == views.front().size(); });
  if (!alike || views.front().empty() || views.front().size() % kWordBytes != 0) {
    return fail(Code::kCorrupt, "shares of a guarded secret differ in length");
  }
  secret::Buffer guarded(views.front().size());
  joiner.join(views, guarded.bytes());
  TRY(open_guarded(guarded.bytes()));
  return guarded;
}

// Those that do not fit when put in the place of one that does.
std::vector<std::size_t> find_wrong(const Scheme& scheme, std::span<const GuardedShare> shares,
                                    const std::vector<bool>& right) {
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (right[i]) continue;
    std::vector<bool> chosen = right;
    *std::ranges::find(chosen, true) = false;
    chosen[i] = true;
    if (!join_chosen(scheme, shares, chosen)) wrong.push_back(i);
  }
  return wrong;
}

}  // namespace

secret::Buffer guard(std::span<const ByteView> pieces, os::Random& random) {
  std::size_t length = 0;
  for (const ByteView& piece : pieces) length += piece.size();
  secret::Buffer out(guarded_size(kBlock + length));  // zeros
  const MutableBytes all = out.bytes();
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    all[i] = static_cast<Byte>(std::uint64_t{length} >> (8 * i));
  }
  auto at = all.begin() + static_cast<std::ptrdiff_t>(kBlock);
  for (const ByteView& piece : pieces) at = std::ranges::copy(piece, at).out;
  const MutableBytes key = all.subspan(all.size() - kTrailer, kBlock);
  random.fill(key);
  const mac::Tag check = check_of(all.first(all.size() - kTrailer), key);
  std::ranges::copy(check, all.end() - static_cast<std::ptrdiff_t>(2 * kBlock));
  return out;
}

Result<ByteView> open_guarded(ByteView guarded) {
  if (guarded.size() < kBlock + kTrailer || guarded.size() % (2 * kBlock) != 0) {
    return fail(Code::kCorrupt, "a guarded secret has an impossible length");
  }
  const ByteView blocks = guarded.first(guarded.size() - kTrailer);
  const ByteView key = guarded.subspan(blocks.size(), kBlock);
  const ByteView check = guarded.subspan(blocks.size() + kBlock, kBlock);
  const bool padded = std::ranges::all_of(guarded.last(kBlock), [](Byte b) { return b == 0; });
  if (!padded || !secret::equal(check_of(blocks, key), check)) {
    return fail(Code::kCorrupt, "a guarded secret does not pass its check");
  }
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) length = length << 8 | blocks[i];
  if (length > blocks.size() - kBlock) {
    return fail(Code::kCorrupt, "a guarded secret has an impossible length");
  }
  return blocks.subspan(kBlock, length);
}

Result<std::vector<secret::Buffer>> cut_guarded(const Scheme& scheme, ByteView guarded,
                                                const DrawNumbers& draw) {
  if (scheme.kind == SchemeKind::kRamp) {
    return fail(Code::kInvalidArgument, "a ramp does not keep a small secret");
  }
  std::vector<ShareIndex> given;
  for (std::size_t i = 0; i < scheme.privacy(); ++i) given.push_back(static_cast<ShareIndex>(i));
  TRY_ASSIGN(const Splitter splitter, Splitter::make(scheme, given));
  std::vector<secret::Buffer> shares;
  std::vector<ByteView> drawn;
  std::vector<MutableBytes> made;
  shares.reserve(scheme.shares);
  for (std::size_t i = 0; i < scheme.shares; ++i) {
    const MutableBytes bytes = shares.emplace_back(guarded.size()).bytes();
    if (i >= given.size()) {
      made.push_back(bytes);
      continue;
    }
    TRY(draw(bytes));
    drawn.emplace_back(bytes);
  }
  splitter.split(guarded, drawn, made);
  return shares;
}

Result<JoinedSecret> join_guarded(const Scheme& scheme, std::span<const GuardedShare> shares) {
  if (!scheme.sane() || shares.size() < scheme.threshold) {
    return fail(Code::kInvalidArgument, "there are too few shares of a guarded secret");
  }
  std::vector<bool> chosen(shares.size(), false);
  std::fill_n(chosen.begin(), scheme.threshold, true);
  do {
    auto joined = join_chosen(scheme, shares, chosen);
    if (joined) return JoinedSecret{std::move(*joined), find_wrong(scheme, shares, chosen)};
  } while (std::prev_permutation(chosen.begin(), chosen.end()));
  return fail(Code::kCorrupt, "shares of a guarded secret do not pass its check in any choice");
}

}  // namespace warifu::sharing
