// Text or packed text.
#include "risk/gzip.h"

#include "base/gzip.h"

namespace warifu::risk {

Result<std::string> unpacked_text(ByteView bytes, std::size_t most) {
  if (is_gzip(bytes)) {
    TRY_ASSIGN(const Bytes text, gunzip(bytes, most, "its gzip"));
    return std::string(as_text(text));
  }
  if (bytes.size() <= most) return std::string(as_text(bytes));
  return fail(Code::kInvalidArgument, "more than " + std::to_string(most) + " bytes of text");
}

}  // namespace warifu::risk
