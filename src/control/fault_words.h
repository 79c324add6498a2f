// What a person reads when a restore cannot go on because of what sites said. Pure; any thread.
#pragma once

#include <string>
#include <vector>

namespace warifu::control {

// What one site said about the share that was wanted of it.
struct SiteWord {
  std::string share;
  std::string
      why;  // "tuh: site cloud1 refuses: the grant is used up": what came back, by way of whom
};

// One line for all. Sites that refuse for the same reason are named together: "site tommo refuses:
// the grant is used up; so does lsa". Empty when nobody said anything.
[[nodiscard]] std::string fault_words(const std::vector<SiteWord>& words);

}  // namespace warifu::control
