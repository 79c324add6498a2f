// Places of a few genes for which consents are often asked; GRCh38, NCBI Gene (RefSeq NC_ sequences),
// 1-based and inclusive. Any other place is typed in.
export const GENES: Record<string, string> = {
  APOE: "GRCh38:chr19:44905796-44909393=APOE",
  BRCA1: "GRCh38:chr17:43044295-43125364=BRCA1",
  BRCA2: "GRCh38:chr13:32315508-32400268=BRCA2",
  CYP2C19: "GRCh38:chr10:94762681-94855547=CYP2C19",
  CYP2D6: "GRCh38:chr22:42126499-42130810=CYP2D6",
  LDLR: "GRCh38:chr19:11089463-11133820=LDLR",
  TP53: "GRCh38:chr17:7668421-7687490=TP53",
};
