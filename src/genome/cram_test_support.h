// Containers of a CRAM as far as their heads go, for tests: no record stands behind them.
#pragma once

#include <array>

#include "base/gzip.h"
#include "wire/wire.h"

namespace warifu::genome::made {

struct Container {
  bool required = true;
  bool tells = true;  // RR is in the map
  std::int32_t embedded = -1;
  std::int32_t reference = 3;
  std::array<Byte, 16> md5{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  std::int32_t start = 1001;  // counted from 1
  std::int32_t span = 500;
  unsigned major = 3;
  bool is_packed = false;
};

// In five bytes, however small: as any reader must take it.
inline void itf8(wire::Writer& out, std::int32_t value) {
  const auto bits = static_cast<std::uint32_t>(value);
  out.u8(static_cast<std::uint8_t>(0xf0U | bits >> 28U));
  out.u8(static_cast<std::uint8_t>(bits >> 20U));
  out.u8(static_cast<std::uint8_t>(bits >> 12U));
  out.u8(static_cast<std::uint8_t>(bits >> 4U));
  out.u8(static_cast<std::uint8_t>(bits & 0x0fU));
}

inline void block(wire::Writer& out, std::uint8_t type, const wire::Writer& plain,
                  const Container& made) {
  const Bytes packed = made.is_packed ? gzip(plain.bytes()) : plain.bytes();
  out.u8(made.is_packed ? 1 : 0);
  out.u8(type);
  out.u8(0);
  itf8(out, static_cast<std::int32_t>(packed.size()));
  itf8(out, static_cast<std::int32_t>(plain.bytes().size()));
  out.raw(packed);
  if (made.major >= 3) out.u32(0);
}

inline Bytes container(const Container& made) {
  wire::Writer map;
  itf8(map, 40);
  itf8(map, made.tells ? 5 : 4);
  map.raw(as_bytes("RN\1"));
  map.raw(as_bytes(std::string_view("SMabcde", 7)));
  map.raw(as_bytes("AP\1"));
  map.raw(as_bytes("TD"));
  itf8(map, 3);
  map.raw(as_bytes("XYZ"));
  if (made.tells) {
    map.raw(as_bytes("RR"));
    map.u8(made.required ? 1 : 0);
  }
  wire::Writer slice;
  itf8(slice, made.reference);
  itf8(slice, made.start);
  itf8(slice, made.span);
  itf8(slice, 7);
  slice.u8(0);
  itf8(slice, 2);
  itf8(slice, 2);
  itf8(slice, 11);
  itf8(slice, 300);
  itf8(slice, made.embedded);
  slice.raw(made.md5);
  wire::Writer out;
  out.u32(1000);
  for (int i = 0; i < 4; ++i) itf8(out, i);
  out.u8(0);
  out.u8(0);
  itf8(out, 4);
  itf8(out, 1);
  itf8(out, 90);
  if (made.major >= 3) out.u32(0);
  block(out, 1, map, made);
  block(out, 2, slice, made);
  return out.take();
}

}  // namespace warifu::genome::made
