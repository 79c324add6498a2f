// Where libFuzzer calls a target.
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  warifu::fuzz::run({data, size});
  return 0;
}
