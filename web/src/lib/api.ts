// The site's JSON API (docs/api.md), as the pages use it.
import { session_key } from "./settings";
import { Store } from "./store";

/** An answer that is no success; `code` and `reason` as in docs/api.md, "offline" when there was none;
    `trouble` of a kiosk (docs/kiosk.md). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly trouble: string = "",
    readonly reason: string = "",
  ) {
    super(message);
  }
}

/** False after a 401: the person has to log in. */
export const logged_in = new Store<boolean>(true);

export interface Proposal {
  proposal: string;
  act: string;
  expires: string;
}
export function is_proposal(answer: unknown): answer is Proposal {
  return typeof answer === "object" && answer !== null && "proposal" in answer && "act" in answer;
}

// Where the site's rules about acts are met (ui/factor.tsx); a kiosk has none.
let ask_factor: (() => Promise<string>) | null = null;
let tell_proposed: ((proposal: Proposal) => void) | null = null;
/** How the passphrase is asked for: gives a confirmation for one act. */
export function on_second_factor(ask: () => Promise<string>): void {
  ask_factor = ask;
}
export function on_proposed(tell: (proposal: Proposal) => void): void {
  tell_proposed = tell;
}

const CONFIRMATION = "Warifu-Confirmation";

export function page_headers(more: Record<string, string> = {}): Headers {
  return new Headers({ "Warifu-Page": session_key.get() || "page", ...more });
}

export async function request(
  method: string,
  path: string,
  options: {
    body?: unknown;
    /** Instead of a JSON body: sent as it is. */
    raw?: Blob | string;
    headers?: Record<string, string>;
    signal?: AbortSignal;
  } = {},
): Promise<Response> {
  const headers = page_headers(options.headers);
  const init: RequestInit = { method, headers, credentials: "same-origin", cache: "no-store" };
  if (options.body !== undefined) {
    headers.set("Content-Type", "application/json");
    init.body = JSON.stringify(options.body);
  }
  if (options.raw !== undefined) {
    headers.set("Content-Type", "application/octet-stream");
    init.body = options.raw;
  }
  if (options.signal) init.signal = options.signal;
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch (problem) {
    if (options.signal?.aborted) throw problem;
    throw new ApiError(0, "offline", "");
  }
  if (answer.ok) return answer;
  const wants_factor = answer.status === 401 && answer.headers.get("WWW-Authenticate") === CONFIRMATION;
  if (wants_factor && ask_factor && !options.headers?.[CONFIRMATION]) {
    const confirmation = await ask_factor();
    return request(method, path, { ...options, headers: { ...options.headers, [CONFIRMATION]: confirmation } });
  }
  const session_needed = answer.headers.get("WWW-Authenticate") === "Warifu-Session";
  if (answer.status === 401 && session_needed) logged_in.set(false);
  let code = "";
  let trouble = "";
  let reason = "";
  let message = answer.statusText;
  try {
    const body = (await answer.json()) as { code?: string; message?: string; trouble?: string; reason?: string };
    code = body.code ?? "";
    trouble = body.trouble ?? "";
    reason = body.reason ?? "";
    message = body.message ?? message;
  } catch {
    // no JSON: the status says it
  }
  throw new ApiError(answer.status, code, message, trouble, reason);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request("GET", path, signal ? { signal } : {})).json()) as T;
}

/** An act that waits for a second operator is told where `on_proposed` says, and is an error here:
    nothing of what follows has happened. */
export async function post<T>(
  path: string,
  body: unknown = {},
  headers: Record<string, string> = {},
): Promise<T> {
  const response = await request("POST", path, { body, headers });
  const answer = (await response.json()) as T;
  if (response.status === 202 && is_proposal(answer)) {
    tell_proposed?.(answer);
    throw new ApiError(202, "proposed", "");
  }
  return answer;
}
