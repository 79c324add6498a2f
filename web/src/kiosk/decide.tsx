// What a person decides: a request is read, agreed to or refused; a consent is taken back.
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { get, post } from "../lib/api";
import { listed } from "../lib/format";
import { save } from "../lib/save";
import { language } from "../lib/settings";
import { useStore } from "../lib/store";
import { Button, Facts, Field, Loading } from "../ui/basic";
import { Trouble, trouble_of, useAct } from "./acts";
import { type CardView, type Consent, type Given, type Prepared, type Request, type Told, act } from "./desk";
import { Emergencies, PinPad, RequestFacts, Stage, moment, who_words } from "./parts";
import { Cost, Identifies, Steps } from "./regions";

export type Step =
  | { at: "home" }
  | { at: "read"; request: Request; prepared: Prepared | null; problem?: unknown }
  | { at: "sign"; request: Request; prepared: Prepared }
  | { at: "refuse"; request: Request }
  | { at: "given"; request: Request; given: Given; prepared: Prepared }
  | { at: "refused" }
  | { at: "withdraw"; consent: Consent }
  | { at: "withdrawn"; told: Told };

type Go = (step: Step) => void;

export function Read(props: { step: Extract<Step, { at: "read" }>; go: Go }) {
  const { t } = useTexts();
  const { step, go } = props;
  const lang = useStore(language);
  const { problem, run } = useAct();
  const { request, prepared } = step;
  useEffect(() => {
    if (prepared?.language === lang) return; // it came with the first of two consents
    // What failed before is said until this has made good for it.
    const before = trouble_of(step.problem) === "half_done" ? null : step.problem;
    go({ at: "read", request, prepared: null, problem: step.problem }); // another language is another text
    run(async () => {
      const read = await act<Prepared>(`requests/${request.request}/read?language=${lang}`);
      go({ at: "read", request, prepared: read, problem: before });
    });
  }, [lang, request.request]);
  return (
    <Stage title={t(prepared?.part === "regions" ? "kiosk.read_regions" : "kiosk.read_title")}>
      <Trouble problem={problem ?? step.problem} />
      {!prepared && !problem && <Loading />}
      {prepared && (
        <>
          <Emergencies emergencies={prepared.emergencies} />
          {prepared.part !== "whole" && <Steps part={prepared.part} />}
          <RequestFacts request={request} key_bytes={prepared.part === "whole" ? prepared.key_bytes : undefined} />
          {prepared.part === "regions" && prepared.quote && <Cost quote={prepared.quote} regions={request.regions} />}
          {prepared.part === "regions" && prepared.identification && (
            <Identifies reading={prepared.identification} who={who_words(request.grantee)} />
          )}
          <h2 id="exact">{t("kiosk.exact")}</h2>
          <p class="consent-text" role="document" aria-labelledby="exact" tabIndex={0}>
            {prepared.text}
          </p>
          <p class="note digest">
            {t(prepared.quote?.decoys ? "kiosk.digest_keyed" : "kiosk.digest")} <code>{prepared.digest}</code>
          </p>
          {prepared.missing.length > 0 && (
            <p class="note">{t("kiosk.sites_missing", { sites: listed(prepared.missing.map((one) => one.site)) })}</p>
          )}
          {prepared.voids.map((one) => (
            <p class="note" key={one.grant}>
              {t("kiosk.voids", { who: one.grantee, until: moment(one.expires) })}
            </p>
          ))}
          <div class="decide">
            <Button class="big" onClick={() => go({ at: "refuse", request })}>
              {t("kiosk.refuse")}
            </Button>
            <Button kind="primary" class="big" onClick={() => go({ at: "sign", request, prepared })}>
              {t(prepared.part === "index" ? "kiosk.look_up" : "kiosk.accept")}
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

/** Of these the same PIN screen goes on; after anything else the text is read again. */
const STAYS = ["wrong_pin", "no_pin", "last_try", "card_gone"];

export function Sign(props: { card: CardView; step: Extract<Step, { at: "sign" }>; go: Go }) {
  const { t } = useTexts();
  const { step, go } = props;
  const { busy, problem, run } = useAct();
  const [failure, set_failure] = useState<unknown>(null);
  const { request, prepared } = step;
  const is_index = prepared.part === "index";
  const { has_pin } = props.card;
  const lead = is_index
    ? has_pin ? "kiosk.sign_index" : "kiosk.sign_index_card"
    : has_pin ? "kiosk.sign_why" : "kiosk.sign_why_card";
  const send = (pin: string) => {
    set_failure(null);
    run(
      async () => {
        const done = await act<Given | Prepared>(`requests/${request.request}/accept?digest=${prepared.digest}`, pin);
        if (done.part === "given") go({ at: "given", request, given: done, prepared });
        else go({ at: "read", request, prepared: done });
      },
      (failed) => {
        if (STAYS.includes(trouble_of(failed))) set_failure(failed);
        else go({ at: "read", request, prepared: null, problem: failed });
      },
    );
  };
  return (
    <Stage title={t(has_pin ? "kiosk.sign_title" : "kiosk.sign_title_card")}>
      {prepared.part !== "whole" && <Steps part={prepared.part} brief />}
      <p class="lead">{t(lead, { who: who_words(request.grantee) })}</p>
      <Trouble problem={failure ?? problem} />
      <PinPad
        card={props.card}
        label={t("kiosk.pin")}
        submit={t(is_index ? "kiosk.look_up" : "kiosk.sign")}
        working={is_index ? t("kiosk.looking_up") : undefined}
        busy={busy}
        send={send}
      />
      <Button class="big back" disabled={busy} onClick={() => go({ at: "read", request, prepared: null })}>
        {t("kiosk.back")}
      </Button>
    </Stage>
  );
}

export function Refuse(props: { request: Request; go: Go }) {
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

export function GivenScreen(props: { step: Extract<Step, { at: "given" }>; go: Go }) {
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

export function Withdraw(props: { card: CardView; consent: Consent; go: Go }) {
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
            const told = await act<Told>(`consents/${props.consent.grant}/withdraw`, pin);
            props.go({ at: "withdrawn", told });
          })
        }
      />
      <Button class="big back" disabled={busy} onClick={() => props.go({ at: "home" })}>
        {t("kiosk.back")}
      </Button>
    </Stage>
  );
}

export function Withdrawn(props: { told: Told; go: Go }) {
  const { t } = useTexts();
  const { told, waiting } = props.told;
  return (
    <Stage title={t("kiosk.withdrawn_title")} class="good">
      <p class="lead">{t(waiting.length ? "kiosk.withdrawn_some" : "kiosk.withdrawn_text")}</p>
      <Facts
        facts={[
          [t("kiosk.told"), told.length ? listed(told) : t("kiosk.nobody")],
          ...(waiting.length ? ([[t("kiosk.told_later"), listed(waiting.map((one) => one.site))]] as [string, string][]) : []),
        ]}
      />
      {waiting.length > 0 && <p class="note note-error">{t("kiosk.withdrawn_waiting")}</p>}
      <Button kind="primary" class="big" onClick={() => props.go({ at: "home" })}>
        {t("kiosk.done")}
      </Button>
    </Stage>
  );
}
