// The loops around the steps of hash_body.h, and the functions that stand in a variant's table.
// Included after it and under the same rule.

// A step over `bytes` (a multiple of 32): whole groups, then the words that are left, which share
// one reduction.
template <class V, class Step>
WARIFU_INLINE void over_groups(Step& step, std::size_t bytes) {
  std::size_t at = 0;
  for (; at + kGroupBytes <= bytes; at += kGroupBytes) {
    step.template pair<true>(at, 0);
    for (std::size_t number = 1; number < kGroupWords / 2; ++number) {
      step.template pair<false>(at + number * 2 * kWordBytes, number);
    }
    step.reduce();
  }
  const std::size_t count = (bytes - at) / kWordBytes;
  if (count == 0) return;
  step.template one<true>(at, 0, count);
  for (std::size_t index = 1; index < count; ++index) {
    step.template one<false>(at + index * kWordBytes, index, count);
  }
  step.reduce();
}

template <class V>
WARIFU_TARGET void hash(BlockSum& sum, const Byte* blocks, std::size_t count) {
  typename V::Blocks state(sum);
  HashStep<V> step{blocks, state};
  over_groups<V>(step, count / 2 * kWordBytes);
  state.finish();
  if (count % 2 == 0) return;
  Element last;
  std::memcpy(&last, blocks + (count - 1) * kBlockBytes, kBlockBytes);
  const Element r = sum.key->descending[kHashPowers - 1];
  sum.sum = V::multiply({sum.sum.low ^ last.low, sum.sum.high ^ last.high}, r);
}

template <class V>
WARIFU_TARGET void hash_lanes(LaneSums& sums, const Byte* words, std::size_t count) {
  typename V::Lanes state(sums);
  LanesStep<V> step{words, state};
  over_groups<V>(step, count * kWordBytes);
  state.finish();
}

template <class V, bool kStream, bool kOfOut>
WARIFU_TARGET void seal_to(const XorPass& pass, BlockSum& sum) {
  typename V::Blocks state(sum);
  SealStep<V, kStream, kOfOut> step{pass, state};
  over_groups<V>(step, pass.bytes);
  if constexpr (kStream) V::fence();
  state.finish();
}

template <class V, bool kOfOut>
void seal_or_open(const XorPass& pass, BlockSum& sum) {
  if (aligned(pass.out) && pass.stores == Stores::kStreaming) {
    seal_to<V, true, kOfOut>(pass, sum);
  } else {
    seal_to<V, false, kOfOut>(pass, sum);
  }
}

template <class V, bool kStream, bool kThree>
WARIFU_TARGET void split_tag_to(const SplitPass& pass, LaneSums& of_secret) {
  typename V::Lanes state(of_secret);
  SplitTagStep<V, kStream, kThree> step{pass, state};
  over_groups<V>(step, pass.bytes);
  if constexpr (kStream) V::fence();
  state.finish();
}

template <class V>
void split_tag(const SplitPass& pass, LaneSums& of_secret) {
  const bool stream =
      aligned(pass.a) && aligned(pass.b) && aligned(pass.c) && pass.stores == Stores::kStreaming;
  if (pass.a == nullptr) {
    stream ? split_tag_to<V, true, false>(pass, of_secret)
           : split_tag_to<V, false, false>(pass, of_secret);
  } else {
    stream ? split_tag_to<V, true, true>(pass, of_secret)
           : split_tag_to<V, false, true>(pass, of_secret);
  }
}

template <class V, bool kStream>
WARIFU_TARGET void send_to(const SenderPass& pass, LaneSums& of_secret, BlockSum& of_b,
                           BlockSum& of_c) {
  typename V::Lanes secret_state(of_secret);
  typename V::Blocks b_state(of_b);
  typename V::Blocks c_state(of_c);
  SendStep<V, kStream> step{pass, secret_state, b_state, c_state};
  over_groups<V>(step, pass.bytes);
  if constexpr (kStream) V::fence();
  secret_state.finish();
  b_state.finish();
  c_state.finish();
}

template <class V>
void send(const SenderPass& pass, LaneSums& of_secret, BlockSum& of_b, BlockSum& of_c) {
  if (aligned(pass.out_b) && aligned(pass.out_c) && pass.stores == Stores::kStreaming) {
    send_to<V, true>(pass, of_secret, of_b, of_c);
  } else {
    send_to<V, false>(pass, of_secret, of_b, of_c);
  }
}

template <class V, bool kStream, Factor kFactor>
WARIFU_TARGET void combine_tag_to(const CombinePass& pass, LaneSums& of_out) {
  typename V::Lanes state(of_out);
  CombineTagStep<V, kStream, kFactor> step{pass, state};
  over_groups<V>(step, pass.bytes);
  if constexpr (kStream) V::fence();
  state.finish();
}

template <class V, Factor kFactor>
void combine_tag_factor(const CombinePass& pass, LaneSums& of_out) {
  if (aligned(pass.out) && pass.stores == Stores::kStreaming) {
    combine_tag_to<V, true, kFactor>(pass, of_out);
  } else {
    combine_tag_to<V, false, kFactor>(pass, of_out);
  }
}

template <class V>
void combine_tag(const CombinePass& pass, LaneSums& of_out) {
  switch (pass.factor) {
    case Factor::kOne: return combine_tag_factor<V, Factor::kOne>(pass, of_out);
    case Factor::kW: return combine_tag_factor<V, Factor::kW>(pass, of_out);
    case Factor::kW2: return combine_tag_factor<V, Factor::kW2>(pass, of_out);
  }
}

template <class V, bool kStream, Factor kFactor>
WARIFU_TARGET void receive_to(const ReceiverPass& pass, BlockSum& of_ciphertext,
                              LaneSums& of_secret) {
  typename V::Blocks link_state(of_ciphertext);
  typename V::Lanes secret_state(of_secret);
  ReceiveStep<V, kStream, kFactor> step{pass, link_state, secret_state};
  over_groups<V>(step, pass.bytes);
  if constexpr (kStream) V::fence();
  link_state.finish();
  secret_state.finish();
}

template <class V, Factor kFactor>
void receive_factor(const ReceiverPass& pass, BlockSum& of_ciphertext, LaneSums& of_secret) {
  if (aligned(pass.secret) && pass.stores == Stores::kStreaming) {
    receive_to<V, true, kFactor>(pass, of_ciphertext, of_secret);
  } else {
    receive_to<V, false, kFactor>(pass, of_ciphertext, of_secret);
  }
}

template <class V>
void receive(const ReceiverPass& pass, BlockSum& of_ciphertext, LaneSums& of_secret) {
  switch (pass.factor) {
    case Factor::kOne: return receive_factor<V, Factor::kOne>(pass, of_ciphertext, of_secret);
    case Factor::kW: return receive_factor<V, Factor::kW>(pass, of_ciphertext, of_secret);
    case Factor::kW2: return receive_factor<V, Factor::kW2>(pass, of_ciphertext, of_secret);
  }
}

template <class V>
constexpr Kernels make_table(const char* name, void (*gf256_combine)(const Gf256Pass&)) {
  return {.name = name,
          .xor_bytes = xor_bytes<V>,
          .split = split<V>,
          .combine = combine<V>,
          .scale_add = scale_add<V>,
          .gf256_combine = gf256_combine,
          .multiply = V::multiply,
          .hash = hash<V>,
          .hash_lanes = hash_lanes<V>,
          .seal = seal_or_open<V, true>,
          .open = seal_or_open<V, false>,
          .split_tag = split_tag<V>,
          .send = send<V>,
          .combine_tag = combine_tag<V>,
          .receive = receive<V>};
}
