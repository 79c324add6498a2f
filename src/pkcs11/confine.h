// What a process that loads other people's code gives up first.
#pragma once

#include "base/result.h"

namespace warifu::pkcs11 {

// For the whole process, for good: no other program is run, no other process is looked into, no
// network beyond sockets of this machine (AF_UNIX: pcscd) is opened, no right is gained, and it
// ends with its parent. Files stay open to it, because modules keep tokens in files and find
// readers by them. Every descriptor from 3 up but `keep` is closed. Errors: kIo when the kernel
// does not do it.
[[nodiscard]] Result<> confine(int keep);

}  // namespace warifu::pkcs11
