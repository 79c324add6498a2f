// Sends a file to the site in pieces, and goes on where the site stands when a connection was lost.
//
// A piece is cut out of the file with slice(), which reads nothing; the browser reads it from disk
// while it sends it. So memory does not grow with the file. The site says how far it is.
import { ApiError, get, post, request } from "../../lib/api";

export const PIECE_BYTES = 8 * 1024 * 1024;
const LONGEST_PAUSE_MS = 10_000;

interface State {
  upload: string;
  received: number;
  bytes: number;
  wants: "index" | "ends" | "pieces";
  head_bytes?: number;
  tail_bytes?: number;
  /** Of a genome: what it is. */
  genome?: string;
}
/** What is to be stored, of whom, and how. */
export interface Wish {
  person: string;
  file: File;
  /** Of a genome: with it a consent to one gene costs the key of one gene. */
  index: File | null;
  /** Of a genome; empty: its references tell. */
  assembly: string;
  policy: string;
}
export interface Stored {
  object: string;
  job: string;
  warnings: string[];
}
export interface Progress {
  received: number;
  total: number;
  /** Bytes in a second, over what was sent lately; 0 while nothing is known. */
  speed: number;
  /** The connection is lost, and it is tried again. */
  waiting: boolean;
  genome: string;
}

/** What of this file stands at the site already, if it was begun in this browser. */
function place_of(person: string, file: File): string {
  return `warifu.upload.${person}.${file.name}.${file.size}.${file.lastModified}`;
}

function kept(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function keep(name: string, value: string): void {
  try {
    if (value) localStorage.setItem(name, value);
    else localStorage.removeItem(name);
  } catch {
    // then it cannot go on after the page was closed
  }
}

/** Worth another try: nothing was wrong with what was sent. */
function is_passing(problem: unknown): boolean {
  return problem instanceof ApiError && (problem.code === "offline" || problem.status === 503 || problem.code === "busy");
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}

async function begin({ person, file, index, assembly, policy }: Wish): Promise<State> {
  const known = kept(place_of(person, file));
  if (known) {
    try {
      const state = await get<State>(`/v1/uploads/${known}`);
      if (state.bytes === file.size) return state;
    } catch (problem) {
      if (!(problem instanceof ApiError) || problem.status !== 404) throw problem;
    }
  }
  const wish = { person, label: file.name, bytes: file.size, policy, genome: index !== null, assembly };
  const state = await post<State>("/v1/uploads", wish);
  keep(place_of(person, file), state.upload);
  return state;
}

/** What the site wants of a genome before its pieces: its index, and the file's two ends. */
async function send_index(begun: State, wish: Wish, signal: AbortSignal): Promise<State> {
  let state = begun;
  const put = async (what: string, raw: Blob) => {
    const answer = await request("POST", `/v1/uploads/${state.upload}/${what}`, { raw, signal });
    state = (await answer.json()) as State;
  };
  try {
    if (state.wants === "index" && wish.index) await put("index", wish.index);
    if (state.wants === "ends") {
      const { file } = wish;
      await put("ends", new Blob([file.slice(0, state.head_bytes), file.slice(file.size - (state.tail_bytes ?? 0))]));
    }
  } catch (problem) {
    // What is wrong with it is wrong the next time too: the upload begins anew.
    if (!is_passing(problem)) await forget(wish.person, wish.file);
    throw problem;
  }
  return state;
}

/** Rate over the last ten seconds. */
class Speed {
  private marks: [number, number][] = [];
  add(bytes: number): number {
    const now = Date.now();
    this.marks.push([now, bytes]);
    while (this.marks.length > 2 && now - (this.marks[0]?.[0] ?? now) > 10_000) this.marks.shift();
    const [first = [now, bytes]] = this.marks;
    return now > first[0] ? Math.max(0, (1000 * (bytes - first[1])) / (now - first[0])) : 0;
  }
}

export async function send(wish: Wish, show: (progress: Progress) => void, signal: AbortSignal): Promise<Stored> {
  const { person, file } = wish;
  let state = await send_index(await begin(wish), wish, signal);
  const speed = new Speed();
  let tries = 0;
  const tell = (waiting: boolean) =>
    show({
      received: state.received,
      total: file.size,
      speed: waiting ? 0 : speed.add(state.received),
      waiting,
      genome: state.genome ?? "",
    });
  tell(false);
  while (state.received < file.size) {
    const from = state.received;
    const piece = file.slice(from, Math.min(from + PIECE_BYTES, file.size));
    try {
      const answer = await request("POST", `/v1/uploads/${state.upload}?from=${from}`, { raw: piece, signal });
      state = (await answer.json()) as State;
      tries = 0;
      tell(false);
    } catch (problem) {
      if (signal.aborted) throw problem;
      // The site stands elsewhere than this page believes: a piece came through whose answer was lost.
      const elsewhere = problem instanceof ApiError && problem.code === "already_exists";
      if (!elsewhere && !is_passing(problem)) throw problem;
      tell(true);
      if (!elsewhere) await pause(Math.min(500 * 2 ** tries++, LONGEST_PAUSE_MS), signal);
      if (signal.aborted) throw problem;
      try {
        state = await get<State>(`/v1/uploads/${state.upload}`, signal);
      } catch (again) {
        if (!is_passing(again)) throw again;
      }
    }
  }
  for (;;) {
    try {
      const stored = await post<Stored>(`/v1/uploads/${state.upload}/finish`);
      keep(place_of(person, file), "");
      return stored;
    } catch (problem) {
      if (!is_passing(problem)) throw problem;
      tell(true);
      await pause(1000, signal);
    }
  }
}

/** The site forgets what came of it. */
export async function forget(person: string, file: File): Promise<void> {
  const known = kept(place_of(person, file));
  keep(place_of(person, file), "");
  if (known) await post(`/v1/uploads/${known}/cancel`);
}
