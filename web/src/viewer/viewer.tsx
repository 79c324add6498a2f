// Reads of a consent's regions: opened by one act, shown, closed and wiped.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { ApiError, logged_in, page_headers, post, request as ask } from "../lib/api";
import { count, duration, listed } from "../lib/format";
import { useGet } from "../lib/load";
import { load_session, session } from "../lib/session";
import { useStore } from "../lib/store";
import { Choices } from "../frame";
import type { RequestRow } from "../pages/requests/model";
import { Button, Empty, Field, Loading, Panel, Problem } from "../ui/basic";
import { Actions, Alert, told } from "../ui/failure";
import { place_of, show_reads, type Shown, type View } from "./reads";

const MINUTES = [10, 30, 60, 120];

interface Wish {
  region: string;
  stated: string;
  minutes: number;
}

function OpenForm(props: { request: RequestRow; opened: (view: View, reference: string) => void }) {
  const { t } = useTexts();
  const { request } = props;
  const [wish, set_wish] = useState<Wish>({ region: "", stated: "", minutes: 30 });
  const [busy, set_busy] = useState(false);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const is_whole = request.regions.length === 0;
  const open = async () => {
    set_busy(true);
    set_problem(null);
    try {
      const view = await post<View>("/v1/views", {
        grant: request.grant,
        grantee: request.grantee,
        grantee_id: request.grantee_id,
        purpose: request.purpose,
        use: wish.stated.split(",").map((one) => one.trim()).filter(Boolean),
        regions: is_whole ? [wish.region.trim()] : request.regions,
        mode: "clip",
        minutes: wish.minutes,
      });
      try {
        if (view.datatype !== "reads") throw new ApiError(0, "invalid", t("viewer.variants"));
        const reference = await (await ask("GET", `/v1/views/${view.view}/reference`)).text();
        props.opened(view, reference);
      } catch (failure) {
        await post(`/v1/views/${view.view}/end`);
        throw failure;
      }
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy(false);
    }
  };
  return (
    <Panel title={t("viewer.title")}>
      <p>{t("viewer.takes_use", { uses: request.uses })}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void open();
        }}
      >
        <div class="form">
          {is_whole && (
            <Field label={t("viewer.region")} hint={t("viewer.region_hint")}>
              {(ids) => <input {...ids} required value={wish.region} onInput={(event) => set_wish({ ...wish, region: event.currentTarget.value })} />}
            </Field>
          )}
          {request.data_use.length > 0 && (
            <Field label={t("viewer.stated")} hint={t("viewer.stated_hint", { codes: listed(request.data_use) })}>
              {(ids) => <input {...ids} value={wish.stated} onInput={(event) => set_wish({ ...wish, stated: event.currentTarget.value })} />}
            </Field>
          )}
          <Field label={t("viewer.minutes")}>
            {(ids) => (
              <select {...ids} value={String(wish.minutes)} onChange={(event) => set_wish({ ...wish, minutes: Number(event.currentTarget.value) })}>
                {MINUTES.map((minutes) => (
                  <option key={minutes} value={String(minutes)}>
                    {t("viewer.minutes_of", { minutes })}
                  </option>
                ))}
              </select>
            )}
          </Field>
        </div>
        <Actions problem={problem}>
          <Button kind="primary" type="submit" disabled={busy}>
            {t("viewer.open")}
          </Button>
        </Actions>
        {busy && (
          <>
            <Loading />
            <p class="note">{t("viewer.opening")}</p>
          </>
        )}
      </form>
    </Panel>
  );
}

/** Ends a view also when the page goes away: the browser sends it while it closes. */
function end_quietly(view: View): void {
  void fetch(`/v1/views/${view.view}/end`, {
    method: "POST",
    headers: page_headers({ "Content-Type": "application/json" }),
    credentials: "same-origin",
    body: "{}",
    keepalive: true,
  }).catch(() => undefined);
}

function seconds_left(view: View): number {
  return Math.max(0, (Date.parse(view.expires) - Date.now()) / 1000);
}

function Picture(props: { view: View; reference: string; name: string; ended: (how: "ended" | "over") => void }) {
  const { t } = useTexts();
  const { view } = props;
  const element = useRef<HTMLDivElement>(null);
  const shown = useRef<Shown | null>(null);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [loaded, set_loaded] = useState(0);
  const [left, set_left] = useState(() => seconds_left(view));
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const gone = () => end_quietly(view);
    window.addEventListener("pagehide", gone);
    show_reads(box, view, props.reference, { track: props.name, zoom: t("viewer.zoom") }).then(
      (one) => {
        shown.current = one;
      },
      (failure: unknown) => set_problem(told(failure)),
    );
    const timer = setInterval(() => {
      const seconds = seconds_left(view);
      set_left(seconds);
      set_loaded(shown.current?.loaded() ?? 0);
      if (seconds === 0) props.ended("over");
    }, 500);
    return () => {
      clearInterval(timer);
      window.removeEventListener("pagehide", gone);
      shown.current?.remove();
    };
  }, [view]);
  const end = async () => {
    try {
      await post(`/v1/views/${view.view}/end`);
      props.ended("ended");
    } catch (failure) {
      if (failure instanceof ApiError && failure.status === 404) return props.ended("over");
      set_problem(told(failure));
    }
  };
  const places = view.regions.map((region) => ({ region, place: place_of(region) }));
  return (
    <Panel
      title={t("viewer.title")}
      class="reads"
      actions={
        <>
          <span class="note">{t("viewer.left", { time: duration(left) })}</span>
          <Button kind="danger" onClick={() => void end()}>
            {t("viewer.end")}
          </Button>
        </>
      }
    >
      <p class="clipped" role="note">
        {t("viewer.clipped", { regions: listed(view.regions) })}
      </p>
      {places.length > 1 && (
        <p class="actions" role="group" aria-label={t("viewer.place")}>
          {places.map(
            ({ region, place }) =>
              place && (
                <Button key={region} onClick={() => void shown.current?.go(place)}>
                  {place.name || region}
                </Button>
              ),
          )}
        </p>
      )}
      <Alert>{problem}</Alert>
      <div ref={element} class="igv" role="group" aria-label={t("viewer.picture")} />
      <p role="status" class="figure">
        {t("viewer.loaded", { loaded: count(loaded), records: count(view.records) })}
      </p>
      {!/^[ACGT]{2}/im.test(props.reference) && <p class="note">{t("viewer.no_sequence")}</p>}
      <p class="note">{t("viewer.picture_note")}</p>
      <p class="note">{t("viewer.secrecy")}</p>
    </Panel>
  );
}

function Work(props: { id: string }) {
  const { t } = useTexts();
  const { value: request, problem, again } = useGet<RequestRow>(`/v1/requests/${encodeURIComponent(props.id)}`);
  const [open, set_open] = useState<{ view: View; reference: string } | null>(null);
  const [ended, set_ended] = useState<"" | "ended" | "over">("");
  if (problem) return <Problem problem={problem} retry={again} />;
  if (!request) return <Loading />;
  if (!request.grant || request.state !== "given") return <Empty>{t("viewer.not_given")}</Empty>;
  return (
    <>
      <p class="research" role="note">
        {t("viewer.research")}
      </p>
      {ended && <p role="status">{t(`viewer.${ended}`)}</p>}
      {open ? (
        <Picture
          {...open}
          name={request.object_label}
          ended={(how) => {
            set_open(null);
            set_ended(how);
          }}
        />
      ) : (
        <OpenForm
          request={request}
          opened={(view, reference) => {
            set_ended("");
            set_open({ view, reference });
          }}
        />
      )}
    </>
  );
}

export function Viewer(props: { request: string }) {
  const { t } = useTexts();
  const who = useStore(session);
  const inside = useStore(logged_in);
  const [problem, set_problem] = useState<unknown>(null);
  useEffect(() => {
    document.title = `${t("viewer.title")} – ${t("app.name")}`;
  });
  useEffect(() => {
    load_session().catch((failure: unknown) => logged_in.get() && set_problem(failure));
  }, []);
  return (
    <>
      <header class="top">
        <p class="brand">
          <strong>{t("app.name")}</strong> <span class="where">{t("app.site", { site: who?.site ?? "" })}</span>
        </p>
        <Choices />
      </header>
      <main class="viewer">
        <h1 tabIndex={-1}>{t("viewer.title")}</h1>
        <p>
          <a href={inside ? `/app/requests/${encodeURIComponent(props.request)}` : "/app/"}>{inside ? t("viewer.back") : t("viewer.pages")}</a>
        </p>
        {problem ? <Problem problem={problem} /> : !inside ? <Empty>{t("viewer.log_in")}</Empty> : who ? <Work id={props.request} /> : <Loading />}
      </main>
    </>
  );
}
