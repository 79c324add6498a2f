// Sends a file to the site in pieces, and goes on where the site stands when a connection was lost,
// when this page was closed, or when the site itself was started anew.
//
// A piece is cut out of the file with slice(), which reads nothing; the browser reads it from disk
// while it sends it. So memory does not grow with the file. The site says how far it is.
import { ApiError, get, post, request } from "../../lib/api";
import type { Told } from "../../ui/failure";

export const PIECE_BYTES = 8 * 1024 * 1024;
const LONGEST_PAUSE_MS = 10_000;

/** An upload as the site has it (docs/api.md). */
export interface UploadRow {
  upload: string;
  person: string;
  label: string;
  policy: string;
  /** By which this page knows the file again. */
  mark: string;
  received: number;
  bytes: number;
  wants: "index" | "ends" | "pieces" | "prepare" | "finish";
  is_cram: boolean;
  /** Dropped by the site then, if nobody goes on with it. */
  until: string;
  head_bytes?: number;
  tail_bytes?: number;
  /** Of a genome: what it is. */
  genome?: string;
  preparing?: { step: "waiting" | "digest" | "reslice" | "prove" | "index"; done: number; total: number };
  prepared?: {
    index_bytes: number;
    reads_per_slice: number;
    records: number;
    original_bytes: number;
    stored_bytes: number;
    original_sha256: string;
  };
  /** Why it could not be prepared. */
  trouble?: Told;
  /** When it can be stored: what will not work with it. */
  lacking_reference?: LackingReference;
}
/** Of a CRAM: sequences whose bases the site would need for its regions, and does not have. */
export interface LackingReference {
  assembly: string;
  /** That the site's configuration names; empty: none. */
  file: string;
  sequences: number;
  lacking: number;
  /** Of these: in the file, with another length or other bases. */
  differing: number;
  names: string[];
  /** Why the file cannot be read. */
  trouble: string;
  site: string;
  /** The same in English, as it stands among the warnings. */
  text: string;
}
/** What the site says of a genome, "CRAM of GRCh37, 25 references", in its parts. */
export function genome_parts(text: string): { kind: string; assembly: string; sequences: string } | null {
  const [, kind, assembly, sequences] = /^(\S+) of (\S+), (\d+) references$/.exec(text) ?? [];
  return kind && assembly && sequences ? { kind, assembly, sequences } : null;
}

/** What is to be stored, of whom, and how. */
export interface Wish {
  person: string;
  file: File;
  /** Of a genome: with it a consent to one gene costs the key of one gene. */
  index: File | null;
  /** The site makes it, when all is there. */
  index_here: boolean;
  /** Of a genome; empty: its references tell. */
  assembly: string;
  policy: string;
}
export interface Stored {
  object: string;
  job: string;
  warnings: string[];
  lacking_reference?: LackingReference;
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

/** The file's own time: with its name and its length it tells whether this is the same file. */
function mark_of(file: File): string {
  return String(file.lastModified);
}

export function is_of(row: UploadRow, file: File): boolean {
  return row.label === file.name && row.bytes === file.size && row.mark === mark_of(file);
}

export async function open_uploads(person: string, signal?: AbortSignal): Promise<UploadRow[]> {
  const answer = await get<{ uploads: UploadRow[] }>(`/v1/uploads?person=${encodeURIComponent(person)}`, signal);
  return answer.uploads;
}

/** Worth another try: nothing was wrong with what was sent. */
function is_passing(problem: unknown): boolean {
  return problem instanceof ApiError && (problem.code === "offline" || problem.status === 503 || problem.code === "busy");
}

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), done()), { once: true });
  });
}

/** The one that stands at the site, however long ago it was begun, or a new one. */
async function begin({ person, file, index, index_here, assembly, policy }: Wish): Promise<UploadRow> {
  const known = (await open_uploads(person)).find((row) => is_of(row, file));
  if (known) return known;
  const genome = index !== null || index_here;
  const where = index === null && index_here ? "here" : "sent";
  return post<UploadRow>("/v1/uploads", {
    person,
    label: file.name,
    bytes: file.size,
    mark: mark_of(file),
    policy,
    genome,
    index: where,
    assembly,
  });
}

/** What the site wants of a genome before its pieces: its index, and the file's two ends. */
async function send_index(begun: UploadRow, wish: Wish, signal: AbortSignal): Promise<UploadRow> {
  let state = begun;
  const put = async (what: string, raw: Blob) => {
    const answer = await request("POST", `/v1/uploads/${state.upload}/${what}`, { raw, signal });
    state = (await answer.json()) as UploadRow;
  };
  try {
    // Begun with an index that the site has forgotten with its process: it is needed again.
    if (state.wants === "index" && !wish.index) throw new ApiError(0, "invalid_argument", "", "", "index_again");
    if (state.wants === "index" && wish.index) await put("index", wish.index);
    if (state.wants === "ends") {
      const { file } = wish;
      await put("ends", new Blob([file.slice(0, state.head_bytes), file.slice(file.size - (state.tail_bytes ?? 0))]));
    }
  } catch (problem) {
    // What is wrong with it is wrong the next time too: the upload begins anew.
    if (!is_passing(problem) && wish.index && !signal.aborted) await drop(state.upload);
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

/** Null: all of it is there, and the site has to make the index first. */
export async function send(wish: Wish, show: (progress: Progress) => void, signal: AbortSignal): Promise<Stored | null> {
  const { file } = wish;
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
      state = (await answer.json()) as UploadRow;
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
        state = await get<UploadRow>(`/v1/uploads/${state.upload}`, signal);
      } catch (again) {
        if (!is_passing(again)) throw again;
      }
    }
  }
  return state.wants === "prepare" || state.preparing ? null : finish(state.upload, () => tell(true), signal);
}

/** Asked again, the site gives the same answer. */
export async function finish(upload: string, waits: () => void, signal?: AbortSignal): Promise<Stored> {
  for (;;) {
    try {
      return await post<Stored>(`/v1/uploads/${upload}/finish`);
    } catch (problem) {
      if (signal?.aborted || !is_passing(problem)) throw problem;
      waits();
      await pause(1000, signal);
    }
  }
}

/** The site forgets what came of it. */
export async function drop(upload: string): Promise<void> {
  await post(`/v1/uploads/${upload}/cancel`);
}
