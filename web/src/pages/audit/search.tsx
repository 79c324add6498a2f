// Searching the log, and exporting what was found.
import { useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { get, request } from "../../lib/api";
import { time } from "../../lib/format";
import { go, usePlace } from "../../lib/router";
import { save } from "../../lib/save";
import { useGet } from "../../lib/load";
import { Badge, Button, Field, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import { ProofDialog } from "./proof";

interface LogRecord {
  seq: number;
  leaf: string;
  erased?: boolean;
  time_ms?: number;
  event?: string;
  fields?: { [name: string]: string };
}
interface Found {
  records: number;
  next: number;
  list: LogRecord[];
}

const NAMES = ["who", "event", "text", "since", "until", "refused"] as const;

/** The search of the page's address, as the API takes it: times in milliseconds. */
function api_query(query: URLSearchParams): URLSearchParams {
  const out = new URLSearchParams();
  for (const name of NAMES) {
    const value = query.get(name);
    if (!value) continue;
    const is_time = name === "since" || name === "until";
    const at = is_time ? Date.parse(value) : 0;
    if (!is_time) out.set(name, value);
    else if (!Number.isNaN(at)) out.set(name, String(at));
  }
  return out;
}

function Form() {
  const { t } = useTexts();
  const { query } = usePlace();
  const [draft, set_draft] = useState(() => Object.fromEntries(NAMES.map((name) => [name, query.get(name) ?? ""])));
  const set = (name: string, value: string) => set_draft({ ...draft, [name]: value });
  const search = (event: Event) => {
    event.preventDefault();
    const next = new URLSearchParams(Object.entries(draft).filter(([, value]) => value));
    const text = next.toString();
    go(`/log${text ? `?${text}` : ""}`);
  };
  const input = (name: (typeof NAMES)[number], label: string, type: string, hint?: string) => (
    <Field label={label} {...(hint ? { hint } : {})}>
      {(ids) => (
        <input {...ids} type={type} value={draft[name] ?? ""} onInput={(event) => set(name, event.currentTarget.value)} />
      )}
    </Field>
  );
  return (
    <form class="search" role="search" aria-label={t("audit.search")} onSubmit={search}>
      {input("who", t("audit.who"), "text")}
      {input("event", t("audit.event"), "text", t("audit.event_hint"))}
      {input("text", t("audit.text"), "text")}
      {input("since", t("audit.since"), "datetime-local")}
      {input("until", t("audit.until"), "datetime-local")}
      <div class="field check">
        <label>
          <input
            type="checkbox"
            checked={draft["refused"] === "true"}
            onChange={(event) => set("refused", event.currentTarget.checked ? "true" : "")}
          />
          {t("audit.refused")}
        </label>
        <Button kind="primary" type="submit">
          {t("audit.find")}
        </Button>
      </div>
    </form>
  );
}

function Results(props: { path: string }) {
  const { t, name } = useTexts();
  const first = useGet<Found>(props.path);
  const [older, set_older] = useState<{ path: string; list: LogRecord[]; next: number } | null>(null);
  const [proof, set_proof] = useState(0);
  if (first.problem) return <Problem problem={first.problem} retry={first.again} />;
  if (!first.value) return <Loading />;
  const more = older?.path === props.path ? older : null;
  const list = [...first.value.list, ...(more?.list ?? [])];
  const next = more ? more.next : first.value.next;
  const go_on = async () => {
    try {
      const found = await get<Found>(`${props.path}&before=${next}`);
      set_older({ path: props.path, list: [...(more?.list ?? []), ...found.list], next: found.next });
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  const refused = (record: LogRecord) => record.event === "refused" || record.event?.endsWith("_refused");
  return (
    <>
      <DataTable
        caption={t("audit.found")}
        empty={t("audit.none")}
        most={100}
        rows={list.map((record) => ({ ...record, id: String(record.seq) }))}
        columns={[
          { name: t("audit.number"), cell: (record) => record.seq, by: (record) => record.seq, numeric: true },
          {
            name: t("audit.time"),
            cell: (record) => (record.time_ms ? time(record.time_ms) : ""),
            by: (record) => record.time_ms ?? 0,
            time: true,
          },
          {
            name: t("audit.what"),
            by: (record) => record.event ?? "",
            cell: (record) => (
              <>
                <Badge tone={record.erased ? "plain" : refused(record) ? "bad" : "info"}>
                  {record.erased ? t("audit.erased") : name("logevent", record.event ?? "")}
                </Badge>
                {!record.erased && <code class="log-event">{record.event}</code>}
              </>
            ),
          },
          { name: t("audit.who"), cell: (record) => record.fields?.["operator"] ?? "", by: (record) => record.fields?.["operator"] ?? "" },
          {
            name: t("audit.fields"),
            cell: (record) => (
              <span class="log-fields">
                {Object.entries(record.fields ?? {})
                  .filter(([field]) => field !== "operator")
                  .map(([field, value]) => (
                    <span key={field}>
                      <span class="log-name">{field}</span> <code>{value}</code>
                    </span>
                  ))}
              </span>
            ),
          },
          {
            name: t("audit.prove"),
            cell: (record) => (
              <Button aria-label={t("audit.prove_of", { record: record.seq })} onClick={() => set_proof(record.seq)}>
                {t("audit.prove")}
              </Button>
            ),
          },
        ]}
      />
      {next > 0 && (
        <p class="more">
          <span class="note">{t("audit.looking")}</span> <Button onClick={() => void go_on()}>{t("audit.more")}</Button>
        </p>
      )}
      {proof > 0 && <ProofDialog record={proof} close={() => set_proof(0)} />}
    </>
  );
}

const ENDS = { jsonl: "jsonl", fhir: "fhir.json", dicom: "dicom.xml" } as const;

function Export(props: { query: string; site: string }) {
  const { t } = useTexts();
  const [format, set_format] = useState<keyof typeof ENDS>("jsonl");
  const [busy, set_busy] = useState(false);
  const run = async () => {
    set_busy(true);
    try {
      const answer = await request("GET", `/v1/log/export?format=${format}&${props.query}`);
      const name = `${props.site}-log.${ENDS[format]}`;
      save(name, await answer.blob());
      toast(t("audit.saved", { name }));
    } catch (failure) {
      toast(told(failure), true);
    }
    set_busy(false);
  };
  return (
    <Panel title={t("audit.export")}>
      <p>{t("audit.export_text")}</p>
      <Field label={t("audit.format")}>
        {(ids) => (
          <select {...ids} value={format} onChange={(event) => set_format(event.currentTarget.value as keyof typeof ENDS)}>
            {(Object.keys(ENDS) as (keyof typeof ENDS)[]).map((one) => (
              <option key={one} value={one}>
                {t(`audit.format.${one}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Button disabled={busy} onClick={() => void run()}>
        {t("audit.save")}
      </Button>
    </Panel>
  );
}

export function SearchPanels(props: { site: string; side: preact.ComponentChildren }) {
  const { t } = useTexts();
  const { query } = usePlace();
  const wanted = api_query(query).toString();
  return (
    <>
      <Panel title={t("audit.search")}>
        <Form key={query.toString()} />
        <Results path={`/v1/log/search?most=100&${wanted}`} />
      </Panel>
      <div class="columns">
        <Export query={wanted} site={props.site} />
        {props.side}
      </div>
    </>
  );
}
