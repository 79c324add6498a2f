// One request: what was asked, what the person decided, and, once given, the data.
import { useCallback, useState } from "preact/hooks";
import type { PageProps } from "..";
import { useTexts } from "../../i18n";
import { get, post } from "../../lib/api";
import { bytes, duration, listed, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Link } from "../../lib/router";
import { save } from "../../lib/save";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Facts, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { type RequestRow, STATE_TONES } from "./model";
import { useNames } from "./names";
import { Restore } from "./restore";

const LOOK_MS = 2000;

function moment(text: string | undefined): string {
  return text ? time(Date.parse(text)) : "";
}

function Documents(props: { grant: string }) {
  const { t } = useTexts();
  const take = async (format: string, file: string) => {
    try {
      const document = await get(`/v1/consents/${props.grant}/receipt?format=${format}`);
      save(`${file}-${props.grant}.json`, new Blob([JSON.stringify(document, null, 2)], { type: "application/json" }));
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  return (
    <Panel title={t("requests.documents")}>
      <p class="actions">
        <Button onClick={() => void take("receipt", "receipt")}>{t("requests.receipt")}</Button>
        <Button onClick={() => void take("fhir", "consent")}>{t("requests.fhir_consent")}</Button>
        <Button onClick={() => void take("provenance", "provenance")}>{t("requests.fhir_provenance")}</Button>
      </p>
    </Panel>
  );
}

/** What can be done with the data here. */
function Use(props: { request: RequestRow }) {
  const { t } = useTexts();
  return (
    <Panel title={t("requests.use")}>
      <p class="actions">
        <Link class="button" to={`/requests/${props.request.request}/risk`}>
          {t("risk.open")}
        </Link>
        <a class="button" href={`/viewer?request=${props.request.request}`}>
          {t("viewer.open_link")}
        </a>
      </p>
    </Panel>
  );
}

export default function Request(props: PageProps) {
  const { t, name } = useTexts();
  const who = useStore(session);
  const name_of = useNames();
  const id = props.parameters["request"] ?? "";
  const loaded = useGet<RequestRow>(`/v1/requests/${encodeURIComponent(id)}`);
  const [last, set_last] = useState<RequestRow | null>(null);
  if (loaded.value && loaded.value !== last) set_last(loaded.value);
  const again = useCallback(loaded.again, []);
  useEvery(LOOK_MS, again);
  const one = loaded.value ?? last;
  if (loaded.problem) return <Problem problem={loaded.problem} retry={again} />;
  if (!one) return <Loading />;
  const cancel = async () => {
    if (!(await confirm(t("requests.cancel_sure"), t("requests.cancel"), true))) return;
    try {
      await post(`/v1/requests/${one.request}/cancel`);
      again();
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  return (
    <>
      <h1 tabIndex={-1}>{t("requests.one")}</h1>
      <p>
        <Link to="/requests">{t("requests.back")}</Link>
      </p>
      <Panel
        title={t("requests.decision")}
        actions={
          one.state === "asked" &&
          may(who, ["hospital"]) && (
            <Button kind="danger" onClick={() => void cancel()}>
              {t("requests.cancel")}
            </Button>
          )
        }
      >
        <p role="status">
          <Badge tone={STATE_TONES[one.state] ?? "plain"}>{name("requests.state", one.state)}</Badge>{" "}
          {one.state === "asked" && t("requests.waiting", { person: name_of(one.person) })}
          {one.decided && moment(one.decided)}
        </p>
        {one.state === "given" && one.judged === false && <p class="note">{t("requests.not_judged")}</p>}
        {one.why && <p>{t("requests.why", { why: one.why })}</p>}
        <Facts
          facts={[
            [t("requests.person"), name_of(one.person)],
            [t("requests.object"), `${one.object_label} (${bytes(one.object_bytes)})`],
            [t("requests.scope"), one.regions.length ? listed(one.regions) : t("requests.all")],
            ...(one.decoys ? [[t("requests.decoys"), t("requests.decoys_each", { count: one.decoys })] as [string, string]] : []),
            [t("requests.purpose"), name("requests.purpose", one.purpose)],
            [t("requests.grantee"), one.grantee_id ? `${one.grantee} (${one.grantee_id})` : one.grantee],
            [t("requests.destination"), one.destination],
            [t("requests.uses"), String(one.uses)],
            [t("requests.valid"), duration(one.valid_seconds)],
            [t("requests.created"), moment(one.created)],
            [t("requests.waits"), moment(one.expires)],
            ...(one.consent_expires ? ([[t("requests.until"), moment(one.consent_expires)]] as [string, string][]) : []),
            ...(one.note ? ([[t("requests.note"), one.note]] as [string, string][]) : []),
          ]}
        />
      </Panel>
      {one.grant && one.state === "given" && may(who, ["hospital"]) && (
        <>
          <Use request={one} />
          <Restore request={one} grant={one.grant} />
        </>
      )}
      {one.grant && <Documents grant={one.grant} />}
    </>
  );
}
