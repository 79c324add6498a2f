// One link in full.
import type { ComponentChildren } from "preact";
import { useTexts } from "../../i18n";
import { bytes, duration, listed, rate } from "../../lib/format";
import type { LinkRow } from "../../lib/live";
import { Badge, Facts, Panel, type Tone } from "../../ui/basic";
import { useSentence } from "../../ui/failure";
import { DataTable } from "../../ui/table";
import { History } from "./history";
import type { Health, NetLink, Way } from "./model";

const TONES: Record<Health, Tone> = { ready: "good", low: "warn", empty: "bad", unknown: "plain" };

/** States that are no trouble; a trouble has a code and perhaps a reason. */
const KNOWN_STATES = ["delivering", "paused", "not asked yet"];

export function HealthBadge(props: { health: Health }) {
  const { t } = useTexts();
  return <Badge tone={TONES[props.health]}>{t(`network.line.${props.health}`)}</Badge>;
}

export function useLeft(): (way: { residual: number | null; seconds_left: number | null }) => string {
  const { t } = useTexts();
  return (way) => {
    if (way.residual === null || way.seconds_left === null) return "–";
    if (way.seconds_left === Infinity) return t("network.lasting");
    return t("network.left_for", { duration: duration(way.seconds_left) });
  };
}

function figure(value: number | null, text: (value: number) => string): string {
  return value === null ? "–" : text(value);
}

export function LinkDetails(props: { link: NetLink; own_site: string }) {
  const { t, name } = useTexts();
  const left = useLeft();
  const sentence = useSentence();
  const { link } = props;
  const own = link.own;
  const device_words = (device: LinkRow["devices"][number]) => {
    const [known = ""] = KNOWN_STATES.filter((state) => device.state.startsWith(state));
    const state = known ? name("devicestate", known.replaceAll(" ", "_")) : sentence({ code: device.code, reason: device.reason, message: "" });
    const alarms = device.alarm_reasons.filter((reason) => known || reason !== device.reason);
    return [
      `${device.name}${t("network.colon")}${state}`,
      ...(device.qber === null ? [] : [t("network.qber", { percent: (device.qber * 100).toFixed(1) })]),
      ...alarms.map((reason) => sentence({ code: "", reason, message: "" })),
    ].join(" · ");
  };
  const direction = (way: Way) => (own ? (way.from === props.own_site ? own.send : own.receive) : null);
  return (
    <Panel title={t("network.link_of", { a: link.a, b: link.b })} class="details">
      <DataTable
        caption={t("network.link_of", { a: link.a, b: link.b })}
        empty=""
        rows={link.ways.map((way) => ({ ...way, id: way.from }))}
        columns={[
          { name: t("network.link"), cell: (way) => t("network.direction", { from: way.from, to: way.to }) },
          {
            name: t("network.state"),
            cell: (way) => (direction(way) ? name("state", direction(way)?.state ?? "") : "–"),
          },
          { name: t("network.residual"), cell: (way) => figure(way.residual, bytes), numeric: true },
          { name: t("network.leased"), cell: (way) => figure(direction(way)?.leased_bytes ?? null, bytes), numeric: true },
          { name: t("network.inflow"), cell: (way) => figure(way.inflow, rate), numeric: true },
          { name: t("network.outflow"), cell: (way) => figure(way.outflow, rate), numeric: true },
          { name: t("network.left"), cell: left },
        ]}
      />
      <Facts
        facts={[
          [t("network.class"), name("class", link.class)],
          ...(link.class === "relayed" ? [[t("network.paths"), String(link.paths)] as [string, ComponentChildren]] : []),
          ...(own
            ? ([
                [t("network.origins"), listed(own.origins.map((one) => name("origin", one))) || "–"],
                [t("network.carries"), own.carries_shares ? t("ui.yes") : t("ui.no")],
                [
                  t("network.devices"),
                  own.devices.length > 0 ? (
                    <ul class="devices">
                      {own.devices.map((device) => (
                        <li key={device.name}>{device_words(device)}</li>
                      ))}
                    </ul>
                  ) : (
                    "–"
                  ),
                ],
              ] as [string, ComponentChildren][])
            : []),
        ]}
      />
      {own && (
        <>
          <h3>{t("network.history")}</h3>
          <History peer={own.peer} />
        </>
      )}
    </Panel>
  );
}
