// Small parts: badges, panels, fields, buttons, states of nothing, waiting and errors.
import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";
import { useTexts } from "../i18n";
import { told } from "./failure";

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

/** A short state in words; the colour only repeats it. */
export function Badge(props: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${props.tone}`}>{props.children}</span>;
}

export function Panel(props: {
  title: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  const id = useId();
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={id}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.actions && <div class="actions">{props.actions}</div>}
      </header>
      {props.children}
    </section>
  );
}

type ButtonProps = { kind?: "primary" | "danger" | "quiet"; class?: string } & JSX.HTMLAttributes<HTMLButtonElement> & {
    disabled?: boolean;
    type?: "button" | "submit";
    form?: string;
  };
export function Button({ kind, class: more, ...rest }: ButtonProps) {
  return <button type="button" {...rest} class={["button", kind && `button-${kind}`, more].filter(Boolean).join(" ")} />;
}

/** A label, its control and, below, a hint or what is wrong with it. `children` gets their ids. */
export function Field(props: {
  label: string;
  hint?: string;
  error?: ComponentChildren;
  children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ComponentChildren;
}) {
  const id = useId();
  const note = props.error || props.hint;
  const ids = note ? { id, "aria-describedby": `${id}-note` } : { id };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children(props.error ? { ...ids, "aria-invalid": true } : ids)}
      {note && (
        <div id={`${id}-note`} class={props.error ? "note note-error" : "note"}>
          {note}
        </div>
      )}
    </div>
  );
}

export function Progress(props: { label: string; done: number; total: number }) {
  const { t } = useTexts();
  const percent = props.total > 0 ? Math.min(100, Math.floor((100 * props.done) / props.total)) : 0;
  return (
    <span class="progress">
      <progress aria-label={props.label} max={100} value={percent} />
      <span class="figure">{t("ui.percent", { percent })}</span>
    </span>
  );
}

export function Empty(props: { children: ComponentChildren }) {
  return <p class="empty">{props.children}</p>;
}

export function Loading() {
  const { t } = useTexts();
  return (
    <p class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {t("ui.loading")}
    </p>
  );
}

export function Problem(props: { problem: unknown; retry?: () => void }) {
  const { t } = useTexts();
  return (
    <div class="problem" role="alert">
      <strong>{t("error.title")}</strong>
      {told(props.problem)}
      {props.retry && <Button onClick={props.retry}>{t("error.retry")}</Button>}
    </div>
  );
}

/** Pairs of names and values. */
export function Facts(props: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {props.facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
