// The bodies of the XOR-like kernels, written once and compiled per variant.
//
// A variant's .cc defines WARIFU_TARGET (the function attribute that switches its instructions on)
// and includes this file inside its own unnamed namespace, with a traits class V:
//   V::Word, V::load, V::store<kStream>, V::add, V::times<Factor>, V::fence
// so that nothing here has a name outside that file. kernels.h must be included before.

constexpr bool aligned(const Byte* at) {
  return at == nullptr || reinterpret_cast<std::uintptr_t>(at) % kWordBytes == 0;
}

template <class V>
struct XorStep {
  using Word = typename V::Word;
  template <std::size_t kWords, bool kStream>
  WARIFU_INLINE void run(const XorPass& pass, std::size_t at) {
    Word out[kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t here = at + i * kWordBytes;
      out[i] = V::add(V::load(pass.x + here), V::load(pass.y + here));
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.out + at + i * kWordBytes, out[i]);
    }
  }
};

template <class V>
struct SplitStep {
  using Word = typename V::Word;
  template <std::size_t kWords, bool kStream>
  WARIFU_INLINE void run(const SplitPass& pass, std::size_t at) {
    Word secret[kWords];
    Word random[kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
      secret[i] = V::load(pass.secret + at + i * kWordBytes);
      random[i] = V::load(pass.random + at + i * kWordBytes);
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.b + at + i * kWordBytes, V::add(random[i], secret[i]));
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.c + at + i * kWordBytes,
                                 V::add(random[i], V::template times<Factor::kW>(secret[i])));
    }
  }
};

template <class V>
struct SplitThreeStep {
  template <std::size_t kWords, bool kStream>
  WARIFU_INLINE void run(const SplitPass& pass, std::size_t at) {
    typename V::Word random[kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
      random[i] = V::load(pass.random + at + i * kWordBytes);
    }
    SplitStep<V>::template run<kWords, kStream>(pass, at);
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.a + at + i * kWordBytes, random[i]);
    }
  }
};

template <class V, Factor kFactor>
struct CombineStep {
  template <std::size_t kWords, bool kStream>
  WARIFU_INLINE void run(const CombinePass& pass, std::size_t at) {
    typename V::Word out[kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t here = at + i * kWordBytes;
      out[i] = V::template times<kFactor>(V::add(V::load(pass.x + here), V::load(pass.y + here)));
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.out + at + i * kWordBytes, out[i]);
    }
  }
};

template <class V, Factor kX, Factor kY>
struct ScaleAddStep {
  template <std::size_t kWords, bool kStream>
  WARIFU_INLINE void run(const ScaleAddPass& pass, std::size_t at) {
    typename V::Word out[kWords];
    for (std::size_t i = 0; i < kWords; ++i) {
      const std::size_t here = at + i * kWordBytes;
      out[i] = V::add(V::template times<kX>(V::load(pass.x + here)),
                      V::template times<kY>(V::load(pass.y + here)));
    }
    for (std::size_t i = 0; i < kWords; ++i) {
      V::template store<kStream>(pass.out + at + i * kWordBytes, out[i]);
    }
  }
};

// A step over all whole words of a pass: two cache lines at a time, then word by word.
template <class V, class Step, bool kStream, class Pass>
WARIFU_TARGET void over_words(const Pass& pass) {
  constexpr std::size_t kAtOnce = 4;
  const std::size_t whole = pass.bytes / kWordBytes * kWordBytes;
  std::size_t at = 0;
  for (; at + kAtOnce * kWordBytes <= whole; at += kAtOnce * kWordBytes) {
    Step::template run<kAtOnce, kStream>(pass, at);
  }
  for (; at < whole; at += kWordBytes) Step::template run<1, kStream>(pass, at);
  if constexpr (kStream) V::fence();
}

template <class V, class Step, class Pass>
void choose_stores(const Pass& pass, bool outputs_aligned) {
  if (outputs_aligned && pass.stores == Stores::kStreaming) {
    over_words<V, Step, true>(pass);
  } else {
    over_words<V, Step, false>(pass);
  }
}

template <class V>
void xor_bytes(const XorPass& pass) {
  choose_stores<V, XorStep<V>>(pass, aligned(pass.out));
  for (std::size_t at = pass.bytes / kWordBytes * kWordBytes; at < pass.bytes; ++at) {
    pass.out[at] = static_cast<Byte>(pass.x[at] ^ pass.y[at]);
  }
}

template <class V>
void split(const SplitPass& pass) {
  const bool all = aligned(pass.a) && aligned(pass.b) && aligned(pass.c);
  if (pass.a == nullptr) {
    choose_stores<V, SplitStep<V>>(pass, all);
  } else {
    choose_stores<V, SplitThreeStep<V>>(pass, all);
  }
}

template <class V>
void combine(const CombinePass& pass) {
  const bool all = aligned(pass.out);
  switch (pass.factor) {
    case Factor::kOne: return choose_stores<V, CombineStep<V, Factor::kOne>>(pass, all);
    case Factor::kW: return choose_stores<V, CombineStep<V, Factor::kW>>(pass, all);
    case Factor::kW2: return choose_stores<V, CombineStep<V, Factor::kW2>>(pass, all);
  }
}

template <class V, Factor kX>
void scale_add_x(const ScaleAddPass& pass) {
  const bool all = aligned(pass.out);
  switch (pass.factor_y) {
    case Factor::kOne: return choose_stores<V, ScaleAddStep<V, kX, Factor::kOne>>(pass, all);
    case Factor::kW: return choose_stores<V, ScaleAddStep<V, kX, Factor::kW>>(pass, all);
    case Factor::kW2: return choose_stores<V, ScaleAddStep<V, kX, Factor::kW2>>(pass, all);
  }
}

template <class V>
void scale_add(const ScaleAddPass& pass) {
  switch (pass.factor_x) {
    case Factor::kOne: return scale_add_x<V, Factor::kOne>(pass);
    case Factor::kW: return scale_add_x<V, Factor::kW>(pass);
    case Factor::kW2: return scale_add_x<V, Factor::kW2>(pass);
  }
}
