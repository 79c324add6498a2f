// The tables and the model that the program carries, byte for byte as they stand in src/risk/data.
//
// Constant memory of the program, for as long as it runs. Any thread.
#pragma once

#include "base/bytes.h"

namespace warifu::risk {

[[nodiscard]] ByteView embedded_genes_grch37();  // gzip of a gene table (genes.h)
[[nodiscard]] ByteView embedded_genes_grch38();
[[nodiscard]] ByteView embedded_gene_aliases();
[[nodiscard]] ByteView embedded_breast_model();  // JSON of a risk model (model.h)

}  // namespace warifu::risk
