// What changes at the site, as it happens (GET /v1/events): tables that components follow.
//
// The stream is read with fetch, since EventSource cannot send the session's key in a header. A lost
// connection is taken up again with the last event's number; a page in the background lets go of
// its connection, of which a browser has few.
import { logged_in, page_headers } from "./api";
import { type Change, changed, EventReader, type ServerEvent, type Table } from "./events";
import { Store } from "./store";

export interface Direction {
  state: "ready" | "warning" | "charging" | "empty";
  available_bytes: number;
  residual_bytes: number;
  leased_bytes: number;
  quarantined_bytes: number;
  inflow_bits_per_second: number;
  outflow_bits_per_second: number;
}
export interface LinkRow {
  id: string;
  peer: string;
  class: string;
  paths: number;
  origins: string[];
  carries_shares: boolean;
  send: Direction;
  receive: Direction;
  /** `code` and `reason` of a state that is a trouble. */
  devices: {
    name: string;
    state: string;
    code: string;
    reason: string;
    qber: number | null;
    alarms: string[];
    alarm_reasons: string[];
  }[];
}
export interface EdgeEnd {
  residual_bytes: number;
  inflow_bits_per_second: number;
  carries: boolean;
}
export interface EdgeRow {
  id: string;
  a: string;
  b: string;
  class: string;
  paths: number;
  there: EdgeEnd | null;
  back: EdgeEnd | null;
}
export interface SiteRow {
  id: string;
  site: string;
  own: boolean;
  controller: boolean;
  labels: string[];
  region: string;
  accepts_shares: boolean;
  state: "up" | "silent" | "unknown";
  why: string;
  code: string;
  reason: string;
  free_bytes: number | null;
}
export interface JobRow {
  id: string;
  kind: string;
  state: string;
  priority: string;
  step: string;
  object: string;
  progress_bytes: number;
  total_bytes: number;
  error: string;
  error_code: string;
  error_reason: string;
  /** A restore to which somebody rightly said no: it stands as failed and is no alarm. */
  refused: boolean;
  jobs_before: number | null;
  created_ms: number;
  updated_ms: number;
  expected_end_ms: number;
}
export interface AlertRow {
  id: string;
  kind: string;
  severity: "serious" | "warning";
  subject: string;
  detail: string;
  /** Of something that failed: by these a sentence tells why. */
  code?: string;
  reason?: string;
}
export interface OwnRow {
  id: string;
  site: string;
  controller: string;
  is_controller: boolean;
  single_operator: boolean;
  shares: number;
  share_bytes: number;
  free_bytes: number;
  log_records: number;
  unlocked_secret_memory: boolean;
}

export type { Table } from "./events";
function table<Row>(): Store<Table<Row>> {
  return new Store<Table<Row>>(new Map());
}

export const tables = {
  site: table<OwnRow>(),
  sites: table<SiteRow>(),
  edges: table<EdgeRow>(),
  links: table<LinkRow>(),
  alerts: table<AlertRow>(),
  jobs: table<JobRow>(),
};
export type Topic = keyof typeof tables;

/** "wait": not there yet; "live"; "lost": the last known figures are shown. */
export const connection = new Store<"wait" | "live" | "lost">("wait");
/** When the site was last heard, in milliseconds since 1970. */
export const heard = new Store<number>(0);

const SILENCE_MS = 15_000;
let running: AbortController | null = null;
let last = "";

function take(event: ServerEvent): void {
  if (event.id) last = event.id;
  if (!(event.event in tables)) return;
  const store = tables[event.event as Topic] as Store<Table<{ id: string }>>;
  store.set(changed(store.get(), JSON.parse(event.data) as Change));
}

async function read_on(abort: AbortController): Promise<void> {
  const headers = page_headers(last ? { "Last-Event-ID": last } : {});
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const answer = await fetch("/v1/events", { headers, signal: abort.signal, cache: "no-store" });
    if (answer.status === 401) logged_in.set(false);
    if (!answer.ok || !answer.body) throw new Error(String(answer.status));
    const reader = new EventReader();
    const source = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { value, done } = await source.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
      for (const event of reader.push(value)) take(event);
      connection.set("live");
      heard.set(Date.now());
    }
  } finally {
    clearTimeout(silence);
  }
}

async function keep_reading(stop: AbortController): Promise<void> {
  for (let pause = 250; !stop.signal.aborted; ) {
    const attempt = new AbortController();
    const end = () => attempt.abort();
    stop.signal.addEventListener("abort", end);
    try {
      await read_on(attempt);
      pause = 250;
    } catch {
      // told by `connection`
    }
    stop.signal.removeEventListener("abort", end);
    if (stop.signal.aborted || !logged_in.get()) return;
    if (connection.get() === "live") pause = 250;
    connection.set("lost");
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 5000);
  }
}

export function start_live(): void {
  if (running || document.hidden) return;
  running = new AbortController();
  void keep_reading(running);
}

export function stop_live(): void {
  running?.abort();
  running = null;
}

let wanted = false;
/** Follow while the page is seen. */
export function want_live(want: boolean): void {
  wanted = want;
  if (!want) {
    stop_live();
    last = "";
    connection.set("wait");
    for (const store of Object.values(tables)) (store as Store<Table<unknown>>).set(new Map());
  } else start_live();
}
let hidden_since: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(hidden_since);
  if (document.hidden) hidden_since = setTimeout(stop_live, 30_000);
  else if (wanted) start_live();
});
