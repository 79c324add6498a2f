// A body that grows while it arrives, in plain or in secret memory; outgrown secret memory is
// wiped.
#pragma once

#include <algorithm>

#include "http/message.h"

namespace warifu::http {

class BodyBuilder {
 public:
  // `expected`: the announced length, or a first guess.
  BodyBuilder(bool secret, std::size_t expected) : secret_(secret) { resize(expected); }

  // Where the next bytes go; empty when `most` bytes are there.
  [[nodiscard]] MutableBytes room(std::size_t most) {
    if (size_ == all().size()) {
      resize(std::min(most, std::max<std::size_t>(4096, size_ * 2)));
    }
    return all().subspan(size_);
  }
  void filled(std::size_t count) { size_ += count; }
  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] Body take() {
    if (secret_) {
      hidden_.shrink(size_);
      return std::move(hidden_);
    }
    plain_.resize(size_);
    return std::move(plain_);
  }

 private:
  MutableBytes all() { return secret_ ? hidden_.bytes() : MutableBytes(plain_); }
  void resize(std::size_t capacity) {
    if (!secret_) {
      plain_.resize(std::max(capacity, size_));
      return;
    }
    if (capacity <= hidden_.size()) return;
    secret::Buffer larger(capacity);
    copy_bytes(larger.bytes(), std::as_const(hidden_).bytes().first(size_));
    hidden_ = std::move(larger);
  }

  bool secret_;
  std::size_t size_ = 0;
  Bytes plain_;
  secret::Buffer hidden_;
};

}  // namespace warifu::http
