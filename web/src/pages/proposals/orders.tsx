// Orders about persons (guardians, deaths) that wait for an officer of this site.
import { useCallback } from "preact/hooks";
import { useTexts } from "../../i18n";
import { post } from "../../lib/api";
import { time } from "../../lib/format";
import { useGet } from "../../lib/load";
import { useEvery } from "../../lib/poll";
import { Button, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";

interface OrderRow {
  order: string;
  what: string;
  person: string;
  received: string;
  guardian_cards?: string[];
  needed?: number;
}

export function PersonOrders() {
  const { t, name } = useTexts();
  const list = useGet<{ orders: OrderRow[] }>("/v1/person-orders");
  const again = useCallback(list.again, []);
  useEvery(15_000, again);
  const decide = async (row: OrderRow, how: "allow" | "decline") => {
    try {
      await post(`/v1/person-orders/${row.order}/${how}`);
      toast(t("proposals.order_done"));
    } catch (failure) {
      toast(told(failure), true);
    } finally {
      again();
    }
  };
  return (
    <Panel title={t("proposals.orders")}>
      {list.problem ? <Problem problem={list.problem} retry={again} /> : null}
      {!list.value && !list.problem && <Loading />}
      {list.value && (
        <DataTable
          caption={t("proposals.orders")}
          empty={t("proposals.no_orders")}
          rows={list.value.orders.map((one) => ({ ...one, id: one.order }))}
          columns={[
            { name: t("proposals.order"), cell: (row) => name("proposals.order", row.what) },
            { name: t("proposals.person_here"), cell: (row) => <code>{row.person.slice(0, 8)}</code> },
            { name: t("proposals.since"), cell: (row) => time(Date.parse(row.received)), by: (row) => row.received },
            {
              name: t("proposals.decide"),
              cell: (row) => (
                <span class="actions">
                  <Button kind="primary" onClick={() => void decide(row, "allow")}>
                    {t("proposals.order_allow")}
                  </Button>
                  <Button onClick={() => void decide(row, "decline")}>{t("proposals.order_decline")}</Button>
                </span>
              ),
            },
          ]}
        />
      )}
    </Panel>
  );
}
