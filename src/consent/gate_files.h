// How a gate reads a folder of its state at the start: one file for each card or person.
#pragma once

#include <functional>
#include <string>

#include "os/folders.h"

namespace warifu::consent {

// Every file of the folder (made if it is not there) through `take`; a replacement that a crash
// interrupted is removed. Errors: `take`'s, with `what` and the file's path in front; kIo.
inline Result<> load_files(os::FileSystem& files, const std::string& folder,
                           const std::string& what, std::string_view suffix,
                           const std::function<Result<>(const std::string& name)>& take) {
  TRY(os::make_folder(files, folder));
  TRY_ASSIGN(const auto names, files.list(folder));
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    if (name.ends_with(std::string(suffix) + ".new")) {
      TRY(files.remove(path));
      continue;
    }
    if (const auto taken = take(name); !taken) {
      return fail(taken.error().code,
                  what + " file '" + path + "' cannot be used: " + taken.error().message);
    }
  }
  return {};
}

}  // namespace warifu::consent
