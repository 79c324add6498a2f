// The screens of the kiosk, one after the other: a card, its holder, what is asked, the decision.
import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { ApiError, get, post } from "../lib/api";
import { save } from "../lib/save";
import { language } from "../lib/settings";
import { useStore } from "../lib/store";
import { Badge, Button, Facts, Field, Loading, useProblemText } from "../ui/basic";
import { Dialog, Overlays } from "../ui/dialog";
import {
  type CardView,
  type Consent,
  type Given,
  type Page,
  type Prepared,
  type Request,
  act,
  gone,
  keep_looking,
  look,
  view,
} from "./desk";
import { Enrol, HaveCode, useEnrolling } from "./enrol";
import { Consents, History, PinPad, RequestFacts, Requests, Stage, moment, who_words } from "./parts";

const WARN_SECONDS = 20;
const STAY_EVERY_MS = 10_000;

type Step =
  | { at: "home" }
  | { at: "read"; request: Request; prepared: Prepared | null }
  | { at: "sign"; request: Request; prepared: Prepared }
  | { at: "refuse"; request: Request }
  | { at: "given"; request: Request; given: Given; prepared: Prepared }
  | { at: "refused" }
  | { at: "withdraw"; consent: Consent }
  | { at: "withdrawn"; waiting: string[] };

function Languages() {
  const { t } = useTexts();
  const lang = useStore(language);
  return (
    <div class="languages" role="group" aria-label={t("settings.language")}>
      {(["ja", "en"] as const).map((one) => (
        <Button key={one} aria-pressed={lang === one} lang={one} class="language" onClick={() => language.set(one)}>
          {one === "ja" ? "日本語" : "English"}
        </Button>
      ))}
    </div>
  );
}

/** A problem of an act, in words that a person at a kiosk can use. */
function Trouble(props: { problem: unknown }) {
  const { t } = useTexts();
  const text = useProblemText();
  if (!props.problem) return null;
  const code = props.problem instanceof ApiError ? props.problem.code : "";
  return (
    <div class="problem" role="alert">
      <strong>{code === "refused" ? t("kiosk.was_refused") : t("kiosk.problem")}</strong>
      <p>{text(props.problem)}</p>
    </div>
  );
}

function useAct(): { busy: boolean; problem: unknown; run: (work: () => Promise<void>) => void } {
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<unknown>(null);
  const run = (work: () => Promise<void>) => {
    set_busy(true);
    set_problem(null);
    work()
      .catch(set_problem)
      .finally(() => {
        set_busy(false);
        void look();
      });
  };
  return { busy, problem, run };
}

function Welcome(props: { problem: string }) {
  const { t } = useTexts();
  return (
    <Stage title={t("kiosk.put_card")} class="welcome">
      <div class="tally" aria-hidden="true" />
      <p class="lead">{t("kiosk.welcome")}</p>
      {props.problem && <Trouble problem={props.problem} />}
      <HaveCode />
    </Stage>
  );
}

function Enter(props: { card: CardView }) {
  const { t } = useTexts();
  const { busy, problem, run } = useAct();
  return (
    <Stage title={t("kiosk.enter")}>
      <p class="lead">{t("kiosk.enter_why")}</p>
      <Trouble problem={problem} />
      <PinPad
        card={props.card}
        label={t("kiosk.pin")}
        submit={t("kiosk.open")}
        busy={busy}
        send={(pin) =>
          run(async () => {
            await act("enter", pin);
          })
        }
      />
      <HaveCode />
    </Stage>
  );
}

function Read(props: { step: Extract<Step, { at: "read" }>; go: (step: Step) => void }) {
  const { t } = useTexts();
  const { step, go } = props;
  const lang = useStore(language);
  const { problem, run } = useAct();
  useEffect(() => {
    go({ at: "read", request: step.request, prepared: null }); // a text in another language is another one
    run(async () => {
      const prepared = await act<Prepared>(`requests/${step.request.request}/read?language=${lang}`);
      go({ at: "read", request: step.request, prepared });
    });
  }, [lang, step.request.request]);
  return (
    <Stage title={t("kiosk.read_title")}>
      <Trouble problem={problem} />
      {!step.prepared && !problem && <Loading />}
      {step.prepared && (
        <>
          <RequestFacts request={step.request} key_bytes={step.prepared.key_bytes} />
          <h2 id="exact">{t("kiosk.exact")}</h2>
          <p class="consent-text" role="document" aria-labelledby="exact" tabIndex={0}>
            {step.prepared.text}
          </p>
          <p class="note digest">
            {t("kiosk.digest")} <code>{step.prepared.digest}</code>
          </p>
          <div class="decide">
            <Button class="big" onClick={() => go({ at: "refuse", request: step.request })}>
              {t("kiosk.refuse")}
            </Button>
            <Button
              kind="primary"
              class="big"
              onClick={() => step.prepared && go({ at: "sign", request: step.request, prepared: step.prepared })}
            >
              {t("kiosk.accept")}
            </Button>
          </div>
        </>
      )}
      <Button class="big back" onClick={() => go({ at: "home" })}>
        {t("kiosk.back")}
      </Button>
    </Stage>
  );
}

function Sign(props: { card: CardView; step: Extract<Step, { at: "sign" }>; go: (step: Step) => void }) {
  const { t } = useTexts();
  const { step, go } = props;
  const { busy, problem, run } = useAct();
  return (
    <Stage title={t("kiosk.sign_title")}>
      <p class="lead">{t("kiosk.sign_why", { who: who_words(step.request.grantee) })}</p>
      <Trouble problem={problem} />
      <PinPad
        card={props.card}
        label={t("kiosk.pin")}
        submit={t("kiosk.sign")}
        busy={busy}
        send={(pin) =>
          run(async () => {
            const given = await act<Given>(`requests/${step.request.request}/accept?digest=${step.prepared.digest}`, pin);
            go({ at: "given", request: step.request, given, prepared: step.prepared });
          })
        }
      />
      <Button class="big back" disabled={busy} onClick={() => go({ at: "read", request: step.request, prepared: null })}>
        {t("kiosk.back")}
      </Button>
    </Stage>
  );
}

function Refuse(props: { request: Request; go: (step: Step) => void }) {
  const { t } = useTexts();
  const { busy, problem, run } = useAct();
  const [why, set_why] = useState("");
  return (
    <Stage title={t("kiosk.refuse_title")}>
      <p class="lead">{t("kiosk.refuse_text")}</p>
      <Trouble problem={problem} />
      <Field label={t("kiosk.why")} hint={t("kiosk.why_hint")}>
        {(ids) => (
          <textarea {...ids} rows={3} maxLength={300} value={why} onInput={(event) => set_why(event.currentTarget.value)} />
        )}
      </Field>
      <div class="decide">
        <Button class="big" disabled={busy} onClick={() => props.go({ at: "home" })}>
          {t("kiosk.back")}
        </Button>
        <Button
          kind="danger"
          class="big"
          disabled={busy}
          onClick={() =>
            run(async () => {
              await post(`/v1/kiosk/requests/${props.request.request}/refuse`, { why });
              props.go({ at: "refused" });
            })
          }
        >
          {t("kiosk.refuse")}
        </Button>
      </div>
    </Stage>
  );
}

function GivenScreen(props: { step: Extract<Step, { at: "given" }>; go: (step: Step) => void }) {
  const { t, name } = useTexts();
  const { given, request, prepared } = props.step;
  const { problem, run } = useAct();
  return (
    <Stage title={t("kiosk.given_title")} class="good">
      <Facts
        facts={[
          [t("kiosk.who"), who_words(request.grantee)],
          [t("kiosk.until"), moment(prepared.expires)],
          [t("kiosk.proof"), `${name("kiosk.card", given.card_kind)}, ${name("kiosk.holder", given.holder_verification)}`],
          [t("kiosk.receipt_number"), <code>{given.grant}</code>],
        ]}
      />
      <p class="lead">{t("kiosk.given_text")}</p>
      <Trouble problem={problem} />
      <div class="decide">
        <Button
          class="big"
          onClick={() =>
            run(async () => {
              const receipt = await get(`/v1/kiosk/consents/${given.grant}/receipt`);
              save(`receipt-${given.grant}.json`, new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }));
            })
          }
        >
          {t("kiosk.save_receipt")}
        </Button>
        <Button kind="primary" class="big" onClick={() => props.go({ at: "home" })}>
          {t("kiosk.done")}
        </Button>
      </div>
    </Stage>
  );
}

function Withdraw(props: { card: CardView; consent: Consent; go: (step: Step) => void }) {
  const { t } = useTexts();
  const { busy, problem, run } = useAct();
  return (
    <Stage title={t("kiosk.withdraw_title")}>
      <p class="lead">{t("kiosk.withdraw_text", { who: props.consent.grantee })}</p>
      <Trouble problem={problem} />
      <PinPad
        card={props.card}
        label={t("kiosk.pin")}
        submit={t("kiosk.withdraw")}
        busy={busy}
        send={(pin) =>
          run(async () => {
            const told = await act<{ waiting: { site: string }[] }>(`consents/${props.consent.grant}/withdraw`, pin);
            props.go({ at: "withdrawn", waiting: told.waiting.map((one) => one.site) });
          })
        }
      />
      <Button class="big back" disabled={busy} onClick={() => props.go({ at: "home" })}>
        {t("kiosk.back")}
      </Button>
    </Stage>
  );
}

type Tab = "requests" | "consents" | "history";

function Home(props: { go: (step: Step) => void; tab: Tab; set_tab: (tab: Tab) => void }) {
  const { t } = useTexts();
  const [page, set_page] = useState<Page | null>(null);
  const [problem, set_problem] = useState<unknown>(null);
  useEffect(() => {
    let over = false;
    get<Page>("/v1/kiosk/page").then((value) => !over && set_page(value), (failure: unknown) => !over && set_problem(failure));
    return () => {
      over = true;
    };
  }, []);
  if (problem) return <Trouble problem={problem} />;
  if (!page) return <Loading />;
  const waiting = page.requests.filter((one) => one.state === "asked").length;
  return (
    <Stage title={t("kiosk.hello", { name: page.name })}>
      <div class="tabs" role="group" aria-label={t("app.pages")}>
        {(["requests", "consents", "history"] as const).map((one) => (
          <Button key={one} class="tab" aria-pressed={props.tab === one} onClick={() => props.set_tab(one)}>
            {t(`kiosk.tab.${one}`)}
            {one === "requests" && waiting > 0 && <span class="count">{waiting}</span>}
          </Button>
        ))}
      </div>
      {props.tab === "requests" && (
        <Requests requests={page.requests} read={(request) => props.go({ at: "read", request, prepared: null })} />
      )}
      {props.tab === "consents" && (
        <Consents consents={page.consents} withdraw={(consent) => props.go({ at: "withdraw", consent })} />
      )}
      {props.tab === "history" && <History />}
    </Stage>
  );
}

function Inside(props: { card: CardView }) {
  const { t } = useTexts();
  const [step, go] = useState<Step>({ at: "home" });
  const [tab, set_tab] = useState<Tab>("requests");
  const home = () => go({ at: "home" });
  switch (step.at) {
    case "home":
      return <Home go={go} tab={tab} set_tab={set_tab} />;
    case "read":
      return <Read step={step} go={go} />;
    case "sign":
      return <Sign card={props.card} step={step} go={go} />;
    case "refuse":
      return <Refuse request={step.request} go={go} />;
    case "given":
      return <GivenScreen step={step} go={go} />;
    case "withdraw":
      return <Withdraw card={props.card} consent={step.consent} go={go} />;
    case "refused":
      return (
        <Stage title={t("kiosk.refused_title")}>
          <p class="lead">{t("kiosk.refused_text")}</p>
          <Button kind="primary" class="big" onClick={home}>
            {t("kiosk.done")}
          </Button>
        </Stage>
      );
    case "withdrawn":
      return (
        <Stage title={t("kiosk.withdrawn_title")}>
          <p class="lead">
            {step.waiting.length
              ? t("kiosk.withdrawn_waiting", { sites: step.waiting.join(", ") })
              : t("kiosk.withdrawn_text")}
          </p>
          <Button kind="primary" class="big" onClick={home}>
            {t("kiosk.done")}
          </Button>
        </Stage>
      );
  }
}

/** Whoever touches something is there; whoever does not is asked before the session ends. */
function StillThere(props: { seconds: number }) {
  const { t } = useTexts();
  const last = useRef(0);
  const stay = () => {
    if (Date.now() - last.current < STAY_EVERY_MS) return;
    last.current = Date.now();
    void act("stay").catch(() => undefined);
  };
  useEffect(() => {
    const kinds = ["pointerdown", "keydown", "wheel"] as const;
    for (const kind of kinds) addEventListener(kind, stay, { passive: true });
    return () => kinds.forEach((kind) => removeEventListener(kind, stay));
  }, []);
  if (props.seconds > WARN_SECONDS) return null;
  const now = () => {
    last.current = 0;
    stay();
    void look();
  };
  return (
    <Dialog
      title={t("kiosk.still_there")}
      close={now}
      actions={
        <Button kind="primary" onClick={now}>
          {t("kiosk.i_am_here")}
        </Button>
      }
    >
      <p role="alert">{t("kiosk.ends_in", { seconds: props.seconds })}</p>
    </Dialog>
  );
}

export function Kiosk() {
  const { t } = useTexts();
  const now = useStore(view);
  const lost = useStore(gone);
  useEffect(keep_looking, []);
  useEffect(() => {
    document.title = t("kiosk.title");
  });
  const card = now?.card ?? null;
  const session = now?.session ?? null;
  const enrols = useEnrolling(card) && !session;
  return (
    <>
      <header class="kiosk-top">
        <p class="kiosk-brand">
          <span class="mark" aria-hidden="true" />
          <strong>{t("app.name")}</strong>
        </p>
        {session && (
          <Button class="big" onClick={() => void act("leave").finally(look)}>
            {t("kiosk.finish")}
          </Button>
        )}
        <Languages />
      </header>
      <main id="content" class="kiosk" tabIndex={-1}>
        {lost && (
          <div class="problem" role="alert">
            <strong>{t("kiosk.out_of_order")}</strong>
            <p>{t("kiosk.out_of_order_text")}</p>
          </div>
        )}
        {!now && !lost && <Loading />}
        {now && enrols && <Enrol card={card} />}
        {now && !enrols && !card && <Welcome problem={now.problem} />}
        {card && !enrols && !session && <Enter card={card} />}
        {card && session && <Inside key={session.person} card={card} />}
      </main>
      {session && <StillThere seconds={session.seconds_left} />}
      <footer class="kiosk-foot">
        {card?.emulated && <Badge tone="warn">{t("kiosk.stand_in")}</Badge>}
        <span>{t("kiosk.foot", { terminal: now?.terminal ?? "" })}</span>
      </footer>
      <Overlays />
    </>
  );
}
