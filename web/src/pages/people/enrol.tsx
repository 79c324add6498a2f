// The biobank's desk: an order for the kiosk, its code, and what becomes of it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { duration, time } from "../../lib/format";
import { Badge, Button, Field, Panel, type Tone } from "../../ui/basic";
import { Alert, told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import "./desk.css";

export interface Enrolment {
  order: string;
  person: string;
  name: string;
  again: boolean;
  card_type: string;
  keys: number;
  state: "waiting" | "begun" | "done" | "expired" | "cancelled";
  code: string;
  ordered_by: string;
  trouble: string;
  created: string;
  expires: string;
  card: string;
  terminal: string;
  begun: string;
}

const TYPES = ["one-time", "desfire", "jpki", "pkcs11"];
const HOUR = 3600;
const TONES: Record<string, Tone> = { waiting: "info", begun: "warn", done: "good", expired: "plain", cancelled: "plain" };

/** What kind of card, and how long the order holds. */
export interface CardWish {
  card_type: string;
  keys: number;
  open_seconds: number;
}
export const USUAL: CardWish = { card_type: "one-time", keys: 64, open_seconds: 24 * HOUR };

export function CardFields(props: { wish: CardWish; set: (wish: CardWish) => void; again?: boolean }) {
  const { t, name } = useTexts();
  const { wish } = props;
  // A DESFire card takes no other card's place.
  const types = props.again ? TYPES.filter((one) => one !== "desfire") : TYPES;
  return (
    <>
      <Field label={t("desk.card_type")}>
        {(ids) => (
          <select {...ids} value={wish.card_type} onChange={(event) => props.set({ ...wish, card_type: event.currentTarget.value })}>
            {types.map((one) => (
              <option key={one} value={one}>
                {name("desk.type", one)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {wish.card_type === "one-time" && (
        <Field label={t("desk.keys")} hint={t("desk.keys_hint")}>
          {(ids) => (
            <input
              {...ids}
              type="number"
              min={1}
              max={2000}
              required
              value={wish.keys}
              onInput={(event) => props.set({ ...wish, keys: event.currentTarget.valueAsNumber || 1 })}
            />
          )}
        </Field>
      )}
      <Field label={t("desk.open")}>
        {(ids) => (
          <select
            {...ids}
            value={String(wish.open_seconds)}
            onChange={(event) => props.set({ ...wish, open_seconds: Number(event.currentTarget.value) })}
          >
            {[HOUR, 24 * HOUR, 168 * HOUR, 720 * HOUR].map((one) => (
              <option key={one} value={String(one)}>
                {duration(one)}
              </option>
            ))}
          </select>
        )}
      </Field>
    </>
  );
}

export function wish_body(wish: CardWish): Record<string, unknown> {
  const { keys, ...rest } = wish;
  return wish.card_type === "one-time" ? { ...rest, keys } : rest;
}

/** The code, to be read aloud or copied; gone when the order is over. */
export function CodeCard(props: { enrolment: Enrolment }) {
  const { t, name } = useTexts();
  const { enrolment } = props;
  return (
    <div class="code-card" role="status">
      <p>
        <strong>{t("desk.code_is", { person: enrolment.person })}</strong>{" "}
        <Badge tone={TONES[enrolment.state] ?? "plain"}>{name("desk.state", enrolment.state)}</Badge>
      </p>
      {enrolment.code && (
        <>
          <p class="order-code">{enrolment.code}</p>
          <p class="note">{t("desk.code_text")}</p>
        </>
      )}
    </div>
  );
}

export function EnrolForm(props: { ordered: (one: Enrolment) => void; last: Enrolment | null }) {
  const { t } = useTexts();
  const [person, set_person] = useState("");
  const [full_name, set_name] = useState("");
  const [wish, set_wish] = useState(USUAL);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  const send = async () => {
    set_busy(true);
    set_problem(null);
    try {
      props.ordered(await post<Enrolment>("/v1/enrolments", { person, name: full_name, ...wish_body(wish) }));
      toast(t("desk.sent"));
      set_person("");
      set_name("");
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy(false);
    }
  };
  return (
    <Panel title={t("desk.enrol")}>
      <p>{t("desk.enrol_text")}</p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <Field label={t("desk.person")} hint={t("desk.person_hint")}>
          {(ids) => (
            <input
              {...ids}
              required
              maxLength={64}
              pattern="[A-Za-z0-9._\-]+"
              value={person}
              onInput={(event) => set_person(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label={t("desk.name")}>
          {(ids) => (
            <input {...ids} required maxLength={80} value={full_name} onInput={(event) => set_name(event.currentTarget.value)} />
          )}
        </Field>
        <CardFields wish={wish} set={set_wish} />
        <Alert>{problem}</Alert>
        <Button kind="primary" type="submit" disabled={busy}>
          {t("desk.send")}
        </Button>
      </form>
      {props.last && <CodeCard enrolment={props.last} />}
    </Panel>
  );
}

function At(props: { enrolment: Enrolment }) {
  const { t } = useTexts();
  const { enrolment: one } = props;
  const where =
    one.state === "done"
      ? t("desk.made_at", { card: one.card.slice(0, 8), terminal: one.terminal })
      : one.begun
        ? t("desk.begun_at", { terminal: one.terminal, time: time(Date.parse(one.begun)) })
        : "";
  return (
    <>
      {where}
      {one.trouble && one.state !== "done" && <p class="note note-error">{t("desk.trouble", { trouble: one.trouble })}</p>}
    </>
  );
}

export function Enrolments(props: { list: Enrolment[]; again: () => void }) {
  const { t, name } = useTexts();
  const cancel = async (one: Enrolment) => {
    if (!(await confirm(t("desk.cancel_sure", { person: one.person }), t("desk.cancel"), true))) return;
    try {
      await post(`/v1/enrolments/${one.order}/cancel`);
      toast(t("desk.cancelled", { person: one.person }));
    } catch (failure) {
      toast(told(failure), true);
    } finally {
      props.again();
    }
  };
  const is_open = (one: Enrolment) => one.state === "waiting" || one.state === "begun";
  return (
    <DataTable
      caption={t("desk.orders")}
      empty={t("desk.none")}
      most={20}
      rows={props.list.map((one) => ({ ...one, id: one.order }))}
      columns={[
        {
          name: t("desk.state"),
          by: (row) => row.state,
          cell: (row) => <Badge tone={TONES[row.state] ?? "plain"}>{name("desk.state", row.state)}</Badge>,
        },
        { name: t("desk.person"), cell: (row) => <span class="one-line">{row.person}</span>, by: (row) => row.person },
        { name: t("desk.name"), cell: (row) => row.name, by: (row) => row.name },
        {
          name: t("desk.card_type"),
          cell: (row) => (
            <>
              {name("desk.type", row.card_type)}
              {row.again && <> <Badge tone="plain">{t("desk.again")}</Badge></>}
            </>
          ),
        },
        { name: t("desk.code"), cell: (row) => (row.code ? <code class="code-small">{row.code}</code> : "") },
        { name: t("desk.what_happened"), cell: (row) => <At enrolment={row} /> },
        { name: t("desk.until"), cell: (row) => time(Date.parse(row.expires)), by: (row) => row.expires },
        {
          name: t("desk.act"),
          cell: (row) =>
            is_open(row) && (
              <Button aria-label={t("desk.cancel_of", { person: row.person })} onClick={() => void cancel(row)}>
                {t("desk.cancel")}
              </Button>
            ),
        },
      ]}
    />
  );
}
