// The addition of a zero share.
#include "sharing/refresh.h"

#include "kernels/kernels.h"

namespace warifu::sharing {

Result<> refresh(const Scheme& scheme, ShareIndex index, MutableBytes share, ByteView zero_share) {
  if (!scheme.sane() || static_cast<std::size_t>(index) >= scheme.shares ||
      share.size() != zero_share.size() || share.size() % kWordBytes != 0) {
    return fail(Code::kInvalidArgument, "a share of a " + scheme.text() +
                                            " scheme is refreshed by a zero share of its own "
                                            "index and length");
  }
  kernels::best().xor_bytes(
      {.x = share.data(), .y = zero_share.data(), .out = share.data(), .bytes = share.size()});
  return {};
}

}  // namespace warifu::sharing
