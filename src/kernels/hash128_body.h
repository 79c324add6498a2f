// The accumulators of hash_body.h over 128-bit registers, for the variants whose carry-less
// multiplication is that wide. Included under the same rule; P gives
//   P::Word, P::Block, load, store, zero, add, lane<0 or 1>(word), fold, low_product, high_product,
//   reduce

template <class P>
struct Products {
  using Block = typename P::Block;
  Block low;
  Block middle;
  Block high;

  WARIFU_MEMBER void clear() { low = middle = high = P::zero(); }
  // Adds x * powers[at] + y * powers[at + 1].
  WARIFU_MEMBER void two(const HashKey& key, Block x, Block y, std::size_t at) {
    const Block px = P::load(&key.descending[at]);
    const Block py = P::load(&key.descending[at + 1]);
    const Block folded = P::fold(x, y);
    const Block folded_powers = P::load(&key.folded[at]);
    low = P::add(low, P::add(P::low_product(x, px), P::low_product(y, py)));
    high = P::add(high, P::add(P::high_product(x, px), P::high_product(y, py)));
    middle = P::add(middle, P::add(P::low_product(folded, folded_powers),
                                   P::high_product(folded, folded_powers)));
  }
  WARIFU_MEMBER void one(const HashKey& key, Block x, std::size_t at) {
    const Block power = P::load(&key.descending[at]);
    low = P::add(low, P::low_product(x, power));
    high = P::add(high, P::high_product(x, power));
    middle = P::add(middle, P::low_product(P::fold(x, x), P::fold(power, power)));
  }
  [[nodiscard]] WARIFU_MEMBER Block reduced() const { return P::reduce(low, middle, high); }
};

template <class P>
struct Blocks128 {
  using Block = typename P::Block;
  using Word = typename P::Word;
  BlockSum& out;
  const HashKey& key;
  Block sum;
  Products<P> products;

  WARIFU_MEMBER explicit Blocks128(BlockSum& start)
      : out(start), key(*start.key), sum(P::load(&start.sum)) {
    products.clear();
  }
  template <bool kFirst>
  WARIFU_MEMBER void pair(Word first, Word second, std::size_t number) {
    words<kFirst>(first, number * 4);
    words<false>(second, number * 4 + 2);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(Word word, std::size_t index, std::size_t count) {
    words<kFirst>(word, kHashPowers - 2 * count + 2 * index);
  }
  WARIFU_MEMBER void reduce() { sum = products.reduced(); }
  WARIFU_MEMBER void finish() { P::store(&out.sum, sum); }

 private:
  template <bool kFirst>
  WARIFU_MEMBER void words(Word word, std::size_t at) {
    Block first = P::template lane<0>(word);
    if constexpr (kFirst) {
      products.clear();
      first = P::add(first, sum);
    }
    products.two(key, first, P::template lane<1>(word), at);
  }
};

template <class P>
struct Lanes128 {
  using Block = typename P::Block;
  using Word = typename P::Word;
  LaneSums& out;
  const HashKey& key;
  Block sum[2];
  Products<P> products[2];

  WARIFU_MEMBER explicit Lanes128(LaneSums& start)
      : out(start), key(*start.key), sum{P::load(&start.sum[0]), P::load(&start.sum[1])} {
    products[0].clear();
    products[1].clear();
  }
  template <bool kFirst>
  WARIFU_MEMBER void pair(Word first, Word second, std::size_t number) {
    const std::size_t at = kHashPowers - kGroupWords + 2 * number;
    products[0].two(key, enter<kFirst, 0>(first), P::template lane<0>(second), at);
    products[1].two(key, enter<kFirst, 1>(first), P::template lane<1>(second), at);
  }
  template <bool kFirst>
  WARIFU_MEMBER void one(Word word, std::size_t index, std::size_t count) {
    const std::size_t at = kHashPowers - count + index;
    products[0].one(key, enter<kFirst, 0>(word), at);
    products[1].one(key, enter<kFirst, 1>(word), at);
  }
  WARIFU_MEMBER void reduce() {
    sum[0] = products[0].reduced();
    sum[1] = products[1].reduced();
  }
  WARIFU_MEMBER void finish() {
    P::store(&out.sum[0], sum[0]);
    P::store(&out.sum[1], sum[1]);
  }

 private:
  // The lane of a word; for the first word of a group with the running sum added.
  template <bool kFirst, int kLane>
  WARIFU_MEMBER Block enter(Word word) {
    const Block block = P::template lane<kLane>(word);
    if constexpr (!kFirst) return block;
    products[kLane].clear();
    return P::add(block, sum[kLane]);
  }
};

// The product of two elements.
template <class P>
WARIFU_INLINE Element multiply_by(Element a, Element b) {
  const typename P::Block x = P::load(&a);
  const typename P::Block y = P::load(&b);
  Element product;
  P::store(&product, P::reduce(P::low_product(x, y), P::low_product(P::fold(x, x), P::fold(y, y)),
                               P::high_product(x, y)));
  return product;
}
