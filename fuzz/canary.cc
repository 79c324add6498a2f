// Must fail: a mark whose field is trusted as an index. A fuzzing run that does not find this finds
// nothing.
#include <vector>

#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<int> table(16, 1);
  if (size < 5 || data[0] != 'W' || data[1] != 'R' || data[2] != 'F' || data[3] > 3) return 0;
  return table.data()[data[4]] == -1 ? 1 : 0;  // reads past the end for data[4] >= 16
}
