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
  keys_left: number | null;
}
export interface View {
  terminal: string;
  problem: string;
  trouble: string;
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
  part: string;
  regions: string[];
  destination: string;
  uses: number;
}
/** Data were opened by officers, and the person was not told yet. */
export interface Emergency {
  emergency: string;
  at: string;
  officers: string[];
  reason: string;
}
export interface Page {
  person: string;
  name: string;
  site: string;
  requests: Request[];
  consents: Consent[];
  emergencies: Emergency[];
}
/** What reading regions takes, as the index says it. */
export interface Quote {
  /** Other genes that are read beside each region, so that the sites of shares cannot tell. */
  decoys: number;
  chunks: number;
  chunks_of_object: number;
  bytes: number;
  key_bits: number;
  key_bits_of_whole: number;
}
interface Amount {
  whole: boolean;
  independent_snps: number;
  str_loci: number;
  identifies: boolean;
}
/** Whether what somebody has of a person, with this, identifies them. */
export interface Identification {
  before: Amount;
  after: Amount;
  identifies: boolean;
  crosses: boolean;
  snp_threshold: number;
  str_threshold: number;
  text: string;
}
export interface Prepared {
  request: string;
  /** index: the first of two, by which the regions are found. */
  part: "whole" | "index" | "regions";
  language: string;
  text: string;
  digest: string;
  key_bytes: number | null;
  expires: string;
  sites: string[];
  missing: { site: string; why: string }[];
  /** Earlier consents of the card, never used, that count no more once this one is used before them. */
  voids: { grant: string; object: string; grantee: string; expires: string }[];
  /** As the holders of the shares tell it, too. */
  emergencies: Emergency[];
  quote: Quote | null;
  identification: Identification | null;
}
export interface Given {
  part: "given";
  grant: string;
  card_kind: string;
  security: string;
  holder_verification: string;
}
export interface Told {
  told: string[];
  waiting: { site: string; why: string }[];
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
