// Reading from something that gives bytes at its own pace: a character device, or a FIFO.
//
// Ownership: the object owns its descriptor. Thread rule: one reader at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace warifu::os {

class ByteDevice {
 public:
  virtual ~ByteDevice() = default;
  // 1 to out.size() bytes, waiting at most `limit` for the first. Errors, naming the path:
  // kTimeout; kUnavailable at the end of a FIFO or when the device is gone.
  [[nodiscard]] virtual Result<std::size_t> read_some(MutableBytes out,
                                                      std::chrono::milliseconds limit) = 0;
};

// Regular files are refused: opened again they would give the same bytes again. Errors: kNotFound,
// kInvalidArgument (neither a character device nor a FIFO; the kernel's own generator), kIo.
[[nodiscard]] Result<std::unique_ptr<ByteDevice>> open_byte_device(const std::string& path);

}  // namespace warifu::os
