// Drawing, hashing and reporting a range that becomes share bytes.
#include "channel/drawn.h"

#include "base/limits.h"
#include "wire/wire.h"

namespace warifu::channel {
namespace {
constexpr std::size_t kPieceBytes = 24;
constexpr std::size_t kReportHead = 32 + mac::kBlockBytes;
constexpr std::size_t kMaxPieces = (limits::kMaxFramePayload - kReportHead) / kPieceBytes;
static_assert(keypool::kShareHashKeyBytes == mac::kBlockBytes);
}  // namespace

DrawnWindow::DrawnWindow(keypool::Pool& pool, keypool::Reservation range)
    : pool_(&pool),
      range_(std::move(range)),
      begin_(range_.begin()),
      size_(range_.remaining()),
      pieces_(range_.pieces()) {
  for (const keypool::KeyPiece& piece : pieces_) origins_.insert(piece.origin);
}

Result<DrawnWindow> DrawnWindow::start(keypool::Pool& pool, keypool::Reservation range) {
  DrawnWindow window(pool, std::move(range));
  if (window.pieces_.size() > kMaxPieces) {
    return fail(Code::kRefused, "the key of this link came in " +
                                    std::to_string(window.pieces_.size()) +
                                    " small pieces; too many to name for a share");
  }
  TRY_ASSIGN(const secret::Pad key, window.range_.take(mac::kBlockBytes));
  pool.record_use({.hash_key = mac::kBlockBytes});
  window.key_ = std::make_unique<const mac::Key>(key.bytes());
  window.hasher_ = std::make_unique<mac::Hasher>(*window.key_);
  return window;
}

Result<> DrawnWindow::draw(MutableBytes frame) {
  TRY(range_.draw(frame));
  if (range_.purpose() == keypool::Purpose::kApplication) {
    pool_->record_use({.application = frame.size()});
  } else {
    pool_->record_use({.share = frame.size()});
  }
  hasher_->update(frame);
  return {};
}

Bytes DrawnWindow::report(std::uint64_t first_frame, std::uint32_t frames) const {
  WARIFU_CHECK(range_.remaining() == 0);
  wire::Writer writer;
  writer.u64(begin_.value);
  writer.u64(size_);
  writer.u64(first_frame);
  writer.u32(frames);
  writer.u32(static_cast<std::uint32_t>(pieces_.size()));
  for (const keypool::KeyPiece& piece : pieces_) {
    // Each end numbers the segments of a preshared file for itself; `begin` names them.
    const bool own_number = piece.origin == keypool::Origin::kPreshared;
    writer.u64(own_number ? 0 : piece.segment.value);
    writer.u64(piece.offset.value);
    writer.u64(piece.length.value);
  }
  writer.raw(hasher_->finish());
  return writer.take();
}

}  // namespace warifu::channel
