// Score, risk and documents of one request whose consent was given.
import { useState } from "preact/hooks";
import type { PageProps } from "..";
import { useTexts } from "../../i18n";
import { get, post } from "../../lib/api";
import { listed, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { Link } from "../../lib/router";
import { save } from "../../lib/save";
import { language } from "../../lib/settings";
import { useStore } from "../../lib/store";
import { Button, Empty, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import type { RequestRow } from "../requests/model";
import { useNames } from "../requests/names";
import "../requests/requests.css";
import { AbsolutePanel } from "./absolute";
import type { Kept } from "./model";
import "./risk.css";
import { ScorePanel } from "./score";

/** Saves everything about the consent as one document. */
function useBundle(grant: string): () => Promise<void> {
  const lang = useStore(language);
  return async () => {
    try {
      const bundle = await get(`/v1/risk/${grant}/fhir?lang=${lang}`);
      save(`fhir-${grant}.json`, new Blob([JSON.stringify(bundle, null, 2)], { type: "application/fhir+json" }));
    } catch (failure) {
      toast(told(failure), true);
    }
  };
}

/** Where the results are, and for how long: between them and whoever may think that they are safe. */
function KeptNote(props: { request: RequestRow; grant: string; kept: Kept }) {
  const { t } = useTexts();
  const take = useBundle(props.grant);
  return (
    <div class="risk-kept" role="note">
      <p>{t("risk.kept_now", { site: props.request.destination, until: time(Date.parse(props.kept.kept_until)) })}</p>
      <Button kind="primary" onClick={() => void take()}>
        {t("risk.save_now")}
      </Button>
    </div>
  );
}

function Export(props: { grant: string; kept: Kept | null; forgotten: () => void }) {
  const { t } = useTexts();
  const take = useBundle(props.grant);
  const forget = async () => {
    if (!(await confirm(t("risk.forget_sure"), t("risk.forget"), true))) return;
    try {
      await post(`/v1/risk/${props.grant}/forget`);
      props.forgotten();
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  return (
    <Panel title={t("risk.export")}>
      <p>{t("risk.export_text")}</p>
      <p class="actions">
        <Button kind="primary" onClick={() => void take()}>
          {t("risk.export_save")}
        </Button>
        {(props.kept?.score || props.kept?.risk) && (
          <Button kind="danger" onClick={() => void forget()}>
            {t("risk.forget")}
          </Button>
        )}
      </p>
      <p class="note">{t("risk.kept")}</p>
    </Panel>
  );
}

function Work(props: { request: RequestRow; grant: string }) {
  const lang = useStore(language);
  const loaded = useGet<Kept>(`/v1/risk/${props.grant}?lang=${lang}`);
  const [made, set_made] = useState<{ lang: string; kept: Kept } | null>(null);
  if (loaded.problem) return <Problem problem={loaded.problem} retry={loaded.again} />;
  // What was computed just now, in this language, is newer than what was loaded.
  const kept = made?.lang === lang ? made.kept : loaded.value;
  const changed = (next: Kept) => set_made({ lang, kept: next });
  return (
    <>
      <ScorePanel request={props.request} grant={props.grant} kept={kept} changed={changed} />
      {kept && kept.score && !kept.risk && <KeptNote request={props.request} grant={props.grant} kept={kept} />}
      <AbsolutePanel grant={props.grant} kept={kept} changed={changed} />
      {kept && kept.risk && <KeptNote request={props.request} grant={props.grant} kept={kept} />}
      <Export grant={props.grant} kept={kept} forgotten={() => kept && changed({ ...kept, score: null, risk: null })} />
    </>
  );
}

export default function RiskPage(props: PageProps) {
  const { t } = useTexts();
  const name_of = useNames();
  const id = props.parameters["request"] ?? "";
  const { value: one, problem, again } = useGet<RequestRow>(`/v1/requests/${encodeURIComponent(id)}`);
  if (problem) return <Problem problem={problem} retry={again} />;
  if (!one) return <Loading />;
  const scope = one.regions.length ? listed(one.regions.map((region) => region.split("=")[1] || region)) : one.object_label;
  return (
    <>
      <h1 tabIndex={-1}>{t("risk.title")}</h1>
      <p>
        <Link to={`/requests/${id}`}>{t("risk.back")}</Link>
      </p>
      <p class="risk-of">{t("risk.of", { person: name_of(one.person), scope, grantee: one.grantee })}</p>
      <p class="research" role="note">
        {t("risk.research")}
      </p>
      {one.grant && one.state === "given" ? <Work request={one} grant={one.grant} /> : <Empty>{t("risk.not_given")}</Empty>}
    </>
  );
}
