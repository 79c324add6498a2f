// Requests as the site tells them (docs/api.md).
import type { Tone } from "../../ui/basic";

export interface RequestRow {
  request: string;
  object: string;
  object_label: string;
  object_bytes: number;
  person: string;
  /** Of one that is given: the site's own gate has judged the card's proof. */
  judged?: boolean;
  state: string;
  purpose: string;
  grantee: string;
  grantee_id: string;
  destination: string;
  regions: string[];
  decoys?: number;
  data_use: string[];
  uses: number;
  valid_seconds: number;
  asked_by: string;
  note: string;
  why: string;
  created: string;
  expires: string;
  decided: string;
  grant?: string;
  consent_state?: string;
  consent_expires?: string;
}

export const STATE_TONES: Record<string, Tone> = {
  asked: "info",
  given: "good",
  refused: "bad",
  withdrawn: "warn",
  expired: "plain",
  cancelled: "plain",
};
