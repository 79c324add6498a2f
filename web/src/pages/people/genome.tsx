// What a genome's file is, in words.
import { useTexts } from "../../i18n";
import { genome_parts } from "./upload";

export function useGenomeWords(): (text: string) => string {
  const { t } = useTexts();
  return (text) => {
    const parts = genome_parts(text);
    return parts ? t("people.genome_of", parts) : text;
  };
}
