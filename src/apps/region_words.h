// What `--region` may name besides places: a gene by the program's table, and a score by its file.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace warifu::apps {

// Each text as places: "gene:NAME" (risk/genes.h), "score:FILE" the sites of a scoring file of the
// PGS Catalog, each one base and under the score's id; others are handed through. Errors: those of
// genes and of scoring files, naming the file.
[[nodiscard]] Result<std::vector<std::string>> regions_in_words(
    const std::vector<std::string>& texts);

}  // namespace warifu::apps
