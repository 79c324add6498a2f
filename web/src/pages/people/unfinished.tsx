// Uploads of a person that are not stored yet: how far they are, making the index at the site, what
// came of it, storing or dropping them.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { bytes, count, fine_percent, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { Button, Facts, Field, Panel, Progress as Bar } from "../../ui/basic";
import { confirm } from "../../ui/dialog";
import { Actions, Failure, told } from "../../ui/failure";
import { Assembly } from "./assembly";
import { useGenomeWords } from "./genome";
import { Lacking } from "./lacking";
import { type Stored, type UploadRow, drop, finish, open_uploads } from "./upload";

const LOOK_MS = 1000;
const READS_PER_SLICE = 1000;

/** The open uploads of a person; looked at again while the site works on one. */
export function useUnfinished(person: string): { rows: UploadRow[]; again: () => void } {
  const [rows, set_rows] = useState<UploadRow[]>([]);
  const [turn, set_turn] = useState(0);
  const busy = rows.some((row) => row.preparing);
  useEffect(() => {
    const abort = new AbortController();
    const look = () => {
      open_uploads(person, abort.signal).then(set_rows, () => undefined); // the page's own table tells
    };
    look();
    const timer = busy ? setInterval(look, LOOK_MS) : 0;
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, [person, turn, busy]);
  return { rows, again: () => set_turn((n) => n + 1) };
}

/** What the site is to make of a genome that is all there. */
function Prepare(props: { row: UploadRow; again: () => void }) {
  const { t } = useTexts();
  const { row } = props;
  const references = useGet<{ references: string[] }>(row.is_cram ? "/v1/uploads/references" : null);
  const [slices, set_slices] = useState(false);
  const [reference, set_reference] = useState("");
  const [assembly, set_assembly] = useState("");
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const start = async () => {
    set_problem(null);
    try {
      const reads_per_slice = slices ? READS_PER_SLICE : 0;
      await post(`/v1/uploads/${row.upload}/prepare`, { reads_per_slice, reference, assembly });
      props.again();
    } catch (failure) {
      set_problem(told(failure));
    }
  };
  return (
    <>
      <p>{t("people.prepare_text")}</p>
      {row.is_cram && (
        <>
          <label class="tick">
            <input type="checkbox" checked={slices} onChange={(event) => set_slices(event.currentTarget.checked)} />
            {t("people.slices", { reads: count(READS_PER_SLICE) })}
          </label>
          <p class="note">{t("people.slices_hint")}</p>
          {slices && (
            <Field label={t("people.reference")} hint={t("people.reference_hint")}>
              {(ids) => (
                <select {...ids} value={reference} onChange={(event) => set_reference(event.currentTarget.value)}>
                  <option value="">{t("people.reference_own")}</option>
                  {(references.value?.references ?? []).map((one) => (
                    <option key={one} value={one}>
                      {one}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )}
        </>
      )}
      <Assembly value={assembly} disabled={false} change={set_assembly} />
      <Actions problem={problem ?? (row.trouble && <Failure {...row.trouble} />)}>
        <Button kind="primary" onClick={() => void start()}>
          {t("people.make_index")}
        </Button>
      </Actions>
    </>
  );
}

/** What was made, before it is stored. */
function Made(props: { row: UploadRow }) {
  const { t } = useTexts();
  const genome_words = useGenomeWords();
  const { prepared, genome } = props.row;
  if (!prepared) return null;
  const { original_bytes: before, stored_bytes: after } = prepared;
  const facts: [string, ComponentChildren][] = [
    [t("people.made_genome"), genome_words(genome ?? "")],
    [t("people.made_index"), bytes(prepared.index_bytes)],
  ];
  if (prepared.reads_per_slice > 0) {
    const change = `${after < before ? "−" : "+"}${fine_percent(Math.abs(after - before) / before)}`;
    facts.push(
      [t("people.made_bytes"), t("people.made_bytes_text", { before: bytes(before), after: bytes(after), change })],
      [t("people.made_records"), t("people.made_records_text", { records: count(prepared.records) })],
    );
  }
  return (
    <>
      <Facts facts={facts} />
      {prepared.original_sha256 && (
        <p class="digest">
          {t("people.made_digest")} <code>{prepared.original_sha256}</code>
          <span class="note">{t("people.made_digest_hint")}</span>
        </p>
      )}
    </>
  );
}

function One(props: { row: UploadRow; again: () => void; stored: (what: Stored) => void }) {
  const { t, name } = useTexts();
  const { row } = props;
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const run = async (work: () => Promise<void>) => {
    set_problem(null);
    try {
      await work();
      props.again();
    } catch (failure) {
      set_problem(told(failure));
    }
  };
  const remove = async () => {
    if (await confirm(t("people.drop_sure", { file: row.label }), t("people.drop"), true)) await run(() => drop(row.upload));
  };
  const store = () => run(async () => props.stored(await finish(row.upload, () => undefined)));
  const { preparing } = row;
  return (
    <section class="unfinished" aria-label={row.label}>
      <h3>{row.label}</h3>
      <p class="figure">{t("people.stands", { received: bytes(row.received), bytes: bytes(row.bytes) })}</p>
      <p class="note">{t("people.kept_until", { until: time(Date.parse(row.until)) })}</p>
      {preparing ? (
        <div role="status">
          <p>{name("people.step", preparing.step)}</p>
          <Bar label={name("people.step", preparing.step)} done={preparing.done} total={preparing.total} />
        </div>
      ) : row.wants === "prepare" ? (
        <Prepare row={row} again={props.again} />
      ) : row.wants === "finish" ? (
        <>
          <Made row={row} />
          <Lacking reference={row.lacking_reference} />
        </>
      ) : (
        <p>{t(row.wants === "pieces" ? "people.choose_again" : "people.choose_index_again")}</p>
      )}
      <Actions problem={problem}>
        {row.wants === "finish" && !preparing && (
          <Button kind="primary" onClick={() => void store()}>
            {t("people.store_it")}
          </Button>
        )}
        <Button kind="danger" onClick={() => void remove()}>
          {t("people.drop")}
        </Button>
      </Actions>
    </section>
  );
}

export function Unfinished(props: { rows: UploadRow[]; again: () => void; stored: (what: Stored) => void }) {
  const { t } = useTexts();
  if (props.rows.length === 0) return null;
  return (
    <Panel title={t("people.unfinished")}>
      {props.rows.map((row) => (
        <One key={row.upload} row={row} again={props.again} stored={props.stored} />
      ))}
    </Panel>
  );
}
