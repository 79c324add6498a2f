// What the kiosk's process says (apps/kiosk_desk.h), and its acts.
import { get, request } from "../lib/api";
import { Store } from "../lib/store";
import type { RequestRow } from "../pages/requests/model";

export interface CardView {
  kind: string;
  security: string;
  emulated: boolean;
  /** It belongs to nobody yet. */
  blank: boolean;
  has_pin: boolean;
  pin_at_reader: boolean;
  pin_tries_left: number | null;
}
export interface View {
  terminal: string;
  problem: string;
  card: CardView | null;
  session: { person: string; name: string; seconds_left: number } | null;
}
/** Without what only staff see. */
export type Request = Omit<RequestRow, "person" | "why">;
export interface Consent {
  grant: string;
  object: string;
  state: string;
  created: string;
  expires: string;
  purpose: string;
  grantee: string;
  scope: string;
  destination: string;
  uses: number;
}
export interface Page {
  person: string;
  name: string;
  site: string;
  requests: Request[];
  consents: Consent[];
}
export interface Prepared {
  request: string;
  text: string;
  digest: string;
  key_bytes: number | null;
  expires: string;
  regions: string[];
  sites: string[];
  missing: { site: string; why: string }[];
}
export interface Given {
  grant: string;
  card_kind: string;
  security: string;
  holder_verification: string;
}
export interface Access {
  site: string;
  seq: number;
  time: string;
  event: string;
  fields: Record<string, string>;
}

/** null until the process has answered for the first time. */
export const view = new Store<View | null>(null);
/** The process does not answer. */
export const gone = new Store<boolean>(false);

export async function look(): Promise<void> {
  try {
    view.set(await get<View>("/v1/kiosk"));
    gone.set(false);
  } catch {
    gone.set(true);
  }
}

/** Looks again and again, one look after the other. */
export function keep_looking(): () => void {
  let over = false;
  const turn = async () => {
    while (!over) {
      await look();
      await new Promise((done) => setTimeout(done, 600));
    }
  };
  void turn();
  return () => {
    over = true;
  };
}

/** `pin` is the whole body; it is kept nowhere. */
export async function act<T>(path: string, pin = ""): Promise<T> {
  return (await (await request("POST", `/v1/kiosk/${path}`, { raw: pin })).json()) as T;
}
