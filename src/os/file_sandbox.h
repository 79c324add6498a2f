// Files that a process gives up: Landlock (Linux 5.13 and later, where the kernel has it switched
// on).
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::os {

// Whether the kernel keeps the process to its files. kNone: it has no Landlock, and nothing was
// given up.
enum class FileSandbox : std::uint8_t { kNone = 0, kLandlock = 1 };

// For the whole process, for good, after PR_SET_NO_NEW_PRIVS: what may still be opened is, for
// reading, the system's folders (/usr, /lib*, /etc, /dev, /proc, /run, /sys) and the
// file `module` if it is named by a path; for reading and writing `folders` and USB devices. Moving
// a file out of them, making one elsewhere and cutting one short fail too. What is open stays open.
// Errors: kNotFound naming a folder; kIo when the kernel has Landlock and does not do it.
[[nodiscard]] Result<FileSandbox> keep_to_files(const std::string& module,
                                                const std::vector<std::string>& folders);
// The same with nothing left: no file or folder is opened, made or moved by its path any more.
// Errors: kIo as above.
[[nodiscard]] Result<FileSandbox> keep_to_no_files();

}  // namespace warifu::os
