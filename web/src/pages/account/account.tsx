// Who you are here, and the browsers of this machine that are logged in.
import { useTexts } from "../../i18n";
import { get, post } from "../../lib/api";
import { listed } from "../../lib/format";
import { useGet } from "../../lib/load";
import { log_out, session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { Badge, Button, Facts, Loading, Panel, Problem } from "../../ui/basic";
import { told } from "../../ui/failure";
import { confirm, toast } from "../../ui/dialog";
import { DataTable } from "../../ui/table";

interface OneSession {
  session: string;
  operator: string;
  began: string;
  used: string;
  own: boolean;
}

function Sessions() {
  const { t } = useTexts();
  const { value, problem, again } = useGet<{ sessions: OneSession[] }>("/v1/web/sessions");
  const end = async (id: string) => {
    if (!(await confirm(t("account.end_sure", { session: id }), t("account.end"), true))) return;
    try {
      await post(`/v1/web/sessions/${id}/end`);
      toast(t("account.ended", { session: id }));
      await get("/v1/web"); // ends this page too if it was its own session
      again();
    } catch (failure) {
      toast(told(failure), true);
    }
  };
  if (problem) return <Problem problem={problem} retry={again} />;
  if (!value) return <Loading />;
  return (
    <DataTable
      caption={t("account.sessions")}
      empty={t("ui.none")}
      rows={value.sessions.map((one) => ({ ...one, id: one.session }))}
      columns={[
        {
          name: t("account.session"),
          cell: (row) => (
            <>
              <code>{row.session}</code> {row.own && <Badge tone="info">{t("account.own")}</Badge>}
            </>
          ),
        },
        { name: t("account.operator"), cell: (row) => row.operator || t("account.nobody") },
        { name: t("account.began"), cell: (row) => row.began, by: (row) => row.began },
        { name: t("account.used"), cell: (row) => row.used, by: (row) => row.used },
        {
          name: t("account.end"),
          cell: (row) => (
            <Button aria-label={t("account.end_of", { session: row.session })} onClick={() => void end(row.session)}>
              {t("account.end")}
            </Button>
          ),
        },
      ]}
    />
  );
}

export default function Account() {
  const { t, name } = useTexts();
  const who = useStore(session);
  if (!who) return null;
  const roles = who.single_operator
    ? t("account.all_roles")
    : listed(who.roles.map((role) => name("role", role)));
  return (
    <>
      <h1 tabIndex={-1}>{t("account.title")}</h1>
      <Panel
        title={t("account.who")}
        actions={who.session && <Button onClick={() => void log_out()}>{t("account.log_out")}</Button>}
      >
        <Facts
          facts={[
            [t("account.who"), who.name || t("account.nobody")],
            [t("account.roles"), roles],
            [t("account.over"), t(`account.over.${who.over}`)],
          ]}
        />
      </Panel>
      {who.over === "loopback" && (
        <Panel title={t("account.sessions")}>
          <Sessions />
        </Panel>
      )}
    </>
  );
}
