// Storing a file of a person: progress, rate, expected end; pause, go on, drop.
import { useRef, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { bytes, duration, rate } from "../../lib/format";
import { Link } from "../../lib/router";
import { Button, Field, Panel, Progress as Bar, useProblemText } from "../../ui/basic";
import { type Progress, type Stored, forget, send } from "./upload";

const ASSEMBLIES = ["GRCh37", "GRCh38", "T2T-CHM13v2"];

export function Uploader(props: { person: string; stored: () => void }) {
  const { t } = useTexts();
  const problem_text = useProblemText();
  const [file, set_file] = useState<File | null>(null);
  const [index, set_index] = useState<File | null>(null);
  const [assembly, set_assembly] = useState("");
  const [policy, set_policy] = useState("");
  const [progress, set_progress] = useState<Progress | null>(null);
  const [running, set_running] = useState(false);
  const [stored, set_stored] = useState<Stored | null>(null);
  const [problem, set_problem] = useState("");
  const abort = useRef<AbortController | null>(null);
  const start = async () => {
    if (!file) return;
    abort.current = new AbortController();
    set_running(true);
    set_problem("");
    set_stored(null);
    try {
      const wish = { person: props.person, file, index, assembly, policy };
      set_stored(await send(wish, set_progress, abort.current.signal));
      set_progress(null);
      set_file(null);
      set_index(null);
      props.stored();
    } catch (failure) {
      if (!abort.current.signal.aborted) set_problem(problem_text(failure));
    } finally {
      set_running(false);
    }
  };
  const drop = async () => {
    abort.current?.abort();
    try {
      if (file) await forget(props.person, file);
    } catch (failure) {
      set_problem(problem_text(failure));
    }
    set_progress(null);
  };
  const left = progress && progress.speed > 0 ? (progress.total - progress.received) / progress.speed : null;
  return (
    <Panel title={t("people.store")}>
      <p>{t("people.store_text")}</p>
      <Field label={t("people.file")}>
        {(ids) => (
          <input
            {...ids}
            type="file"
            disabled={running}
            onChange={(event) => {
              set_file(event.currentTarget.files?.[0] ?? null);
              set_progress(null);
              set_stored(null);
            }}
          />
        )}
      </Field>
      <Field label={t("people.index")} hint={t("people.index_hint")}>
        {(ids) => (
          <input
            {...ids}
            type="file"
            accept=".crai,.bai,.csi,.tbi"
            disabled={running}
            onChange={(event) => set_index(event.currentTarget.files?.[0] ?? null)}
          />
        )}
      </Field>
      {index && (
        <Field label={t("people.assembly")}>
          {(ids) => (
            <select
              {...ids}
              value={assembly}
              disabled={running}
              onChange={(event) => set_assembly(event.currentTarget.value)}
            >
              <option value="">{t("people.assembly_own")}</option>
              {ASSEMBLIES.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label={t("people.policy")} hint={t("people.policy_hint")}>
        {(ids) => (
          <input {...ids} value={policy} disabled={running} onInput={(event) => set_policy(event.currentTarget.value)} />
        )}
      </Field>
      {progress && (
        <div class="upload" role="group" aria-label={t("people.sending")}>
          <Bar label={t("people.sending")} done={progress.received} total={progress.total} />
          <p class="note figure">
            {bytes(progress.received)} / {bytes(progress.total)}
            {progress.speed > 0 && ` · ${rate(progress.speed * 8)}`}
            {left !== null && ` · ${t("people.left", { time: duration(left) })}`}
          </p>
          {progress.genome && <p class="note">{progress.genome}</p>}
          {progress.waiting && (
            <p class="note note-error" role="status">
              {t("people.lost")}
            </p>
          )}
        </div>
      )}
      {problem && (
        <p class="note note-error" role="alert">
          {problem}
        </p>
      )}
      {stored && (
        <p role="status">
          {t("people.received")} <Link to="/jobs">{t("people.see_jobs")}</Link>
          {stored.warnings.map((one) => (
            <span key={one} class="note">
              {" "}
              {one}
            </span>
          ))}
        </p>
      )}
      <p class="actions">
        <Button kind="primary" disabled={!file || running} onClick={() => void start()}>
          {progress && !running ? t("people.go_on") : t("people.send")}
        </Button>
        {running && <Button onClick={() => abort.current?.abort()}>{t("people.pause")}</Button>}
        {progress && (
          <Button kind="danger" onClick={() => void drop()}>
            {t("people.drop")}
          </Button>
        )}
      </p>
      <p class="note">{t("people.computational")}</p>
    </Panel>
  );
}
