// What regions take: two consents, what reading them costs, and whether they identify a person.
import { useTexts } from "../i18n";
import { bytes, count, percent } from "../lib/format";
import { Facts } from "../ui/basic";
import type { Identification, Quote } from "./desk";

const GENOME_BASES = 3_100_000_000;

/** First the index, then the regions; why, unless `brief`. */
export function Steps(props: { part: "index" | "regions"; brief?: boolean }) {
  const { t } = useTexts();
  return (
    <>
      <ol class="steps" aria-label={t("kiosk.steps")}>
        <li aria-current={props.part === "index" ? "step" : undefined}>{t("kiosk.step_index")}</li>
        <li aria-current={props.part === "regions" ? "step" : undefined}>{t("kiosk.step_regions")}</li>
      </ol>
      {!props.brief && <p class="lead">{t(props.part === "index" ? "kiosk.why_two" : "kiosk.second_why")}</p>}
    </>
  );
}

/** Of "GRCh38:chr17:43044295-43125364=BRCA1". */
function bases_of(region: string): number {
  const found = /:(\d+)-(\d+)(=|$)/.exec(region);
  return found ? Number(found[2]) - Number(found[1]) + 1 : 0;
}

export function Cost(props: { quote: Quote; regions: string[] }) {
  const { t } = useTexts();
  const { quote } = props;
  const bases = props.regions.map(bases_of).reduce((sum, one) => sum + one, 0);
  return (
    <Facts
      facts={[
        [t("kiosk.bases"), t("kiosk.bases_of", { bases: count(bases), share: percent(bases / GENOME_BASES) })],
        [
          t("kiosk.pieces"),
          t("kiosk.pieces_of", { pieces: count(quote.chunks), all: count(quote.chunks_of_object), bytes: bytes(quote.bytes) }),
        ],
        ...(quote.decoys ? [[t("kiosk.hidden"), t("kiosk.hidden_by", { count: quote.decoys })] as [string, string]] : []),
        [
          t("kiosk.key"),
          t("kiosk.key_of", { bytes: bytes(quote.key_bits / 8), whole: bytes(quote.key_bits_of_whole / 8) }),
        ],
      ]}
    />
  );
}

/** The meter: what this recipient has of the person, before and after, against the limit. */
export function Identifies(props: { reading: Identification; who: string }) {
  const { t } = useTexts();
  const { reading, who } = props;
  // Of what identifies, by whichever of the two measures gets there first; 1 is the limit.
  const worth = (amount: Identification["after"]) =>
    amount.whole ? 2 : Math.max(amount.independent_snps / reading.snp_threshold, amount.str_loci / reading.str_threshold);
  const width = (amount: Identification["after"]) => `${50 * Math.min(worth(amount), 2)}%`;
  const words = (amount: Identification["after"]) => (amount.whole ? t("kiosk.meter_whole") : percent(worth(amount)));
  const state = reading.crosses ? "crosses" : reading.identifies ? "over" : "under";
  return (
    <section class={`identifies identifies-${state}`} aria-labelledby="identifies">
      <h2 id="identifies">{t(`kiosk.identifies.${state}`, { who })}</h2>
      <div class="meter" aria-hidden="true">
        <span class="meter-after" style={{ width: width(reading.after) }} />
        <span class="meter-before" style={{ width: width(reading.before) }} />
        <span class="meter-limit" />
      </div>
      <p class="note">
        {t("kiosk.meter", { before: words(reading.before), after: words(reading.after), who })}
      </p>
      <p class="note">{reading.text}</p>
    </section>
  );
}
