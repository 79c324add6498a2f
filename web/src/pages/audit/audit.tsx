// For auditors: the log, searched and proved, and what its witnesses say.
import "./audit.css";
import { useTexts } from "../../i18n";
import { useGet } from "../../lib/load";
import { session } from "../../lib/session";
import { useStore } from "../../lib/store";
import { type Checkpoint, CheckpointPanel } from "./checkpoint";
import { ConsistencyPanel } from "./proof";
import { SearchPanels } from "./search";

export default function Audit() {
  const { t } = useTexts();
  const who = useStore(session);
  const checkpoint = useGet<Checkpoint>("/v1/log/checkpoint");
  return (
    <>
      <h1 tabIndex={-1}>{t("audit.title")}</h1>
      <p>{t("audit.intro")}</p>
      <CheckpointPanel loaded={checkpoint} />
      <SearchPanels site={who?.site ?? ""} side={<ConsistencyPanel />} />
    </>
  );
}
