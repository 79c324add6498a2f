// Lost cards at this site, and the leave of its officer to let another one come.
import { useCallback, useEffect, useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { duration, time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Badge, Button, Field, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";

interface LostRow {
  card: string;
  revoked: string;
  from_ms: number;
  until_ms: number;
}
interface LostCards {
  site: string;
  now_ms: number;
  cards: LostRow[];
}

const LOOK_MS = 5000;
const HOUR = 3600;

/** The site's own time, a second after the other, from when it last told it. */
export function useSiteTime(told: number | undefined): number {
  const [at, set_at] = useState({ told: told ?? Date.now(), here: Date.now(), now: told ?? Date.now() });
  useEffect(() => {
    if (told !== undefined) set_at({ told, here: Date.now(), now: told });
  }, [told]);
  useEffect(() => {
    const timer = setInterval(() => set_at((was) => ({ ...was, now: was.told + Date.now() - was.here })), 1000);
    return () => clearInterval(timer);
  }, []);
  return at.now;
}

/** When another card may come, counting down. */
export function From(props: { from: number; now: number }) {
  const { t } = useTexts();
  const left = Math.ceil((props.from - props.now) / 1000);
  if (left <= 0) return <Badge tone="good">{t("proposals.now")}</Badge>;
  return (
    <>
      <Badge tone="info">{t("proposals.in", { time: duration(left) })}</Badge>{" "}
      <span class="note">{time(props.from)}</span>
    </>
  );
}

export function Leave(props: { until: number; now: number }) {
  const { t } = useTexts();
  if (props.until <= props.now) return <Badge tone="warn">{t("proposals.no_leave")}</Badge>;
  return <Badge tone="good">{t("proposals.leave_until", { time: time(props.until) })}</Badge>;
}

export function Lost() {
  const { t } = useTexts();
  const list = useGet<LostCards>("/v1/cards/lost");
  const [shown, set_shown] = useState<LostCards | null>(null);
  if (list.value && list.value !== shown) set_shown(list.value);
  const [valid, set_valid] = useState(24 * HOUR);
  const again = useCallback(list.again, []);
  useEvery(LOOK_MS, again);
  const now = useSiteTime(shown?.now_ms);
  const allow = async (row: LostRow) => {
    try {
      const said = await post<{ card: string; until: string }>(`/v1/cards/${row.card}/allow-reissue`, { seconds: valid });
      toast(t("proposals.allowed", { card: said.card.slice(0, 8), until: time(Date.parse(said.until)) }));
    } catch (failure) {
      toast(told(failure), true);
    } finally {
      again();
    }
  };
  return (
    <Panel title={t("proposals.lost")}>
      <p>{t("proposals.lost_text")}</p>
      {list.problem ? <Problem problem={list.problem} retry={again} /> : null}
      {!shown && !list.problem && <Loading />}
      {shown && (
        <DataTable
          caption={t("proposals.lost")}
          empty={t("proposals.no_lost")}
          rows={shown.cards.map((one) => ({ ...one, id: one.card }))}
          columns={[
            { name: t("proposals.card"), cell: (row) => <code title={row.card} class="one-line">{row.card.slice(0, 8)}</code> },
            {
              name: t("proposals.lost_since"),
              cell: (row) => time(Date.parse(row.revoked)),
              by: (row) => row.revoked,
            },
            { name: t("proposals.from"), cell: (row) => <From from={row.from_ms} now={now} />, by: (row) => row.from_ms },
            { name: t("proposals.leave"), cell: (row) => <Leave until={row.until_ms} now={now} /> },
            {
              name: t("proposals.decide"),
              cell: (row) => (
                <Button
                  kind="primary"
                  aria-label={t("proposals.allow_of", { card: row.card.slice(0, 8) })}
                  onClick={() => void allow(row)}
                >
                  {t("proposals.allow")}
                </Button>
              ),
            },
          ]}
        />
      )}
      {shown && shown.cards.length > 0 && (
        <Field label={t("proposals.valid")}>
          {(ids) => (
            <select {...ids} value={String(valid)} onChange={(event) => set_valid(Number(event.currentTarget.value))}>
              {[HOUR, 24 * HOUR, 72 * HOUR, 168 * HOUR].map((one) => (
                <option key={one} value={String(one)}>
                  {duration(one)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
    </Panel>
  );
}
