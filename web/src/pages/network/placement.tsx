// Where the shares of an object are, for the map and in a table.
import { useMemo } from "preact/hooks";
import { useTexts } from "../../i18n";
import { short_id } from "../../lib/format";
import { useGet } from "../../lib/load";
import { set_query } from "../../lib/router";
import { Empty, Field, Loading, Panel, Problem } from "../../ui/basic";
import { DataTable } from "../../ui/table";

interface ObjectRow {
  object: string;
  label: string;
  state: string;
}
interface ShareRow {
  share: string;
  site: string;
  state: string;
}
interface Explained {
  policy: string;
  shares: ShareRow[];
}

export interface Placement {
  objects: ReturnType<typeof useGet<{ objects: ObjectRow[] }>>;
  explained: ReturnType<typeof useGet<Explained>>;
  at: Map<string, string>;
}

/** `changes`: some number that changes when placements may have. */
export function usePlacement(shown: boolean, object: string, changes: string): Placement {
  const objects = useGet<{ objects: ObjectRow[] }>(shown ? `/v1/objects?count=200&at=${changes}` : null);
  const explained = useGet<Explained>(shown && object ? `/v1/objects/${object}/explain?at=${changes}` : null);
  const at = useMemo(() => {
    const letters = new Map<string, string>();
    for (const share of (explained.value?.shares ?? []).filter((one) => one.site)) {
      letters.set(share.site, [letters.get(share.site), share.share].filter(Boolean).join(" "));
    }
    return letters;
  }, [explained.value]);
  return { objects, explained, at };
}

export function PlacementPanel(props: { placement: Placement; object: string }) {
  const { t, name } = useTexts();
  const { objects, explained } = props.placement;
  const stored = objects.value?.objects.filter((one) => one.state !== "deleted") ?? [];
  return (
    <Panel title={t("network.placement")}>
      {Boolean(objects.problem) && <Problem problem={objects.problem} retry={objects.again} />}
      {objects.value && stored.length === 0 && <Empty>{t("network.no_objects")}</Empty>}
      {stored.length > 0 && (
        <Field label={t("network.object")} {...(props.object ? { hint: t("network.placement_text") } : {})}>
          {(ids) => (
            <select {...ids} value={props.object} onChange={(event) => set_query("object", event.currentTarget.value)}>
              <option value="">{t("network.object_none")}</option>
              {stored.map((one) => (
                <option key={one.object} value={one.object}>
                  {t("network.object_of", { label: one.label, id: short_id(one.object) })}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {props.object && Boolean(explained.problem) && <Problem problem={explained.problem} retry={explained.again} />}
      {props.object && !explained.value && !explained.problem && <Loading />}
      {explained.value && (
        <>
          <p class="note">
            {t("network.policy")}: <code>{explained.value.policy}</code>
          </p>
          <DataTable
            caption={t("network.placement")}
            empty={t("ui.none")}
            rows={explained.value.shares.filter((share) => share.site).map((share) => ({ ...share, id: share.share }))}
            columns={[
              { name: t("network.share"), cell: (share) => share.share, by: (share) => share.share },
              { name: t("network.site"), cell: (share) => share.site, by: (share) => share.site },
              { name: t("network.share_state"), cell: (share) => name("sharestate", share.state) },
            ]}
          />
        </>
      )}
    </Panel>
  );
}
