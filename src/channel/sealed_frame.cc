// Verdicts on frames that were handed out unopened.
#include "channel/sealed_frame.h"

#include "otp/otp.h"

namespace warifu::channel {

SealedFrame::SealedFrame(const FrameHeader& header, const HeaderBytes& header_bytes,
                         secret::Buffer ciphertext, mac::Tag tag, secret::Pad pad,
                         std::shared_ptr<const mac::Key> key, std::shared_ptr<Verdicts> verdicts)
    : type_(header.type),
      header_(header_bytes),
      data_(std::move(ciphertext)),
      tag_(tag),
      pad_(std::move(pad)),
      key_(std::move(key)),
      verdicts_(std::move(verdicts)) {
  ++verdicts_->open;
}

SealedFrame& SealedFrame::operator=(SealedFrame&& other) noexcept {
  if (this == &other) return *this;
  decide(false);
  type_ = other.type_;
  header_ = other.header_;
  data_ = std::move(other.data_);
  tag_ = other.tag_;
  pad_ = std::move(other.pad_);
  key_ = std::move(other.key_);
  verdicts_ = std::move(other.verdicts_);
  return *this;
}

// The failure is told before the count falls: whoever sees no open frame sees every failure.
void SealedFrame::decide(bool good) {
  if (verdicts_ == nullptr) return;
  if (!good) verdicts_->failed = true;
  --verdicts_->open;
  verdicts_.reset();
}

Result<secret::Buffer> SealedFrame::open() {
  WARIFU_CHECK(verdicts_ != nullptr);
  auto opened = otp::open(std::move(pad_), *key_, header_, data_.bytes(), tag_);
  decide(opened.has_value());
  TRY(opened);
  return std::move(data_);
}

secret::Buffer SealedFrame::accept() {
  WARIFU_CHECK(verdicts_ != nullptr);
  decide(true);
  return std::move(data_);
}

}  // namespace warifu::channel
