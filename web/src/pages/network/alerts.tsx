// What needs somebody's attention, the serious first.
import { useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { bytes } from "../../lib/format";
import { type AlertRow, tables } from "../../lib/live";
import { useStore } from "../../lib/store";
import { Badge, Button, Empty } from "../../ui/basic";
import { Failure } from "../../ui/failure";

const IN_BYTES = ["key_empty", "key_low", "key_quarantined"];

function Detail(props: { alert: AlertRow }) {
  const { alert } = props;
  if (alert.code || alert.reason) {
    return <Failure code={alert.code ?? ""} reason={alert.reason ?? ""} message={alert.detail} />;
  }
  return <>{IN_BYTES.includes(alert.kind) ? bytes(Number(alert.detail)) : alert.detail}</>;
}

const FIRST = 8;

export function Alerts() {
  const { t, name } = useTexts();
  const [most, set_most] = useState(FIRST);
  const all = [...useStore(tables.alerts).values()];
  if (all.length === 0) return <Empty>{t("overview.no_alerts")}</Empty>;
  all.sort((x, y) => (x.severity === y.severity ? (x.id < y.id ? -1 : 1) : x.severity === "serious" ? -1 : 1));
  return (
    <>
      <ul class="alerts">
        {all.slice(0, most).map((alert) => (
          <li key={alert.id}>
            <Badge tone={alert.severity === "serious" ? "bad" : "warn"}>{t(`alert.${alert.severity}`)}</Badge>
            <span class="alert-what">
              {name("alert.kind", alert.kind).replace("{subject}", () => alert.subject)}
            </span>
            {alert.detail && <div class="alert-detail"><Detail alert={alert} /></div>}
          </li>
        ))}
      </ul>
      {all.length > most && (
        <p class="more">
          <span class="note">{t("overview.of", { count: most, all: all.length })}</span>{" "}
          <Button onClick={() => set_most(most + 50)}>{t("ui.more")}</Button>
        </p>
      )}
    </>
  );
}
