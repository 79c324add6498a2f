// Storing a file of a person: progress, rate, expected end; pause, go on. What is not stored yet is
// shown below it (unfinished.tsx).
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { bytes, duration, rate } from "../../lib/format";
import { Link } from "../../lib/router";
import { Button, Field, Panel, Progress as Bar } from "../../ui/basic";
import { Actions, told } from "../../ui/failure";
import { Assembly } from "./assembly";
import { useGenomeWords } from "./genome";
import { Lacking } from "./lacking";
import { Unfinished, useUnfinished } from "./unfinished";
import { type Progress, type Stored, is_of, send } from "./upload";

const GENOME = /\.(cram|bam|bcf|vcf\.b?gz)$/i;

function Sending(props: { progress: Progress }) {
  const { t } = useTexts();
  const genome_words = useGenomeWords();
  const { received, total, speed, genome, waiting } = props.progress;
  return (
    <div class="upload" role="group" aria-label={t("people.sending")}>
      <Bar label={t("people.sending")} done={received} total={total} />
      <p class="note figure">
        {bytes(received)} / {bytes(total)}
        {speed > 0 && ` · ${rate(speed * 8)} · ${t("people.left", { time: duration((total - received) / speed) })}`}
      </p>
      {genome && <p class="note">{genome_words(genome)}</p>}
      {waiting && (
        <p class="note note-error" role="status">
          {t("people.lost")}
        </p>
      )}
    </div>
  );
}

function Received(props: { stored: Stored }) {
  const { t } = useTexts();
  const { warnings, lacking_reference } = props.stored;
  return (
    <>
      <p role="status">
        {t("people.received")} <Link to="/jobs">{t("people.see_jobs")}</Link>
        {warnings.filter((one) => one !== lacking_reference?.text).map((one) => (
          <span key={one} class="note">
            {" "}
            {one}
          </span>
        ))}
      </p>
      <Lacking reference={lacking_reference} />
    </>
  );
}

/** What is to be sent, and how. */
function useChoice() {
  const [file, set_file] = useState<File | null>(null);
  const [index, set_index] = useState<File | null>(null);
  const [index_here, set_index_here] = useState(false);
  const [assembly, set_assembly] = useState("");
  const [policy, set_policy] = useState("");
  const [turn, set_turn] = useState(0); // the fields are empty again with each
  const clear = () => {
    set_file(null);
    set_index(null);
    set_turn((n) => n + 1);
  };
  return { turn, file, set_file, index, set_index, index_here, set_index_here, assembly, set_assembly, policy, set_policy, clear };
}

function Choosing(props: { choice: ReturnType<typeof useChoice>; running: boolean; begun: boolean; changed: () => void }) {
  const { t } = useTexts();
  const { choice, running } = props;
  const is_genome = choice.file !== null && GENOME.test(choice.file.name);
  return (
    <>
      <Field label={t("people.file")}>
        {(ids) => (
          <input
            {...ids}
            key={choice.turn}
            type="file"
            disabled={running}
            onChange={(event) => {
              choice.set_file(event.currentTarget.files?.[0] ?? null);
              props.changed();
            }}
          />
        )}
      </Field>
      <Field label={t("people.index")} hint={t("people.index_hint")}>
        {(ids) => (
          <input
            {...ids}
            key={choice.turn}
            type="file"
            accept=".crai,.bai,.csi,.tbi"
            disabled={running}
            onChange={(event) => choice.set_index(event.currentTarget.files?.[0] ?? null)}
          />
        )}
      </Field>
      {is_genome && !choice.index && !props.begun && (
        <label class="tick">
          <input
            type="checkbox"
            disabled={running}
            checked={choice.index_here}
            onChange={(event) => choice.set_index_here(event.currentTarget.checked)}
          />
          {t("people.index_here")}
        </label>
      )}
      {choice.index && <Assembly value={choice.assembly} disabled={running} change={choice.set_assembly} />}
      {!props.begun && (
        <Field label={t("people.policy")} hint={t("people.policy_hint")}>
          {(ids) => (
            <input
              {...ids}
              value={choice.policy}
              disabled={running}
              onInput={(event) => choice.set_policy(event.currentTarget.value)}
            />
          )}
        </Field>
      )}
    </>
  );
}

export function Uploader(props: { person: string; stored: () => void }) {
  const { t } = useTexts();
  const choice = useChoice();
  const unfinished = useUnfinished(props.person);
  const [progress, set_progress] = useState<Progress | null>(null);
  const [running, set_running] = useState(false);
  const [stored, set_stored] = useState<Stored | null>(null);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const abort = useRef<AbortController | null>(null);
  const { file } = choice;
  const begun = file ? unfinished.rows.find((row) => is_of(row, file)) : undefined;
  const all_there = (what: Stored) => {
    set_stored(what);
    props.stored();
    unfinished.again();
  };
  const start = async () => {
    if (!file) return;
    abort.current = new AbortController();
    set_running(true);
    set_problem(null);
    set_stored(null);
    try {
      const { index, index_here, assembly, policy } = choice;
      const wish = { person: props.person, file, index, index_here: index_here && GENOME.test(file.name), assembly, policy };
      const done = await send(wish, set_progress, abort.current.signal);
      set_progress(null);
      choice.clear();
      if (done) all_there(done);
    } catch (failure) {
      if (!abort.current.signal.aborted) set_problem(told(failure));
    } finally {
      set_running(false);
      unfinished.again();
    }
  };
  const others = unfinished.rows.filter((row) => !running || row !== begun);
  return (
    <>
      <Panel title={t("people.store")}>
        <p>{t("people.store_text")}</p>
        <Choosing
          choice={choice}
          running={running}
          begun={begun !== undefined}
          changed={() => {
            set_progress(null);
            set_stored(null);
          }}
        />
        {progress && <Sending progress={progress} />}
        {stored && <Received stored={stored} />}
        <Actions problem={problem}>
          <Button kind="primary" disabled={!file || running} onClick={() => void start()}>
            {(progress || begun) && !running ? t("people.go_on") : t("people.send")}
          </Button>
          {running && <Button onClick={() => abort.current?.abort()}>{t("people.pause")}</Button>}
        </Actions>
        <p class="note">{t("people.computational")}</p>
      </Panel>
      <Unfinished rows={others} again={unfinished.again} stored={all_there} />
    </>
  );
}
