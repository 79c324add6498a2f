// Secrets that a person gives a command: from a file, from standard input, or at the terminal
// without echo; never from the command line or the environment. One thread.
#pragma once

#include <string>

#include "base/result.h"
#include "secret/secret.h"

namespace warifu::apps {

struct SecretInput {
  const char* name;    // "PIN", for the prompt and errors
  const char* option;  // "--pin-file"
  std::size_t most;    // bytes; what is longer is cut
};

// The first line of `file`; of standard input when it is "-"; asked at the terminal when it is
// empty. Errors: kInvalidArgument (nothing given, or no terminal), kNotFound, kIo.
[[nodiscard]] Result<secret::Buffer> read_secret(const SecretInput& input, const std::string& file);

}  // namespace warifu::apps
