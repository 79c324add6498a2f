// Enrolment at the kiosk: the code from the desk, what it means, a PIN, and the card being prepared.
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { ApiError, get, post } from "../lib/api";
import { listed } from "../lib/format";
import { Store, useStore } from "../lib/store";
import { Button, Facts, Field, Loading } from "../ui/basic";
import { told } from "../ui/failure";
import { type CardView, act, look } from "./desk";
import { PinPad, Stage } from "./parts";

interface Order {
  order: string;
  person: string;
  name: string;
  again: boolean;
  card_type: string;
  ordered_by: string;
  site: string;
  sites: string[];
}
interface Progress {
  order: Order | null;
  running: boolean;
  step: string;
  site: string;
  done: number;
  total: number;
}
interface Made {
  card: string;
  missing: number;
}

const LOOK_MS = 300;
const STEPS = ["asking", "writing", "confirming", "records"] as const;

/** Somebody is being enrolled, or asked for it; then the card at the reader opens no page. */
export const enrolling = new Store<boolean>(false);

export function HaveCode() {
  const { t } = useTexts();
  return (
    <Button class="big have-code" onClick={() => enrolling.set(true)}>
      {t("enrol.have_code")}
    </Button>
  );
}

/** In words for the person; below them the site's own, for the staff. */
function Failed(props: { problem: unknown; broke?: boolean }) {
  const { t, name } = useTexts();
  if (!props.problem) return null;
  const code = props.problem instanceof ApiError ? props.problem.code : "";
  const known = ["not_found", "refused", "unavailable"].includes(code) ? code : "other";
  return (
    <div class="problem" role="alert">
      <strong>{props.broke ? t("enrol.broke") : name("enrol.trouble", known)}</strong>
      {props.broke && <p>{t("enrol.broke_text")}</p>}
      <div class="note">{told(props.problem)}</div>
    </div>
  );
}

function Code(props: { found: (order: Order) => void; leave: () => void }) {
  const { t } = useTexts();
  const [code, set_code] = useState("");
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<unknown>(null);
  const find = async () => {
    set_busy(true);
    set_problem(null);
    try {
      props.found(await post<Order>("/v1/kiosk/enrol/find", { code }));
    } catch (failure) {
      set_problem(failure);
    } finally {
      set_busy(false);
    }
  };
  return (
    <Stage title={t("enrol.code_title")}>
      <p class="lead">{t("enrol.code_why")}</p>
      <Failed problem={problem} />
      <form
        class="code-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (code) void find();
        }}
      >
        <Field label={t("enrol.code")} hint={t("enrol.code_hint")}>
          {(ids) => (
            <input
              {...ids}
              class="order-code"
              autoComplete="off"
              autoCapitalize="characters"
              spellcheck={false}
              maxLength={9}
              value={code}
              onInput={(event) => set_code(event.currentTarget.value.toUpperCase())}
            />
          )}
        </Field>
        <div class="decide">
          <Button class="big" onClick={props.leave}>
            {t("kiosk.back")}
          </Button>
          <Button kind="primary" class="big" type="submit" disabled={busy || code.trim() === ""}>
            {t("enrol.look")}
          </Button>
        </div>
      </form>
    </Stage>
  );
}

function Meaning(props: { order: Order; go_on: () => void; leave: () => void }) {
  const { t, name } = useTexts();
  const { order } = props;
  const means = [
    t("enrol.mean_1"),
    t("enrol.mean_2"),
    t("enrol.mean_3", { count: order.sites.length }),
    t(order.again ? "enrol.mean_again" : "enrol.mean_lost"),
  ];
  return (
    <Stage title={t(order.again ? "enrol.title_again" : "enrol.title")}>
      <Facts
        facts={[
          [t("enrol.name"), order.name],
          [t("enrol.person"), order.person],
          [t("enrol.card"), name("enrol.card", order.card_type)],
          [t("enrol.sites"), listed(order.sites)],
          ...(order.ordered_by ? ([[t("enrol.by"), `${order.ordered_by}, ${order.site}`]] as [string, string][]) : []),
        ]}
      />
      <ul class="means">
        {means.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
      <div class="decide">
        <Button class="big" onClick={props.leave}>
          {t("enrol.not_me")}
        </Button>
        <Button kind="primary" class="big" onClick={props.go_on}>
          {t("enrol.is_me")}
        </Button>
      </div>
    </Stage>
  );
}

/** A PIN that is chosen now: typed twice; or the one that the card has. */
function Pin(props: { order: Order; card: CardView; problem: unknown; send: (pin: string) => void; leave: () => void }) {
  const { t } = useTexts();
  const [first, set_first] = useState("");
  const [why, set_why] = useState("");
  const { order } = props;
  const back = (
    <Button class="big back" onClick={props.leave}>
      {t("enrol.stop")}
    </Button>
  );
  if (order.card_type === "desfire") {
    return (
      <Stage title={t("enrol.no_pin")}>
        <p class="lead">{t("enrol.no_pin_why")}</p>
        <Failed broke problem={props.problem} />
        <Button kind="primary" class="big" onClick={() => props.send("")}>
          {t("enrol.start")}
        </Button>{" "}
        {back}
      </Stage>
    );
  }
  if (order.card_type !== "one-time") {
    return (
      <Stage title={t("enrol.own_pin")}>
        <p class="lead">{t("enrol.own_pin_why")}</p>
        <Failed broke problem={props.problem} />
        <PinPad card={props.card} label={t("enrol.pin_own")} submit={t("enrol.start")} busy={false} send={props.send} />
        {back}
      </Stage>
    );
  }
  // The card knows no PIN yet, and has no tries of it to count.
  const blank = { ...props.card, has_pin: true, pin_at_reader: false, pin_tries_left: null };
  const choose = (pin: string) => {
    const fits = /^[0-9]{4,12}$/.test(pin);
    set_why(fits ? "" : t("enrol.short"));
    if (fits) set_first(pin);
  };
  const repeat = (pin: string) => {
    set_first("");
    set_why(pin === first ? "" : t("enrol.differs"));
    if (pin === first) props.send(pin);
  };
  return (
    <Stage title={t(first ? "enrol.repeat" : "enrol.choose")}>
      <p class="lead">{t(first ? "enrol.repeat_why" : "enrol.choose_why")}</p>
      {!first && <Failed broke problem={props.problem} />}
      {why && (
        <p class="note note-error" role="alert">
          {why}
        </p>
      )}
      <PinPad
        key={first ? "repeat" : "choose"}
        card={blank}
        label={t(first ? "enrol.pin_again" : "enrol.pin")}
        submit={t(first ? "enrol.start" : "enrol.look")}
        busy={false}
        send={first ? repeat : choose}
      />
      {back}
    </Stage>
  );
}

function Working(props: { order: Order; progress: Progress | null }) {
  const { t } = useTexts();
  const step = props.progress?.step ?? "asking";
  const at = STEPS.findIndex((one) => one === step);
  const steps = props.order.again ? STEPS : STEPS.slice(0, 3);
  const total = props.progress?.total || props.order.sites.length;
  const done = step === "writing" ? (props.progress?.done ?? 0) : at > 1 ? total : 0;
  return (
    <Stage title={t("enrol.working")}>
      <p class="lead">{t("enrol.leave_card")}</p>
      <ol class="enrol-steps" aria-live="polite">
        {steps.map((one, i) => (
          <li key={one} class={i < at ? "step-done" : i === at ? "step-now" : ""} aria-current={i === at ? "step" : undefined}>
            {t(`enrol.step.${one}`)}
          </li>
        ))}
      </ol>
      <progress aria-label={t("enrol.progress")} max={total} value={done} />
      <p class="note">{props.progress?.site ? t("enrol.turn", { site: props.progress.site }) : "\u00a0"}</p>
    </Stage>
  );
}

function Ready(props: { made: Made; leave: () => void }) {
  const { t } = useTexts();
  return (
    <Stage title={t("enrol.done")} class="good">
      <p class="lead">{t("enrol.done_text")}</p>
      {props.made.missing > 0 && <p class="note">{t("enrol.done_missing", { count: props.made.missing })}</p>}
      <Facts facts={[[t("enrol.card_number"), <code>{props.made.card}</code>]]} />
      <Button kind="primary" class="big" onClick={props.leave}>
        {t("enrol.finish")}
      </Button>
    </Stage>
  );
}

export function Enrol(props: { card: CardView | null }) {
  const { t } = useTexts();
  const [progress, set_progress] = useState<Progress | null>(null);
  const [agreed, set_agreed] = useState(false);
  const [running, set_running] = useState(false);
  const [problem, set_problem] = useState<unknown>(null);
  const [made, set_made] = useState<Made | null>(null);
  const order = progress?.order ?? null;
  useEffect(() => {
    let over = false;
    const turn = async () => {
      try {
        const now = await get<Progress>("/v1/kiosk/enrol");
        if (!over) set_progress(now);
      } catch {
        // the page says by itself that the kiosk does not answer
      }
      if (!over) timer = setTimeout(() => void turn(), LOOK_MS);
    };
    let timer = setTimeout(() => void turn(), 0);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, []);
  const leave = () => {
    void act("enrol/leave")
      .catch(() => undefined)
      .finally(() => {
        enrolling.set(false);
        void look();
      });
    set_agreed(false);
    set_problem(null);
    set_progress((now) => now && { ...now, order: null });
  };
  const run = async (pin: string) => {
    set_running(true);
    set_problem(null);
    try {
      set_made(await act<Made>("enrol/run", pin));
    } catch (failure) {
      set_problem(failure);
      // The order is gone: cancelled, expired, or done elsewhere.
      if (failure instanceof ApiError && failure.code === "not_found") set_agreed(false);
    } finally {
      set_running(false);
      void look();
    }
  };
  useEffect(() => {
    if (order) enrolling.set(true); // a page that was opened anew goes on with it
  }, [order?.order]);
  if (made) {
    return (
      <Ready
        made={made}
        leave={() => {
          set_made(null);
          leave();
        }}
      />
    );
  }
  if (!progress) return <Loading />;
  if (!order) {
    return (
      <Code
        leave={leave}
        found={(found) => {
          enrolling.set(true);
          set_progress({ ...progress, order: found });
        }}
      />
    );
  }
  if (running || progress.running) return <Working order={order} progress={progress} />;
  if (!agreed) return <Meaning order={order} leave={leave} go_on={() => set_agreed(true)} />;
  if (!props.card) {
    return (
      <Stage title={t("enrol.put_card")} class="welcome">
        <Failed broke problem={problem} />
        <div class="tally" aria-hidden="true" />
        <p class="lead">{t("enrol.put_text")}</p>
        <Button class="big" onClick={leave}>
          {t("enrol.stop")}
        </Button>
      </Stage>
    );
  }
  return <Pin order={order} card={props.card} problem={problem} send={(pin) => void run(pin)} leave={leave} />;
}

/** In the place of the other screens: while somebody is enrolled, and for a card that is nobody's. */
export function useEnrolling(card: CardView | null): boolean {
  return useStore(enrolling) || (card?.blank ?? false);
}
