// Residual key of a link over the last two hours, as a curve and in a sentence.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { useTexts } from "../../i18n";
import { bytes, clock } from "../../lib/format";
import { useGet } from "../../lib/load";
import { language, theme } from "../../lib/settings";
import { useStore } from "../../lib/store";
import { Empty, Loading, Problem } from "../../ui/basic";

type Moment = [number, number, number, number, number];

function colour(element: HTMLElement, name: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

function draw(element: HTMLElement, moments: Moment[], names: [string, string]): uPlot {
  const line = (label: string, token: string, dash?: number[]): uPlot.Series => ({
    label,
    stroke: colour(element, token),
    width: 2,
    points: { show: moments.length < 30 },
    ...(dash ? { dash } : {}),
  });
  const axis: uPlot.Axis = {
    stroke: colour(element, "--ink-2"),
    grid: { stroke: colour(element, "--line"), width: 1 },
    ticks: { stroke: colour(element, "--line"), width: 1 },
  };
  return new uPlot(
    {
      width: element.clientWidth,
      height: 200,
      legend: { show: false },
      cursor: { show: false },
      series: [{}, line(names[0], "--accent"), line(names[1], "--warn", [6, 4])],
      scales: { y: { range: (_, __, most) => [0, most * 1.1 || 1] } },
      axes: [{ ...axis, values: (_, ticks) => ticks.map((value) => clock(value * 1000)) }, { ...axis, size: 78, values: (_, ticks) => ticks.map((value) => bytes(value)) }],
    },
    [
      moments.map((one) => one[0] / 1000),
      moments.map((one) => one[1]),
      moments.map((one) => one[2]),
    ],
    element,
  );
}

export function History(props: { peer: string }) {
  const { t } = useTexts();
  const lang = useStore(language);
  const colours = useStore(theme);
  const { value, problem, again } = useGet<{ moments: Moment[] }>(
    `/v1/links/history?peer=${encodeURIComponent(props.peer)}`,
  );
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setInterval(again, 20_000);
    return () => clearInterval(timer);
  }, [props.peer]);
  const moments = value?.moments ?? [];
  useEffect(() => {
    const box = element.current;
    if (!box || moments.length < 2) return;
    let plot = draw(box, moments, [t("network.history_send"), t("network.history_receive")]);
    const watch = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height: 200 }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [value, lang, colours]);
  if (problem) return <Problem problem={problem} retry={again} />;
  if (!value) return <Loading />;
  const [first, last] = [moments[0], moments[moments.length - 1]];
  if (!first || !last || moments.length < 2) return <Empty>{t("network.no_history")}</Empty>;
  const sends = moments.map((one) => one[1]);
  return (
    <figure class="history">
      <div ref={element} aria-hidden="true" />
      <figcaption>
        <span class="key key-send">{t("network.history_send")}</span>
        <span class="key key-receive">{t("network.history_receive")}</span>
        {t("network.history_text", {
          first: clock(first[0]),
          last: clock(last[0]),
          least: bytes(Math.min(...sends)),
          most: bytes(Math.max(...sends)),
        })}
      </figcaption>
    </figure>
  );
}
