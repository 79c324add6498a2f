// Who looks at the page, and what they may do.
import { get, logged_in, post } from "./api";
import { session_key } from "./settings";
import { Store } from "./store";

export type Role = "biobank" | "hospital" | "key_operator" | "auditor" | "officer" | "kiosk";

/** The answer of GET /v1/web. */
export interface Session {
  site: string;
  controller: string;
  is_controller: boolean;
  single_operator: boolean;
  name: string;
  roles: Role[];
  over: "tls" | "loopback" | "socket";
  session: string;
  key_origins: string[];
  unlocked_secret_memory: boolean;
  look_seconds: number;
}

export const session = new Store<Session | null>(null);

export async function load_session(): Promise<void> {
  if (location.protocol === "http:" && !session_key.get()) {
    logged_in.set(false); // on loopback there is no session without its key
    return;
  }
  session.set(await get<Session>("/v1/web"));
  logged_in.set(true);
}

export async function log_in(code: string): Promise<void> {
  const answer = await post<{ key: string }>("/v1/web/login", { code });
  session_key.set(answer.key);
  await load_session();
}

export async function log_out(): Promise<void> {
  await post("/v1/web/logout");
  session_key.set("");
  session.set(null);
  logged_in.set(false);
}

/** In single-operator mode everybody has every role. */
export function may(who: Session | null, roles: readonly Role[] | undefined): boolean {
  if (!who) return false;
  return !roles || who.single_operator || roles.some((role) => who.roles.includes(role));
}
