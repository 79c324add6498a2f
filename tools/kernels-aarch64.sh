#!/bin/sh
# Cross-compiles src/kernels with its tests for aarch64 and runs them under qemu-user.
# Needs (Debian): g++-aarch64-linux-gnu qemu-user googletest. Usage: tools/kernels-aarch64.sh [folder]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-"$root/build/aarch64"}
gtest=/usr/src/googletest/googletest
mkdir -p "$build"
cxx="aarch64-linux-gnu-g++ -std=c++23 -O3 -Wall -Wextra -Werror -Wshadow -Wconversion -Wsign-conversion
  -fno-strict-aliasing -D_GLIBCXX_ASSERTIONS -I$root/src"
objects=""
for source in "$root"/src/kernels/*.cc; do
  object="$build/$(basename "$source" .cc).o"
  $cxx -isystem "$gtest/include" -c "$source" -o "$object"
  objects="$objects $object"
done
aarch64-linux-gnu-g++ -O1 -w -I"$gtest/include" -I"$gtest" -c "$gtest/src/gtest-all.cc" -o "$build/gtest-all.o"
aarch64-linux-gnu-g++ -O1 -w -I"$gtest/include" -I"$gtest" -c "$gtest/src/gtest_main.cc" -o "$build/gtest_main.o"
# shellcheck disable=SC2086  # a list of files without spaces
aarch64-linux-gnu-g++ -static $objects "$build/gtest-all.o" "$build/gtest_main.o" -pthread -o "$build/kernels_test"
qemu-aarch64 -cpu max "$build/kernels_test"
