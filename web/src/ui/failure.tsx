// What went wrong, for people: a sentence by the error's reason, or by its code; behind it the site's
// own words, which are English. And the row of buttons at the end of a form, below what went wrong.
import type { ComponentChildren } from "preact";
import { useTexts } from "../i18n";
import { ApiError } from "../lib/api";
import { language } from "../lib/settings";
import { useStore } from "../lib/store";

/** An error that came as a value: what broke a job, or was told about another site. */
export interface Told {
  code?: string;
  reason?: string;
  message: string;
}

/** Something else has told it: a proposal, or a passphrase that was not given. */
const SILENT = ["proposed", "cancelled"];

export function is_silent(problem: unknown): boolean {
  return problem instanceof ApiError && SILENT.includes(problem.code) && !problem.message;
}

export function useSentence(): (told: Told) => string {
  const { t, name } = useTexts();
  return ({ code = "", reason = "" }) => {
    const by_reason = name("reason", reason);
    if (reason && by_reason !== reason) return by_reason;
    const by_code = name("code", code);
    return code && by_code !== code ? by_code : t("error.other");
  };
}

/** The site's own words, to look up: open where the page is in their language. */
export function Details(props: { message: string }) {
  const { t } = useTexts();
  const lang = useStore(language);
  return (
    <details open={lang === "en"}>
      <summary>{t("error.details")}</summary>
      <span lang="en">{props.message}</span>
    </details>
  );
}

/** A sentence, and the site's own words. */
export function Failure(props: Told) {
  const sentence = useSentence();
  return (
    <div class="failure">
      <span>{sentence(props)}</span>
      {props.message && <Details message={props.message} />}
    </div>
  );
}

/** What to show for something that was caught; nothing where it has been told already. */
export function told(problem: unknown): ComponentChildren {
  if (!problem || is_silent(problem)) return null;
  if (!(problem instanceof ApiError)) return <Failure message={String(problem)} />;
  const { code, reason, message } = problem;
  return <Failure code={code} reason={reason} message={message} />;
}

export function Alert(props: { children: ComponentChildren }) {
  if (!props.children) return null;
  return (
    <div class="note note-error" role="alert">
      {props.children}
    </div>
  );
}

/** The end of a form. */
export function Actions(props: { problem?: ComponentChildren; children: ComponentChildren }) {
  return (
    <>
      <Alert>{props.problem}</Alert>
      <p class="actions">{props.children}</p>
    </>
  );
}
