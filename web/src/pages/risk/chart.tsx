// The risk by age as a picture, in words, and as a table.
import { useId } from "preact/hooks";
import { useTexts } from "../../i18n";
import { fine_percent } from "../../lib/format";
import { type Point, type Risk, ticks } from "./model";

const LEFT = 64;
const RIGHT = 16;
const TOP = 30;
const BOTTOM = 48;
const WIDTH = 680;
const HEIGHT = 340;

/** From values to places in the picture. */
function frame(curve: Point[]) {
  const ages = [curve[0]?.age ?? 0, curve[curve.length - 1]?.age ?? 1] as const;
  const highest = Math.max(1e-4, ...curve.map((one) => Math.max(one.person, one.population)));
  const most = highest * 1.08;
  return {
    ages,
    most,
    x: (age: number) => LEFT + ((WIDTH - LEFT - RIGHT) * (age - ages[0])) / Math.max(1, ages[1] - ages[0]),
    y: (risk: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - risk / most),
  };
}

function line(curve: Point[], of: "person" | "population", at: ReturnType<typeof frame>): string {
  return curve.map((one) => `${at.x(one.age).toFixed(1)},${at.y(one[of]).toFixed(1)}`).join(" ");
}

function Axes(props: { at: ReturnType<typeof frame> }) {
  const { t } = useTexts();
  const { at } = props;
  return (
    <g class="axes">
      {ticks(at.most).map((risk) => (
        <g key={risk}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={at.y(risk)} y2={at.y(risk)} />
          <text x={LEFT - 8} y={at.y(risk) + 4} text-anchor="end">
            {fine_percent(risk)}
          </text>
        </g>
      ))}
      {ticks(at.ages[1], at.ages[0])
        .filter(Number.isInteger)
        .map((age) => (
          <text key={age} x={at.x(age)} y={HEIGHT - BOTTOM + 20} text-anchor="middle">
            {age}
          </text>
        ))}
      <text x={(LEFT + WIDTH - RIGHT) / 2} y={HEIGHT - 8} text-anchor="middle">
        {t("risk.axis_age")}
      </text>
      <text x={8} y={16}>
        {t("risk.axis_risk")}
      </text>
    </g>
  );
}

export function Chart(props: { risk: Risk }) {
  const { t } = useTexts();
  const id = useId();
  const { curve } = props.risk;
  const last = curve[curve.length - 1];
  if (!last || curve.length < 2) return null;
  const at = frame(curve);
  const text = t("risk.plot_text", { age: last.age, person: fine_percent(last.person), population: fine_percent(last.population) });
  return (
    <figure class="risk-chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={`${id}-title ${id}-text`}>
        <title id={`${id}-title`}>{t("risk.plot")}</title>
        <desc id={`${id}-text`}>{text}</desc>
        <Axes at={at} />
        <polyline class="population" points={line(curve, "population", at)} />
        <polyline class="person" points={line(curve, "person", at)} />
      </svg>
      <ul class="legend">
        <li>
          <svg viewBox="0 0 40 10" aria-hidden="true">
            <line class="person" x1="0" x2="40" y1="5" y2="5" />
          </svg>
          {t("risk.person_risk")}
        </li>
        <li>
          <svg viewBox="0 0 40 10" aria-hidden="true">
            <line class="population" x1="0" x2="40" y1="5" y2="5" />
          </svg>
          {t("risk.population_risk")}
        </li>
      </ul>
      <figcaption>{text}</figcaption>
      <details>
        <summary>{t("risk.table")}</summary>
        <Table curve={curve} />
      </details>
    </figure>
  );
}

function Table(props: { curve: Point[] }) {
  const { t } = useTexts();
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label={t("risk.plot")}>
      <table>
        <caption class="hidden">{t("risk.plot")}</caption>
        <thead>
          <tr>
            <th scope="col" class="number">{t("risk.age")}</th>
            <th scope="col" class="number">{t("risk.person_risk")}</th>
            <th scope="col" class="number">{t("risk.population_risk")}</th>
          </tr>
        </thead>
        <tbody>
          {props.curve.map((one) => (
            <tr key={one.age}>
              <th scope="row" class="number">{one.age}</th>
              <td class="number">{fine_percent(one.person)}</td>
              <td class="number">{fine_percent(one.population)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
