// The helper process, `warifu pkcs11-helper`: a module and nothing else in it, which answers the
// questions of messages.h on its standard input, a socket. It ends when the socket does.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::pkcs11 {

// Confines the process, loads the module, answers until nobody asks. Errors: kIo, kProtocol. One
// that only concerns an answer goes into that. `folders`: where the module keeps its files.
[[nodiscard]] Result<> serve_module(const std::string& module,
                                    const std::vector<std::string>& folders);

}  // namespace warifu::pkcs11
