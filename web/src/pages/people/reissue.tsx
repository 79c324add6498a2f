// Another card for a person whose card is lost: what every site says, and the order for the kiosk.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { type Loaded } from "../../lib/load";
import { may, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Panel } from "../../ui/basic";
import { Alert, Failure, told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";
import { From, Leave, useSiteTime } from "../proposals/lost";
import { CardFields, CodeCard, type Enrolment, USUAL, wish_body } from "./enrol";

interface SiteState {
  site: string;
  known: boolean;
  why: string;
  code: string;
  reason: string;
  from_ms?: number;
  until_ms?: number;
}
export interface ReissueStates {
  card: string;
  lost: boolean;
  now_ms: number;
  sites: SiteState[];
}

export function Reissue(props: { person: string; states: ReissueStates; loaded: Loaded<ReissueStates>; order: Enrolment | null; ordered: () => void }) {
  const { t } = useTexts();
  const who = useStore(session);
  const [wish, set_wish] = useState(USUAL);
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  const now = useSiteTime(props.states.now_ms);
  const { sites } = props.states;
  const lets = (one: SiteState) => one.known && (one.from_ms ?? 0) <= now && (one.until_ms ?? 0) > now;
  const missing = sites.filter((one) => !lets(one)).length;
  const send = async () => {
    set_busy(true);
    set_problem(null);
    try {
      await post<Enrolment>(`/v1/persons/${encodeURIComponent(props.person)}/reissue/order`, wish_body(wish));
      props.ordered();
      toast(t("desk.sent"));
    } catch (failure) {
      set_problem(told(failure));
    } finally {
      set_busy(false);
    }
  };
  return (
    <Panel title={t("desk.reissue")} actions={<Button onClick={props.loaded.again}>{t("desk.look_again")}</Button>}>
      <p>{t("desk.reissue_text")}</p>
      <p role="status">
        {missing === 0 ? (
          <Badge tone="good">{t("desk.ready")}</Badge>
        ) : (
          <Badge tone="info">{t("desk.not_ready", { count: missing, all: sites.length })}</Badge>
        )}
      </p>
      <DataTable
        caption={t("desk.sites")}
        empty=""
        rows={sites.map((one) => ({ ...one, id: one.site }))}
        columns={[
          { name: t("desk.site"), cell: (row) => row.site, by: (row) => row.site },
          {
            name: t("desk.from"),
            cell: (row) =>
              row.known ? (
                <From from={row.from_ms ?? 0} now={now} />
              ) : (
                <div class="note note-error">
                  {t("desk.silent")}
                  <Failure code={row.code} reason={row.reason} message={row.why} />
                </div>
              ),
          },
          { name: t("desk.leave"), cell: (row) => row.known && <Leave until={row.until_ms ?? 0} now={now} /> },
        ]}
      />
      {props.order && <CodeCard enrolment={props.order} />}
      {may(who, ["biobank"]) && !props.order && (
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            void send();
          }}
        >
          <CardFields again wish={wish} set={set_wish} />
          <p class="note">{t("desk.reissue_early")}</p>
          <Alert>{problem}</Alert>
          <Button kind="primary" type="submit" disabled={busy}>
            {t("desk.reissue_send")}
          </Button>
        </form>
      )}
    </Panel>
  );
}
