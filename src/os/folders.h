// Folders that a power loss does not take away.
#pragma once

#include "os/files.h"

namespace warifu::os {

// Makes a folder with its parents, durably: otherwise a power loss takes a new folder away, with
// all that was synced in it. The name of the folder itself is made durable also when it was there,
// because whoever made it may have died before; those of its parents where they are new. Errors:
// kIo, kNoSpace.
[[nodiscard]] Result<> make_folder(FileSystem& files, const std::string& path);

}  // namespace warifu::os
