// The proof of one record, and of the log's growth; both are checked here, by proofs.ts.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { get } from "../../lib/api";
import { useGet } from "../../lib/load";
import { from_hex, is_consistent, is_included, leaf_of, type Note, parse_note, to_hex } from "../../lib/proofs";
import { save } from "../../lib/save";
import { Button, Facts, Field, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { Dialog } from "../../ui/dialog";
import { Holds, useSignature, type Verdict } from "./checkpoint";

interface Proof {
  seq: number;
  leaf: string;
  salt: string;
  text: string;
  proof: string[];
  note: string;
  key: string;
}

function useCheck(work: (() => Promise<boolean>) | null, of: unknown): Verdict {
  const [verdict, set_verdict] = useState<Verdict>(null);
  useEffect(() => {
    set_verdict(null);
    work?.().then(
      (holds) => set_verdict(holds ? "yes" : "no"),
      () => set_verdict("no"),
    );
  }, [of]);
  return verdict;
}

function site_of(note: Note | null): string {
  return note ? note.origin.slice(note.origin.indexOf("/") + 1) : "";
}

export function ProofDialog(props: { record: number; close: () => void }) {
  const { t } = useTexts();
  const { value, problem, again } = useGet<Proof>(`/v1/log/proof?record=${props.record}`);
  const note = value ? parse_note(value.note) : null;
  const is_record = useCheck(
    value && value.text ? async () => to_hex(await leaf_of(value.salt, value.text)) === value.leaf : null,
    value,
  );
  const included = useCheck(
    value && note
      ? () => is_included(from_hex(value.leaf), value.seq - 1, note.size, value.proof.map(from_hex), note.root)
      : null,
    value,
  );
  const signed = useSignature(note, site_of(note), value?.key ?? "");
  const save_it = () =>
    save(`record-${props.record}.proof.json`, new Blob([JSON.stringify(value, null, 2)], { type: "application/json" }));
  return (
    <Dialog
      title={t("audit.proof_title", { record: props.record })}
      close={props.close}
      actions={value && <Button onClick={save_it}>{t("audit.proof_save")}</Button>}
    >
      {Boolean(problem) && <Problem problem={problem} retry={again} />}
      {!value && !problem && <Loading />}
      {value && note && (
        <>
          <ul class="checks">
            {value.text ? (
              <li>
                {t("audit.proof_record")} <Holds verdict={is_record} />
              </li>
            ) : (
              <li>{t("audit.proof_erased")}</li>
            )}
            <li>
              {t("audit.proof_included", { record: value.seq, size: note.size })} <Holds verdict={included} />
            </li>
            <li>
              {t("audit.proof_signed", { site: site_of(note) })} <Holds verdict={signed} />
            </li>
          </ul>
          <p class="note">{t("audit.proof_checked")}</p>
          {value.text && (
            <pre class="command" tabIndex={0}>
              {JSON.stringify(JSON.parse(value.text), null, 2)}
            </pre>
          )}
          <details>
            <summary>{t("audit.proof_path", { count: value.proof.length })}</summary>
            <pre class="command" tabIndex={0}>
              {[value.leaf, ...value.proof].join("\n")}
              {"\n\n"}
              {value.note}
            </pre>
          </details>
        </>
      )}
    </Dialog>
  );
}

interface Growth {
  before: number;
  root_before: string;
  proof: string[];
  note: string;
  key: string;
}

export function ConsistencyPanel() {
  const { t } = useTexts();
  const [before, set_before] = useState("");
  const [growth, set_growth] = useState<Growth | null>(null);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const note = growth ? parse_note(growth.note) : null;
  const consistent = useCheck(
    growth && note
      ? () => is_consistent(growth.before, from_hex(growth.root_before), note.size, note.root, growth.proof.map(from_hex))
      : null,
    growth,
  );
  const signed = useSignature(note, site_of(note), growth?.key ?? "");
  const check = async (event: Event) => {
    event.preventDefault();
    set_growth(null);
    set_problem(null);
    try {
      set_growth(await get<Growth>(`/v1/log/consistency?before=${encodeURIComponent(before)}`));
    } catch (failure) {
      set_problem(told(failure));
    }
  };
  return (
    <Panel title={t("audit.consistency")}>
      <p>{t("audit.consistency_text")}</p>
      <form onSubmit={(event) => void check(event)} noValidate>
        <Field label={t("audit.before")} error={problem}>
          {(ids) => (
            <input {...ids} inputMode="numeric" value={before} onInput={(event) => set_before(event.currentTarget.value)} />
          )}
        </Field>
        <Button type="submit" disabled={!/^[0-9]+$/.test(before)}>
          {t("audit.check")}
        </Button>
      </form>
      <div role="status">
        {growth && note && (
          <>
            <ul class="checks">
              <li>
                {t("audit.grown", { size: note.size, before: growth.before })} <Holds verdict={consistent} />
              </li>
              <li>
                {t("audit.proof_signed", { site: site_of(note) })} <Holds verdict={signed} />
              </li>
            </ul>
            <Facts facts={[[t("audit.root_before"), <code>{growth.root_before}</code>]]} />
          </>
        )}
      </div>
    </Panel>
  );
}
