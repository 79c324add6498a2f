// What a process that loads other people's code gives up first.
#pragma once

#include "os/file_sandbox.h"

namespace warifu::pkcs11 {

// For the whole process, for good: no other program is run, no other process is looked into, no
// network beyond sockets of this machine (AF_UNIX: pcscd) is opened, no right is gained, and it
// ends with its parent. Of files only what keep_to_files() leaves it, where the kernel can: modules
// keep tokens in `folders`. Every descriptor from 3 up but `keep` is closed. Errors: kIo when the
// kernel does not do it; as keep_to_files().
[[nodiscard]] Result<os::FileSandbox> confine(int keep, const std::string& module,
                                          const std::vector<std::string>& folders);

}  // namespace warifu::pkcs11
