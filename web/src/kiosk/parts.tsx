// Parts of the kiosk's screens: the PIN, lists of what is asked and allowed, what was done.
import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { bytes, count, duration, listed, time } from "../lib/format";
import { useGet } from "../lib/load";
import { Badge, Button, Empty, Facts, Loading, Problem, type Tone } from "../ui/basic";
import { type Access, type CardView, type Consent, type Emergency, type Request } from "./desk";

export function moment(text: string): string {
  return text ? time(Date.parse(text)) : "";
}

/** "ToMMo" of "organisation:ToMMo". */
export function who_words(grantee: string): string {
  return grantee.replace(/^(person|organisation|role):/, "");
}

/** "BRCA1: chromosome 17, 43,044,295 to 43,125,364 (GRCh38)" of "GRCh38:chr17:43044295-43125364=BRCA1". */
export function useRegionWords(): (region: string) => string {
  const { t } = useTexts();
  return (region) => {
    const found = /^([^:]*):([^:]*):(\d+)-(\d+)(?:=(.*))?$/.exec(region);
    if (!found) return region;
    const [, assembly = "", reference = "", start, end, label] = found;
    const chromosome = /^(?:chr)?(\d+|X|Y)$/.exec(reference)?.[1];
    const where = t("kiosk.place", {
      reference: chromosome ? t(/\d/.test(chromosome) ? "kiosk.chromosome" : "kiosk.chromosome_xy", { name: chromosome }) : reference,
      start: count(Number(start)),
      end: count(Number(end)),
      assembly,
    });
    return label ? t("kiosk.labelled", { label, where }) : where;
  };
}

const FIRST_REGIONS = 10;

/** The regions in words; of many, as the places of a score are, the first ones. */
function Regions(props: { regions: string[] }) {
  const { t } = useTexts();
  const region_words = useRegionWords();
  const more = props.regions.length - FIRST_REGIONS;
  return (
    <ul class="plain">
      {props.regions.slice(0, FIRST_REGIONS).map((one) => (
        <li key={one}>{region_words(one)}</li>
      ))}
      {more > 0 && <li>{t("kiosk.more_regions", { count: count(more) })}</li>}
    </ul>
  );
}

export function Stage(props: { title: string; children: preact.ComponentChildren; class?: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [props.title]);
  return (
    <section class={`stage ${props.class ?? ""}`}>
      <h1 ref={heading} tabIndex={-1}>
        {props.title}
      </h1>
      {props.children}
    </section>
  );
}

export function Tries(props: { card: CardView }) {
  const { t } = useTexts();
  const left = props.card.pin_tries_left;
  if (!props.card.has_pin || left === null) return null;
  return (
    <p class={left <= 2 ? "tries tries-few" : "tries"}>
      {t("kiosk.tries", { count: left })}
    </p>
  );
}

/** The PIN by keyboard or by large keys; never shown, forgotten as soon as it is sent. */
export function PinPad(props: {
  card: CardView;
  label: string;
  submit: string;
  /** What is said while the card works, where that takes longer. */
  working?: string | undefined;
  busy: boolean;
  send: (pin: string) => void;
}) {
  const { t } = useTexts();
  const [pin, set_pin] = useState("");
  const { card } = props;
  if (card.has_pin && card.pin_tries_left !== null && card.pin_tries_left <= 1) {
    return (
      <div class="problem" role="alert">
        <strong>{t("kiosk.last_try")}</strong>
        <p>{t("kiosk.last_try_text")}</p>
      </div>
    );
  }
  const send = () => {
    props.send(pin);
    set_pin("");
  };
  if (!card.has_pin) {
    return (
      <div class="pin">
        <p>{t("kiosk.no_pin")}</p>
        <Button kind="primary" class="big" disabled={props.busy} onClick={send}>
          {props.busy ? (props.working ?? t("kiosk.card_works")) : props.submit}
        </Button>
      </div>
    );
  }
  const key = (digit: string) => (
    <Button key={digit} class="pin-key" disabled={props.busy} onClick={() => set_pin((now) => now + digit)}>
      {digit}
    </Button>
  );
  return (
    <form
      class="pin"
      onSubmit={(event) => {
        event.preventDefault();
        if (pin) send();
      }}
    >
      <label for="pin">{props.label}</label>
      <input
        id="pin"
        type="password"
        inputMode="numeric"
        autoComplete="off"
        maxLength={16}
        value={pin}
        disabled={props.busy}
        onInput={(event) => set_pin(event.currentTarget.value)}
      />
      <Tries card={card} />
      <div class="pin-keys" role="group" aria-label={t("kiosk.keys")}>
        {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map(key)}
        <Button class="pin-key" disabled={props.busy} onClick={() => set_pin("")}>
          {t("kiosk.clear")}
        </Button>
        {key("0")}
        <Button
          class="pin-key"
          aria-label={t("kiosk.back_one")}
          disabled={props.busy}
          onClick={() => set_pin((now) => now.slice(0, -1))}
        >
          ⌫
        </Button>
      </div>
      <Button kind="primary" class="big" type="submit" disabled={props.busy || pin === ""}>
        {props.busy ? (props.working ?? t("kiosk.card_works")) : props.submit}
      </Button>
      {card.pin_at_reader && (
        <Button class="big" disabled={props.busy} onClick={() => props.send("")}>
          {t("kiosk.pin_at_reader")}
        </Button>
      )}
    </form>
  );
}

const TONES: Record<string, Tone> = {
  asked: "info",
  given: "good",
  used_up: "plain",
  refused: "warn",
  withdrawn: "warn",
  expired: "plain",
  cancelled: "plain",
};

export function State(props: { state: string }) {
  const { name } = useTexts();
  return <Badge tone={TONES[props.state] ?? "plain"}>{name("kiosk.state", props.state)}</Badge>;
}

/** Who wants what, for what, until when. */
export function RequestFacts(props: { request: Request; key_bytes?: number | null | undefined }) {
  const { t, name } = useTexts();
  const { request } = props;
  const who = who_words(request.grantee);
  return (
    <Facts
      facts={[
        [t("kiosk.who"), request.grantee_id ? `${who} (${request.grantee_id})` : who],
        [t("kiosk.what_for"), name("kiosk.purpose", request.purpose)],
        [
          t("kiosk.what"),
          request.regions.length ? (
            <Regions regions={request.regions} />
          ) : (
            t("kiosk.whole", { label: request.object_label, bytes: bytes(request.object_bytes) })
          ),
        ],
        [t("kiosk.where"), request.destination],
        [t("kiosk.how_often"), t("kiosk.times", { count: request.uses })],
        [t("kiosk.how_long"), duration(request.valid_seconds)],
        ...(props.key_bytes === undefined
          ? []
          : ([
              [
                t("kiosk.key"),
                props.key_bytes === null ? t("kiosk.key_unknown") : t("kiosk.key_cost", { bytes: bytes(props.key_bytes) }),
              ],
            ] as [string, string][])),
        [t("kiosk.asked_on"), moment(request.created)],
        [t("kiosk.open_until"), moment(request.expires)],
        ...(request.note ? ([[t("kiosk.note"), request.note]] as [string, string][]) : []),
      ]}
    />
  );
}

export function Requests(props: { requests: Request[]; read: (request: Request) => void }) {
  const { t } = useTexts();
  const waiting = props.requests.filter((one) => one.state === "asked");
  const decided = props.requests.filter((one) => one.state !== "asked");
  return (
    <>
      {waiting.length === 0 && <Empty>{t("kiosk.nothing_asked")}</Empty>}
      {waiting.map((request) => (
        <article key={request.request} class="panel ask">
          <RequestFacts request={request} />
          <Button kind="primary" class="big" onClick={() => props.read(request)}>
            {t("kiosk.read")}
          </Button>
        </article>
      ))}
      {decided.length > 0 && (
        <>
          <h2>{t("kiosk.decided")}</h2>
          <ul class="rows">
            {decided.map((request) => (
              <li key={request.request}>
                <State state={request.state} />
                <span>{who_words(request.grantee)}</span>
                <span class="note">{moment(request.decided || request.expires)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** How much a consent is for. */
function Extent(props: { part: string; regions: string[] }) {
  const { t } = useTexts();
  if (props.part === "index") return <>{t("kiosk.index_alone")}</>;
  if (props.part === "whole") return <>{t("kiosk.all")}</>;
  return <Regions regions={props.regions} />;
}

/** Before anything else: somebody opened the person's data without their card. */
export function Emergencies(props: { emergencies: Emergency[] }) {
  const { t } = useTexts();
  if (props.emergencies.length === 0) return null;
  return (
    <div class="problem" role="alert">
      <strong>{t("kiosk.emergency")}</strong>
      {props.emergencies.map((one) => (
        <p key={one.emergency}>
          {t("kiosk.emergency_text", { at: moment(one.at), officers: one.officers.length, reason: one.reason })}
        </p>
      ))}
    </div>
  );
}

export function Consents(props: { consents: Consent[]; withdraw: (consent: Consent) => void }) {
  const { t, name } = useTexts();
  if (props.consents.length === 0) return <Empty>{t("kiosk.no_consents")}</Empty>;
  return (
    <>
      {props.consents.map((one) => {
        const over = one.state === "given" && Date.parse(one.expires) < Date.now();
        const state = over ? "expired" : one.state;
        return (
          <article key={one.grant} class="panel ask">
            <Facts
              facts={[
                [t("kiosk.who"), one.grantee],
                [t("kiosk.what_for"), name("kiosk.purpose", one.purpose)],
                [t("kiosk.what"), <Extent part={one.part} regions={one.regions} />],
                [t("kiosk.given_on"), moment(one.created)],
                [t("kiosk.until"), moment(one.expires)],
                [t("kiosk.how_often"), t("kiosk.times", { count: one.uses })],
                [t("kiosk.state"), <State state={state} />],
              ]}
            />
            {state === "given" && (
              <Button kind="danger" class="big" onClick={() => props.withdraw(one)}>
                {t("kiosk.withdraw")}
              </Button>
            )}
          </article>
        );
      })}
    </>
  );
}

/** What a person wants to know of a record; its number leads to the rest. */
const SHOWN = [
  "grantee",
  "purpose",
  "scope",
  "score",
  "sites",
  "model",
  "answers",
  "expires",
  "destination",
  "emergency_reason",
  "reason",
  "why",
  "card",
  "grant",
  "operator",
];

/** Everything that the logs of all sites say of this person's data. */
export function History() {
  const { t, name } = useTexts();
  const region_words = useRegionWords();
  const { value, problem } = useGet<{ accesses: Access[]; missing: { site: string; why: string }[] }>(
    "/v1/kiosk/history",
  );
  if (problem) return <Problem problem={problem} />;
  if (!value) return <Loading />;
  // What is only in the log's own words there is said in those.
  const event_words = (event: string) => {
    const own = name("kiosk.event", event);
    return own === event ? name("logevent", event) : own;
  };
  const grantee_words = (text: string) => {
    const [, who = "", kind = ""] = /^(.*) \((person|organisation)\b/.exec(text) ?? [];
    if (!who) return text;
    return kind === "person" ? who : t("kiosk.organisation", { who });
  };
  const ended_words = (text: string) => {
    const own = name("kiosk.ended", text.replaceAll(" ", "_"));
    return own === text.replaceAll(" ", "_") ? name("reason", text) : own;
  };
  const words = (key: string, text: string) => {
    if (key === "card" || key === "grant") return text.slice(0, 8);
    if (key === "purpose") return name("kiosk.purpose", text);
    if (key === "grantee") return grantee_words(text);
    if (key === "why" || key === "reason") return ended_words(text);
    if (key === "expires") return moment(text);
    if (key !== "scope") return text;
    if (text === "whole") return t("kiosk.all");
    return text.startsWith("index") ? t("kiosk.index_alone") : text.split(" [")[0]?.split(", ").map(region_words).join("; ");
  };
  const fields = (one: Access) =>
    Object.entries(one.fields)
      .filter(([key]) => SHOWN.includes(key))
      .map(([key, text]) => `${name("kiosk.field", key)}${t("kiosk.colon")}${words(key, text)}`)
      .join(" · ");
  return (
    <>
      {value.missing.length > 0 && (
        <p class="note note-error">{t("kiosk.history_missing", { sites: listed(value.missing.map((one) => one.site)) })}</p>
      )}
      {value.accesses.length === 0 && <Empty>{t("kiosk.no_history")}</Empty>}
      <ol class="uses">
        {[...value.accesses].reverse().map((one) => (
          <li key={`${one.site}/${one.seq}`}>
            <p>
              <strong>{event_words(one.event)}</strong> <span class="at-site">{one.site}</span>{" "}
              <time>{moment(one.time)}</time>
            </p>
            <p class="note">{fields(one)}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
