// The absolute risk: the questions of a model, and its answer as numbers and by age.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post, request as ask } from "../../lib/api";
import { decimal, fine_percent, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { language } from "../../lib/settings";
import { useStore } from "../../lib/store";
import { Button, Facts, Field, Loading, Panel, Problem } from "../../ui/basic";
import { Actions, told } from "../../ui/failure";
import { Chart } from "./chart";
import { Limits } from "./limits";
import { asked, is_yes_no, type Kept, type Question, question_text, type Questions, type Risk } from "./model";

function Answer(props: { question: Question; value: string; change: (value: string) => void }) {
  const { t, name } = useTexts();
  const lang = useStore(language);
  const { question } = props;
  const choices: [string, string][] = is_yes_no(question)
    ? [
        ["0", t("risk.no")],
        ["1", t("risk.yes")],
      ]
    : question.levels.map((one) => [one, name("risk.level", one).replace(">=", "≥")]);
  const hint = choices.length ? "" : t("risk.number_hint", { least: question.least, most: question.most });
  return (
    <Field label={question_text(question, lang)} hint={hint}>
      {(ids) =>
        choices.length ? (
          <select {...ids} required value={props.value} onChange={(event) => props.change(event.currentTarget.value)}>
            <option value="">{t("risk.choose")}</option>
            {choices.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        ) : (
          <input
            {...ids}
            type="number"
            required
            step="any"
            min={question.least}
            max={question.most}
            value={props.value}
            onInput={(event) => props.change(event.currentTarget.value)}
          />
        )
      }
    </Field>
  );
}

function Result(props: { risk: Risk }) {
  const { t } = useTexts();
  const { risk } = props;
  return (
    <div class="risk-result">
      <h3>{t("risk.result", { disease: risk.disease, from: risk.from, to: risk.to })}</h3>
      <Facts
        facts={[
          [t("risk.person_risk"), <strong class="figure">{fine_percent(risk.risk)}</strong>],
          [t("risk.population_risk"), <span class="figure">{fine_percent(risk.population_risk)}</span>],
          [t("risk.relative"), decimal(risk.relative_to_population, 2)],
          [t("risk.model"), `${risk.model_name} (${risk.score_adds === null ? t("risk.without_score") : t("risk.with_the_score")})`],
          [t("risk.computed"), time(Date.parse(risk.computed))],
        ]}
      />
      <Chart risk={risk} />
      <Limits limits={risk.limits} />
    </div>
  );
}

/** The built-in model's questions, or those of a file. */
function useQuestions(file: File | null): { value: Questions | null; problem: unknown } {
  const lang = useStore(language);
  const built_in = useGet<Questions>(file ? null : `/v1/risk/model?lang=${lang}`);
  const [own, set_own] = useState<{ value: Questions | null; problem: unknown }>({ value: null, problem: null });
  useEffect(() => {
    set_own({ value: null, problem: null });
    if (!file) return;
    ask("POST", `/v1/risk/model?lang=${lang}`, { raw: file })
      .then((answer) => answer.json())
      .then(
        (value: Questions) => set_own({ value, problem: null }),
        (problem: unknown) => set_own({ value: null, problem }),
      );
  }, [file, lang]);
  return file ? own : built_in;
}

export function AbsolutePanel(props: { grant: string; kept: Kept | null; changed: (kept: Kept) => void }) {
  const { t } = useTexts();
  const lang = useStore(language);
  const [file, set_file] = useState<File | null>(null);
  const loaded = useQuestions(file);
  const [last, set_last] = useState<Questions | null>(null);
  if (loaded.value && loaded.value !== last) set_last(loaded.value);
  const model = loaded.value ?? last;
  const [ages, set_ages] = useState({ from: 50, to: 70 });
  const [answers, set_answers] = useState<Record<string, string>>({});
  const [with_score, set_with_score] = useState(false);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  const can_score = Boolean(props.kept?.score?.population);
  const questions = model ? asked(model.questions, ages.from, ages.to) : [];
  const run = async () => {
    set_busy(true);
    set_problem(null);
    try {
      const given = Object.fromEntries(questions.map((one) => [one.name, answers[one.name] ?? ""]));
      const body = {
        ...ages,
        answers: given,
        with_score: with_score && can_score,
        model: file ? (JSON.parse(await file.text()) as unknown) : null,
      };
      props.changed(await post<Kept>(`/v1/risk/${props.grant}/absolute?lang=${lang}`, body));
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy(false);
    }
  };
  if (loaded.problem && !file) return <Problem problem={loaded.problem} />;
  return (
    <Panel title={t("risk.absolute")}>
      <p>{t("risk.absolute_text")}</p>
      {!model && <Loading />}
      {model && (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void run();
          }}
        >
          <p>
            <strong>{model.model_name}</strong>
          </p>
          <p class="note">
            {t("risk.model_source")}: {model.source}
          </p>
          <div class="form risk-form">
            <Field label={t("risk.model_own")} hint={t("risk.model_hint")} error={loaded.problem ? told(loaded.problem) : ""}>
              {(ids) => <input {...ids} type="file" accept=".json,application/json" onChange={(event) => set_file(event.currentTarget.files?.[0] ?? null)} />}
            </Field>
            {(["from", "to"] as const).map((end) => (
              <Field key={end} label={t(`risk.${end}`)} hint={t("risk.number_hint", { least: model.from, most: model.to })}>
                {(ids) => (
                  <input
                    {...ids}
                    type="number"
                    required
                    min={model.from}
                    max={model.to}
                    value={ages[end]}
                    onInput={(event) => set_ages({ ...ages, [end]: event.currentTarget.valueAsNumber || 0 })}
                  />
                )}
              </Field>
            ))}
          </div>
          <fieldset class="questions">
            <legend>{t("risk.questions")}</legend>
            <div class="form">
              {questions.map((one) => (
                <Answer
                  key={one.name}
                  question={one}
                  value={answers[one.name] ?? ""}
                  change={(value) => set_answers((before) => ({ ...before, [one.name]: value }))}
                />
              ))}
            </div>
          </fieldset>
          {can_score && (
            <label class="tick">
              <input type="checkbox" checked={with_score} onChange={(event) => set_with_score(event.currentTarget.checked)} />
              {t("risk.with_score")}
            </label>
          )}
          <Actions problem={problem}>
            <Button kind="primary" type="submit" disabled={busy}>
              {t("risk.calculate")}
            </Button>
          </Actions>
        </form>
      )}
      {props.kept?.risk && <Result risk={props.kept.risk} />}
    </Panel>
  );
}
