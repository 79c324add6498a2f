// Dialogs that hold the focus (the browser's own <dialog>), and toasts that are read out.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Store, useStore } from "../lib/store";
import { useTexts } from "../i18n";
import { Button } from "./basic";

export function Dialog(props: {
  title: string;
  close: () => void;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const { t } = useTexts();
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const back = document.activeElement;
    element.current?.showModal();
    return () => {
      if (back instanceof HTMLElement) back.focus();
    };
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={props.close}>
      <header class="panel-head">
        <h2 id={id}>{props.title}</h2>
      </header>
      <div class="dialog-body">{props.children}</div>
      <footer class="actions">
        <Button onClick={() => element.current?.close()}>{t("ui.close")}</Button>
        {props.actions}
      </footer>
    </dialog>
  );
}

interface Question {
  text: string;
  yes: string;
  danger: boolean;
  answer: (yes: boolean) => void;
}
const question = new Store<Question | null>(null);

/** Asks before something is done; true when the person agrees. */
export function confirm(text: string, yes: string, danger = false): Promise<boolean> {
  return new Promise((answer) => question.set({ text, yes, danger, answer }));
}

interface Toast {
  id: number;
  text: ComponentChildren;
  bad: boolean;
}
const toasts = new Store<Toast[]>([]);
let next_toast = 1;

export function toast(text: ComponentChildren, bad = false): void {
  if (!text) return;
  const one = { id: next_toast++, text, bad };
  toasts.set([...toasts.get(), one]);
  setTimeout(() => toasts.set(toasts.get().filter((other) => other.id !== one.id)), bad ? 12_000 : 6000);
}

/** Where questions and toasts appear; once, in the frame. */
export function Overlays() {
  const { t } = useTexts();
  const asked = useStore(question);
  const said = useStore(toasts);
  const reply = (yes: boolean) => {
    asked?.answer(yes);
    question.set(null);
  };
  return (
    <>
      {asked && (
        <Dialog
          title={asked.yes}
          close={() => reply(false)}
          actions={
            <Button kind={asked.danger ? "danger" : "primary"} onClick={() => reply(true)}>
              {asked.yes}
            </Button>
          }
        >
          <p>{asked.text}</p>
        </Dialog>
      )}
      <div class="toasts" role="status" aria-live="polite" aria-label={t("app.name")}>
        {said.map((one) => (
          <div key={one.id} class={one.bad ? "toast toast-bad" : "toast"}>
            {one.text}
          </div>
        ))}
      </div>
    </>
  );
}
