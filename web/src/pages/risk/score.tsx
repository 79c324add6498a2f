// A polygenic score: the file, what it would take, the score with what it rests on.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { request as ask } from "../../lib/api";
import { bytes, count, decimal, fine_percent, listed, time } from "../../lib/format";
import { language } from "../../lib/settings";
import { useStore } from "../../lib/store";
import { Button, Facts, Field, Loading, Panel } from "../../ui/basic";
import { Alert, Failure, told } from "../../ui/failure";
import { confirm } from "../../ui/dialog";
import type { RequestRow } from "../requests/model";
import { Limits } from "./limits";
import type { Kept, Plan, Score } from "./model";

const MOST = 32 << 20;

interface Choice {
  file: File;
  build: string;
  ambiguous: boolean;
  stated: string;
}

function query(choice: Choice, lang: string): string {
  const text = new URLSearchParams({ lang });
  if (choice.build) text.set("build", choice.build);
  if (choice.ambiguous) text.set("ambiguous", "leave_out");
  for (const one of choice.stated.split(",").map((part) => part.trim()).filter(Boolean)) text.append("use", one);
  return text.toString();
}

async function send<T>(grant: string, what: "plan" | "score", choice: Choice, lang: string): Promise<T> {
  const answer = await ask("POST", `/v1/risk/${grant}/${what}?${query(choice, lang)}`, { raw: choice.file });
  return (await answer.json()) as T;
}

function Missing(props: { score: Score }) {
  const { t, name } = useTexts();
  const { score } = props;
  // A site outside the consent was not read; it is told as that, not as one without reads.
  const rows = Object.entries(score.missing)
    .map(([reason, many]): [string, number] => [reason, reason === "no_reads" ? many - score.outside_consent : many])
    .filter(([, many]) => many > 0)
    .map(([reason, many]) => `${name("risk.missing", reason)}: ${count(many)}`);
  if (score.outside_consent > 0) rows.push(`${t("risk.outside")}: ${count(score.outside_consent)}`);
  return <>{rows.length ? listed(rows) : t("risk.refused_none")}</>;
}

function Result(props: { score: Score }) {
  const { t } = useTexts();
  const { score } = props;
  const place = score.population
    ? t("risk.population_of", { mean: decimal(score.population.mean, 4), z: decimal(score.population.z, 2) })
    : t("risk.no_population");
  return (
    <div class="risk-result">
      <h3>{score.pgs_id ? `${score.pgs_id} ${score.trait}` : score.trait}</h3>
      <Facts
        facts={[
          [t("risk.value"), <strong class="figure">{decimal(score.score, 5)}</strong>],
          [t("risk.range"), `${decimal(score.lowest, 5)} – ${decimal(score.highest, 5)}`],
          [t("risk.coverage"), t("risk.coverage_of", { used: count(score.sites_used), sites: count(score.sites), percent: fine_percent(score.coverage) })],
          [t("risk.refused"), <Missing score={score} />],
          [t("risk.depth"), decimal(score.mean_depth, 1)],
          [t("risk.quality"), t("risk.quality_of", { value: decimal(score.mean_confidence, 0) })],
          [t("risk.population"), place],
          [t("risk.computed"), time(Date.parse(score.computed))],
          ...(score.citation ? ([[t("risk.citation"), score.citation]] as [string, string][]) : []),
          ...(score.licence ? ([[t("risk.licence"), score.licence]] as [string, string][]) : []),
        ]}
      />
      <Limits limits={score.limits} />
    </div>
  );
}

export function ScorePanel(props: { request: RequestRow; grant: string; kept: Kept | null; changed: (kept: Kept) => void }) {
  const { t } = useTexts();
  const lang = useStore(language);
  const { request, grant } = props;
  const [file, set_file] = useState<File | null>(null);
  const [build, set_build] = useState("");
  const [ambiguous, set_ambiguous] = useState(false);
  const [stated, set_stated] = useState("");
  const [plan, set_plan] = useState<Plan | null>(null);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState<"" | "plan" | "score">("");
  const choice: Choice | null = file && { file, build, ambiguous, stated };
  const too_large = file !== null && file.size > MOST;
  useEffect(() => {
    set_plan(null);
    set_problem(null);
    if (!choice || too_large) return;
    let is_current = true;
    set_busy("plan");
    send<Plan>(grant, "plan", choice, lang)
      .then(
        (found) => is_current && set_plan(found),
        (failure: unknown) => is_current && set_problem(told(failure)),
      )
      .finally(() => is_current && set_busy(""));
    return () => {
      is_current = false;
    };
  }, [file, build, ambiguous]);
  const run = async () => {
    if (!choice || !(await confirm(t("risk.sure", { uses: request.uses }), t("risk.compute")))) return;
    set_busy("score");
    set_problem(null);
    try {
      props.changed(await send<Kept>(grant, "score", choice, lang));
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy("");
    }
  };
  const refusal = too_large && file ? t("risk.too_large", { bytes: bytes(file.size), most: bytes(MOST) }) : plan?.refusal && <Failure code="refused" message={plan.refusal} />;
  return (
    <Panel title={t("risk.score")}>
      <p>{t("risk.score_text", { most: bytes(MOST), site: request.destination })}</p>
      <div class="form">
        <Field label={t("risk.file")}>
          {(ids) => <input {...ids} type="file" disabled={busy === "score"} onChange={(event) => set_file(event.currentTarget.files?.[0] ?? null)} />}
        </Field>
        <Field label={t("risk.build")}>
          {(ids) => (
            <select {...ids} value={build} onChange={(event) => set_build(event.currentTarget.value)}>
              <option value="">{t("risk.build_file")}</option>
              <option value="GRCh38">GRCh38</option>
              <option value="GRCh37">GRCh37</option>
            </select>
          )}
        </Field>
        {request.data_use.length > 0 && (
          <Field label={t("risk.stated")} hint={t("risk.stated_hint", { codes: listed(request.data_use) })}>
            {(ids) => <input {...ids} value={stated} onInput={(event) => set_stated(event.currentTarget.value)} />}
          </Field>
        )}
      </div>
      <label class="tick">
        <input type="checkbox" checked={ambiguous} onChange={(event) => set_ambiguous(event.currentTarget.checked)} />
        {t("risk.ambiguous")}
      </label>
      {busy === "plan" && (
        <p class="note" role="status">
          {t("risk.checking")}
        </p>
      )}
      {plan && (
        <p role="status">
          {t("risk.plan", { trait: plan.trait || plan.pgs_id, usable: count(plan.usable), sites: count(plan.sites) })}{" "}
          {plan.outside_consent > 0 && t("risk.plan_outside", { count: count(plan.outside_consent) })}
        </p>
      )}
      <Alert>{refusal || problem}</Alert>
      {plan && !plan.refusal && busy !== "score" && (
        <p class="actions">
          <Button kind="primary" onClick={() => void run()}>
            {t("risk.compute")}
          </Button>
          <span class="note">{t("risk.takes_use", { uses: request.uses })}</span>
        </p>
      )}
      {busy === "score" && (
        <>
          <Loading />
          <p class="note">{t("risk.computing")}</p>
        </>
      )}
      {props.kept?.score && <Result score={props.kept.score} />}
    </Panel>
  );
}
