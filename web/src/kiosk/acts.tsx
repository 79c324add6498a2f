// What a page of the kiosk does, and what it says when that fails: in words for people at a screen.
import { useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { ApiError } from "../lib/api";
import { Store } from "../lib/store";
import { told } from "../ui/failure";
import { look } from "./desk";

/** Of what is known, the words are the page's own; of anything else the machine's stand there too. */
const KNOWN = [
  "no_card",
  "card_gone",
  "other_card",
  "blank_card",
  "unknown_card",
  "no_pin",
  "wrong_pin",
  "last_try",
  "no_keys",
  "not_waiting",
  "session_over",
  "half_done",
];
/** Those that end a session: said where the next one begins. */
const ENDS = ["card_gone", "other_card", "session_over"];

export const ended = new Store<string>("");

export function trouble_of(problem: unknown): string {
  return problem instanceof ApiError ? problem.trouble : "";
}

/** A problem of an act, in words that a person at a kiosk can use. */
export function Trouble(props: { problem: unknown }) {
  const { t, name } = useTexts();
  if (!props.problem) return null;
  const trouble = trouble_of(props.problem);
  const code = props.problem instanceof ApiError ? props.problem.code : "";
  const is_known = KNOWN.includes(trouble);
  return (
    <div class="problem" role="alert">
      <strong>{code === "refused" && !is_known ? t("kiosk.was_refused") : t("kiosk.problem")}</strong>
      {is_known && <p>{name("kiosk.trouble", trouble)}</p>}
      {(!is_known || trouble === "half_done") && told(props.problem)}
    </div>
  );
}

/** Why the last session ended, when it did so by itself in the middle of something. */
export function Ended(props: { why: string }) {
  const { t, name } = useTexts();
  if (!props.why) return null;
  return (
    <div class="problem" role="alert">
      <strong>{t("kiosk.problem")}</strong>
      <p>{name("kiosk.trouble", props.why)}</p>
    </div>
  );
}

export interface Act {
  busy: boolean;
  problem: unknown;
  /** `failed`: takes the problem instead of this screen. */
  run: (work: () => Promise<void>, failed?: (problem: unknown) => void) => void;
}

export function useAct(): Act {
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<unknown>(null);
  const run = (work: () => Promise<void>, failed: (problem: unknown) => void = set_problem) => {
    set_busy(true);
    set_problem(null);
    ended.set("");
    work()
      .catch((failure: unknown) => {
        if (ENDS.includes(trouble_of(failure))) ended.set(trouble_of(failure));
        failed(failure);
      })
      .finally(() => {
        set_busy(false);
        void look();
      });
  };
  return { busy, problem, run };
}
