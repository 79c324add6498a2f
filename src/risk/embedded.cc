// g++ 12 has no #embed, so the assembler takes the files in. CMake says where they are and compiles
// this again when one of them changes.
#include "risk/embedded.h"

#define WARIFU_EMBED(name, file)                           \
  asm(".pushsection .rodata\n"                             \
      ".balign 8\n"                                        \
      ".globl warifu_" name "_begin\n.hidden warifu_" name \
      "_begin\n"                                           \
      "warifu_" name                                       \
      "_begin:\n"                                          \
      ".incbin \"" WARIFU_RISK_DATA "/" file               \
      "\"\n"                                               \
      ".globl warifu_" name "_end\n.hidden warifu_" name   \
      "_end\n"                                             \
      "warifu_" name                                       \
      "_end:\n"                                            \
      ".popsection\n")

WARIFU_EMBED("genes37", "genes-grch37.tsv.gz");
WARIFU_EMBED("genes38", "genes-grch38.tsv.gz");
WARIFU_EMBED("aliases", "gene-aliases.tsv.gz");
WARIFU_EMBED("breast", "icare-lit-breast.json");

extern "C" {
extern const warifu::Byte warifu_genes37_begin[], warifu_genes37_end[];
extern const warifu::Byte warifu_genes38_begin[], warifu_genes38_end[];
extern const warifu::Byte warifu_aliases_begin[], warifu_aliases_end[];
extern const warifu::Byte warifu_breast_begin[], warifu_breast_end[];
}

namespace warifu::risk {

ByteView embedded_genes_grch37() {
  return {warifu_genes37_begin, warifu_genes37_end};
}
ByteView embedded_genes_grch38() {
  return {warifu_genes38_begin, warifu_genes38_end};
}
ByteView embedded_gene_aliases() {
  return {warifu_aliases_begin, warifu_aliases_end};
}
ByteView embedded_breast_model() {
  return {warifu_breast_begin, warifu_breast_end};
}

}  // namespace warifu::risk
