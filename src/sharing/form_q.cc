// Form Q, one 32-byte word (four 64-bit limbs: two lanes) at a time.
#include "sharing/form_q.h"

#include <cstring>

namespace warifu::sharing {
namespace {

struct Word {
  std::uint64_t limb[4];  // lane 1 = limbs 0, 1; lane 2 = limbs 2, 3
};

Word load(const Byte* at) {
  Word word;
  std::memcpy(&word, at, kWordBytes);
  return word;
}

void store(const Word& word, Byte* at) {
  std::memcpy(at, &word, kWordBytes);
}

Word add(const Word& a, const Word& b) {
  return {
      {a.limb[0] ^ b.limb[0], a.limb[1] ^ b.limb[1], a.limb[2] ^ b.limb[2], a.limb[3] ^ b.limb[3]}};
}

// w (s1, s2) = (s2, s1 + s2)
Word times_w(const Word& s) {
  return {{s.limb[2], s.limb[3], s.limb[0] ^ s.limb[2], s.limb[1] ^ s.limb[3]}};
}

// w^2 (s1, s2) = (s1 + s2, s1)
Word times_w2(const Word& s) {
  return {{s.limb[0] ^ s.limb[2], s.limb[1] ^ s.limb[3], s.limb[0], s.limb[1]}};
}

}  // namespace

char share_letter(ShareIndex index) {
  return static_cast<char>('A' + static_cast<int>(index));
}

void split(ByteView s, ByteView r, MutableBytes b, MutableBytes c) {
  WARIFU_CHECK(s.size() % kWordBytes == 0 && r.size() == s.size() && b.size() == s.size() &&
               c.size() == s.size());
  for (std::size_t i = 0; i < s.size(); i += kWordBytes) {
    const Word secret = load(s.data() + i);
    const Word random = load(r.data() + i);
    store(add(random, secret), b.data() + i);
    store(add(random, times_w(secret)), c.data() + i);
  }
}

void combine(ShareIndex ix, ByteView x, ShareIndex iy, ByteView y, MutableBytes s) {
  WARIFU_CHECK(ix != iy && x.size() % kWordBytes == 0 && y.size() == x.size() &&
               s.size() == x.size());
  // The index that is missing decides the factor: C -> 1, B -> w^2, A -> w.
  const int missing = 3 - static_cast<int>(ix) - static_cast<int>(iy);
  for (std::size_t i = 0; i < x.size(); i += kWordBytes) {
    const Word difference = add(load(x.data() + i), load(y.data() + i));
    const Word secret = missing == 2   ? difference
                        : missing == 1 ? times_w2(difference)
                                       : times_w(difference);
    store(secret, s.data() + i);
  }
}

}  // namespace warifu::sharing
