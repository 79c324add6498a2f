// Which regions a consent is asked for: genes are found as somebody types, in the site's own table.
import { useEffect, useId, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { count } from "../../lib/format";
import { useGet } from "../../lib/load";
import { Field } from "../../ui/basic";

/** A gene as `GET /v1/genes` tells it (docs/api.md). */
export interface Gene {
  symbol: string;
  alias: string;
  places: { chromosome: string; start: number; end: number; strand: string; region: string }[];
}
interface Genes {
  assembly: string;
  genes: Gene[];
  more: boolean;
}

const TYPING_MS = 150;
const MOST = 8;

/** A name alone is a gene's, which the site looks up; anything else is left to the site to judge. */
export function region_of(text: string): string {
  return text.includes(":") ? text : `gene:${text}`;
}

/** The genes whose names begin with `typed`, once nobody has typed for a moment. */
function useGenes(typed: string): { genes: Gene[]; more: boolean; settled: boolean } {
  const [name, set_name] = useState("");
  useEffect(() => {
    const turn = setTimeout(() => set_name(typed.trim()), TYPING_MS);
    return () => clearTimeout(turn);
  }, [typed]);
  const found = useGet<Genes>(name ? `/v1/genes?assembly=GRCh38&limit=${MOST}&name=${encodeURIComponent(name)}` : null);
  const settled = name === typed.trim() && (name === "" || found.value !== null || found.problem !== null);
  return { genes: (name && found.value?.genes) || [], more: found.value?.more ?? false, settled };
}

function GeneSearch(props: { chosen: (gene: Gene) => void }) {
  const { t } = useTexts();
  const [typed, set_typed] = useState("");
  const [active, set_active] = useState(0);
  const { genes, more, settled } = useGenes(typed);
  const id = useId();
  const open = typed.trim() !== "" && genes.length > 0;
  const at = Math.min(active, genes.length - 1);
  const choose = (gene: Gene | undefined) => {
    if (!gene) return;
    props.chosen(gene);
    set_typed("");
    set_active(0);
  };
  const on_key = (event: KeyboardEvent) => {
    if (typed.trim() === "") return; // an empty field: the form's own keys
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && open) set_active((at + step + genes.length) % genes.length);
    else if (event.key === "Enter") choose(settled ? genes[at] : undefined);
    else if (event.key === "Escape") set_typed("");
    else return;
    event.preventDefault();
  };
  const said = !settled || typed.trim() === "" ? "" : t(more ? "requests.genes_more" : "requests.genes_found", { count: genes.length });
  return (
    <div class="gene-search">
      <Field label={t("requests.gene")} hint={t("requests.gene_hint")}>
        {(ids) => (
          <input
            {...ids}
            role="combobox"
            aria-autocomplete="list"
            aria-expanded={open}
            aria-controls={open ? `${id}-list` : undefined}
            aria-activedescendant={open ? `${id}-${at}` : undefined}
            autoComplete="off"
            spellcheck={false}
            maxLength={64}
            value={typed}
            onInput={(event) => {
              set_typed(event.currentTarget.value);
              set_active(0);
            }}
            onKeyDown={on_key}
          />
        )}
      </Field>
      <p class="note" role="status">
        {said}
      </p>
      {open && (
        <ul id={`${id}-list`} class="gene-list" role="listbox" aria-label={t("requests.gene")}>
          {genes.map((gene, number) => (
            <li
              key={gene.symbol}
              id={`${id}-${number}`}
              role="option"
              aria-selected={number === at}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => choose(gene)}
            >
              <strong>{gene.symbol}</strong>
              {gene.alias && <span> ({gene.alias})</span>}{" "}
              <span class="note">
                {gene.places.map((one) => `chr${one.chromosome}: ${count(one.start)}–${count(one.end)}`).join("; ")}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** A place for each line; a gene that is chosen adds its own. */
export function RegionsField(props: { value: string; set: (value: string) => void }) {
  const { t } = useTexts();
  const add = (gene: Gene) => {
    const before = props.value.split("\n").filter((one) => one.trim());
    const places = gene.places.map((one) => one.region).filter((one) => !before.includes(one));
    props.set([...before, ...places].join("\n"));
  };
  return (
    <div class="regions">
      <GeneSearch chosen={add} />
      <Field label={t("requests.regions")} hint={t("requests.regions_hint")}>
        {(ids) => (
          <textarea
            {...ids}
            rows={Math.max(2, Math.min(6, props.value.split("\n").length))}
            value={props.value}
            onInput={(event) => props.set(event.currentTarget.value)}
          />
        )}
      </Field>
    </div>
  );
}
