// What becomes of an object that the catalog knows, when sites have told what they hold. Pure
// functions.
//
// The catalog may be older than the truth (a copy), or newer than a site (a backup of its disk);
// sites may be silent, and headers damaged. So:
//   - As long as each share that the catalog counts on is shown, or at a site that is silent, or
//     there and not readable, or was here and burnt, the object stays as the catalog knows it.
//   - Otherwise the tree that the shown shares make takes its place. It may move no share that
//     stands, silent ones included, but for one whose place a shown share fills while it cannot be
//     read itself, and but for shares of an older generation once all of the new one is shown and
//     the old one is not whole any more: then its refresh had been committed.
// What is shown and in no use is counted, and deleted by nobody. What the verdict gives up is only
// what nobody shows, or what another share that is shown replaces.
#pragma once

#include <set>

#include "recovery/found_objects.h"

namespace warifu::recovery {

// What sites have told. Refers to `shown`.
struct Evidence {
  const std::vector<FoundShare>& shown;  // of the object
  std::set<SiteName> silent;
  std::set<ShareId> unreadable;  // of those that the catalog counts on and nobody shows
  SiteName own;

  [[nodiscard]] bool shows(const catalog::Share& share) const;
  // It is there, or nobody can say.
  [[nodiscard]] bool may_stand(const catalog::Share& share) const;
  // This site shows nothing of the object: it has lost what it had.
  [[nodiscard]] bool is_burnt() const;
};

struct Verdict {
  catalog::FoundObject found;
  bool is_kept = false;  // the catalog was right
  std::uint64_t lost = 0, spare = 0;
  std::map<SiteName, Pseudonym> owner;
};

// Shares that the catalog counts on, at sites that are not silent, which nobody shows: of these it
// has to be asked whether they are there and not readable.
[[nodiscard]] std::vector<catalog::Share> to_be_asked(const std::vector<catalog::Share>& rows,
                                                      const Evidence& evidence);

// `rows` are all shares of the object in the catalog. Errors: as settle(); kRefused naming the
// share that stands and would be moved.
[[nodiscard]] Result<Verdict> judge_known(const catalog::Object& known,
                                          const std::vector<catalog::Share>& rows,
                                          const Evidence& evidence);
// Of an object that the catalog does not know. Errors: as settle().
[[nodiscard]] Result<Verdict> judge_unknown(const Evidence& evidence);

}  // namespace warifu::recovery
