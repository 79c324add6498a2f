// The screens of the kiosk, one after the other: a card, its holder, what is asked, the decision.
import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { get } from "../lib/api";
import { language } from "../lib/settings";
import { useStore } from "../lib/store";
import { Badge, Button, Loading } from "../ui/basic";
import { Dialog, Overlays } from "../ui/dialog";
import { Ended, Trouble, ended, useAct } from "./acts";
import { GivenScreen, Read, Refuse, Sign, type Step, Withdraw, Withdrawn } from "./decide";
import { type CardView, type Page, act, gone, keep_looking, look, view } from "./desk";
import { Enrol, HaveCode, useEnrolling } from "./enrol";
import { Consents, Emergencies, History, PinPad, Requests, Stage } from "./parts";

const WARN_SECONDS = 20;
const FEW_KEYS = 10;
const STAY_EVERY_MS = 10_000;

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

function Welcome(props: { problem: string; trouble: string; why: string }) {
  const { t, name } = useTexts();
  return (
    <Stage title={t("kiosk.put_card")} class="welcome">
      <Ended why={props.why} />
      <div class="tally" aria-hidden="true" />
      <p class="lead">{t("kiosk.welcome")}</p>
      {props.problem && (
        <div class="problem" role="alert">
          <strong>{name("kiosk.trouble", props.trouble)}</strong>
          <p lang="en">{props.problem}</p>
        </div>
      )}
      <HaveCode />
    </Stage>
  );
}

function Enter(props: { card: CardView; why: string }) {
  const { t } = useTexts();
  const { busy, problem, run } = useAct();
  return (
    <Stage title={t(props.card.has_pin ? "kiosk.enter" : "kiosk.enter_card")}>
      {props.card.has_pin && <p class="lead">{t("kiosk.enter_why")}</p>}
      {problem ? <Trouble problem={problem} /> : <Ended why={props.why} />}
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

type Tab = "requests" | "consents" | "history";

function Home(props: { card: CardView; go: (step: Step) => void; tab: Tab; set_tab: (tab: Tab) => void }) {
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
      <Emergencies emergencies={page.emergencies} />
      {props.card.keys_left !== null && props.card.keys_left <= FEW_KEYS && (
        <p class="note note-error">{t("kiosk.few_keys", { count: props.card.keys_left })}</p>
      )}
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
      return <Home card={props.card} go={go} tab={tab} set_tab={set_tab} />;
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
      return <Withdrawn told={step.told} go={go} />;
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
  const why = useStore(ended);
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
        {now && !enrols && !card && <Welcome problem={now.problem} trouble={now.trouble} why={why} />}
        {card && !enrols && !session && <Enter card={card} why={why} />}
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
