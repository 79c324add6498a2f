// The bodies of the hash and of the passes fused with it, written once and compiled per variant.
//
// Included after linear_body.h and under the same rule. Beyond V, a variant gives two accumulators:
//   V::Blocks(BlockSum&), V::Lanes(LaneSums&)     load the running sum; their destructor-free end
//   .pair<kFirst>(w0, w1, pair)   takes words 2 pair, 2 pair + 1 of a group of kGroupWords
//   .one<kFirst>(w, index, count) takes word `index` of the last `count` < kGroupWords words
//   .reduce()                     ends a group: one reduction for all its products
//   .finish()                     writes the sum back
// kFirst is set for the first words of a group: the running sum enters there. Products of a whole
// group (16 words = 32 blocks) are summed unreduced, so that a reduction is paid once per 512
// bytes.

constexpr std::size_t kGroupWords = kHashPowers / 2;
constexpr std::size_t kGroupBytes = kGroupWords * kWordBytes;

template <class V>
struct Pair {
  typename V::Word first;
  typename V::Word second;
};

// How far ahead of the loads of a hashing pass its streams are asked for. Multiplications fill the
// window of the processor, so that its own prefetching may come late. Interleaved runs mostly favoured
// this distance, by 1 to 10 %, on one loaded machine.
constexpr std::size_t kPrefetchBytes = 2048;

template <class V>
WARIFU_INLINE Pair<V> load_pair(const Byte* at) {
  __builtin_prefetch(at + kPrefetchBytes);
  return {V::load(at), V::load(at + kWordBytes)};
}

template <class V>
WARIFU_INLINE Pair<V> add(const Pair<V>& x, const Pair<V>& y) {
  return {V::add(x.first, y.first), V::add(x.second, y.second)};
}

template <class V, Factor kFactor>
WARIFU_INLINE Pair<V> times(const Pair<V>& x) {
  return {V::template times<kFactor>(x.first), V::template times<kFactor>(x.second)};
}

template <class V, bool kStream>
WARIFU_INLINE void store_pair(Byte* at, const Pair<V>& words) {
  V::template store<kStream>(at, words.first);
  V::template store<kStream>(at + kWordBytes, words.second);
}

// Each step: pair<kFirst>(at, pair number) for two words, one<kFirst>(at, index, count) for one.
// What a pass reads, it reads before it writes at the same place.

template <class V>
struct HashStep {
  const Byte* data;
  typename V::Blocks& sum;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> words = load_pair<V>(data + at);
    sum.template pair<kFirst>(words.first, words.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    sum.template one<kFirst>(V::load(data + at), index, count);
  }
  WARIFU_MEMBER void reduce() { sum.reduce(); }
};

template <class V>
struct LanesStep {
  const Byte* data;
  typename V::Lanes& sums;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> words = load_pair<V>(data + at);
    sums.template pair<kFirst>(words.first, words.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    sums.template one<kFirst>(V::load(data + at), index, count);
  }
  WARIFU_MEMBER void reduce() { sums.reduce(); }
};

// kOfOut: the hash is of the result (sealing); otherwise of x (opening).
template <class V, bool kStream, bool kOfOut>
struct SealStep {
  const XorPass& pass;
  typename V::Blocks& sum;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> x = load_pair<V>(pass.x + at);
    const Pair<V> out = add<V>(x, load_pair<V>(pass.y + at));
    store_pair<V, kStream>(pass.out + at, out);
    const Pair<V>& hashed = kOfOut ? out : x;
    sum.template pair<kFirst>(hashed.first, hashed.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    const typename V::Word x = V::load(pass.x + at);
    const typename V::Word out = V::add(x, V::load(pass.y + at));
    V::template store<kStream>(pass.out + at, out);
    sum.template one<kFirst>(kOfOut ? out : x, index, count);
  }
  WARIFU_MEMBER void reduce() { sum.reduce(); }
};

template <class V, bool kStream, bool kThree>
struct SplitTagStep {
  const SplitPass pass;  // a copy: stores could change what a reference shows
  typename V::Lanes& sums;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> secret = load_pair<V>(pass.secret + at);
    const Pair<V> random = load_pair<V>(pass.random + at);
    store_pair<V, kStream>(pass.b + at, add<V>(random, secret));
    store_pair<V, kStream>(pass.c + at, add<V>(random, times<V, Factor::kW>(secret)));
    if constexpr (kThree) store_pair<V, kStream>(pass.a + at, random);
    sums.template pair<kFirst>(secret.first, secret.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    const typename V::Word secret = V::load(pass.secret + at);
    const typename V::Word random = V::load(pass.random + at);
    V::template store<kStream>(pass.b + at, V::add(random, secret));
    V::template store<kStream>(pass.c + at, V::add(random, V::template times<Factor::kW>(secret)));
    if constexpr (kThree) V::template store<kStream>(pass.a + at, random);
    sums.template one<kFirst>(secret, index, count);
  }
  WARIFU_MEMBER void reduce() { sums.reduce(); }
};

template <class V, bool kStream>
struct SendStep {
  const SenderPass& pass;
  typename V::Lanes& of_secret;
  typename V::Blocks& of_b;
  typename V::Blocks& of_c;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> secret = load_pair<V>(pass.secret + at);
    const Pair<V> random = load_pair<V>(pass.random + at);
    const Pair<V> b = add<V>(add<V>(random, secret), load_pair<V>(pass.pad_b + at));
    const Pair<V> c =
        add<V>(add<V>(random, times<V, Factor::kW>(secret)), load_pair<V>(pass.pad_c + at));
    store_pair<V, kStream>(pass.out_b + at, b);
    store_pair<V, kStream>(pass.out_c + at, c);
    of_secret.template pair<kFirst>(secret.first, secret.second, number);
    of_b.template pair<kFirst>(b.first, b.second, number);
    of_c.template pair<kFirst>(c.first, c.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    const typename V::Word secret = V::load(pass.secret + at);
    const typename V::Word random = V::load(pass.random + at);
    const typename V::Word b = V::add(V::add(random, secret), V::load(pass.pad_b + at));
    const typename V::Word c =
        V::add(V::add(random, V::template times<Factor::kW>(secret)), V::load(pass.pad_c + at));
    V::template store<kStream>(pass.out_b + at, b);
    V::template store<kStream>(pass.out_c + at, c);
    of_secret.template one<kFirst>(secret, index, count);
    of_b.template one<kFirst>(b, index, count);
    of_c.template one<kFirst>(c, index, count);
  }
  WARIFU_MEMBER void reduce() {
    of_secret.reduce();
    of_b.reduce();
    of_c.reduce();
  }
};

template <class V, bool kStream, Factor kFactor>
struct CombineTagStep {
  const CombinePass pass;
  typename V::Lanes& sums;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> both = add<V>(load_pair<V>(pass.x + at), load_pair<V>(pass.y + at));
    const Pair<V> out = times<V, kFactor>(both);
    store_pair<V, kStream>(pass.out + at, out);
    sums.template pair<kFirst>(out.first, out.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    const typename V::Word both = V::add(V::load(pass.x + at), V::load(pass.y + at));
    const typename V::Word out = V::template times<kFactor>(both);
    V::template store<kStream>(pass.out + at, out);
    sums.template one<kFirst>(out, index, count);
  }
  WARIFU_MEMBER void reduce() { sums.reduce(); }
};

template <class V, bool kStream, Factor kFactor>
struct ReceiveStep {
  const ReceiverPass& pass;
  typename V::Blocks& of_ciphertext;
  typename V::Lanes& of_secret;
  template <bool kFirst>
  WARIFU_MEMBER void pair(std::size_t at, std::size_t number) {
    const Pair<V> sealed = load_pair<V>(pass.ciphertext + at);
    const Pair<V> mask = add<V>(load_pair<V>(pass.pad + at), load_pair<V>(pass.other + at));
    const Pair<V> secret = times<V, kFactor>(add<V>(sealed, mask));
    store_pair<V, kStream>(pass.secret + at, secret);
    of_ciphertext.template pair<kFirst>(sealed.first, sealed.second, number);
    of_secret.template pair<kFirst>(secret.first, secret.second, number);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(std::size_t at, std::size_t index, std::size_t count) {
    const typename V::Word sealed = V::load(pass.ciphertext + at);
    const typename V::Word mask = V::add(V::load(pass.pad + at), V::load(pass.other + at));
    const typename V::Word secret = V::template times<kFactor>(V::add(sealed, mask));
    V::template store<kStream>(pass.secret + at, secret);
    of_ciphertext.template one<kFirst>(sealed, index, count);
    of_secret.template one<kFirst>(secret, index, count);
  }
  WARIFU_MEMBER void reduce() {
    of_ciphertext.reduce();
    of_secret.reduce();
  }
};
