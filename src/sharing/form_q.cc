// Form Q: which kernel for which shares.
#include "sharing/form_q.h"

#include "kernels/kernels.h"

namespace warifu::sharing {

static_assert(kWordBytes == kernels::kWordBytes);

void split(ByteView s, ByteView r, MutableBytes b, MutableBytes c) {
  WARIFU_CHECK(s.size() % kWordBytes == 0 && r.size() == s.size() && b.size() == s.size() &&
               c.size() == s.size());
  kernels::best().split(
      {.secret = s.data(), .random = r.data(), .b = b.data(), .c = c.data(), .bytes = s.size()});
}

void combine(ShareIndex ix, ByteView x, ShareIndex iy, ByteView y, MutableBytes s) {
  WARIFU_CHECK(ix != iy && x.size() % kWordBytes == 0 && y.size() == x.size() &&
               s.size() == x.size());
  // The index that is missing decides the factor: C -> 1, B -> w^2, A -> w.
  const int missing = 3 - static_cast<int>(ix) - static_cast<int>(iy);
  const kernels::Factor factor = missing == 2   ? kernels::Factor::kOne
                                 : missing == 1 ? kernels::Factor::kW2
                                                : kernels::Factor::kW;
  kernels::best().combine(
      {.factor = factor, .x = x.data(), .y = y.data(), .out = s.data(), .bytes = x.size()});
}

}  // namespace warifu::sharing
