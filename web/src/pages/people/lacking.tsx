// That a genome is written against a reference which the site does not have: said before it is
// stored and when it is, because nobody may be there who has the reference when it is needed.
import { useTexts } from "../../i18n";
import { count } from "../../lib/format";
import "./desk.css";
import type { LackingReference } from "./upload";

export function Lacking(props: { reference: LackingReference | undefined }) {
  const { t } = useTexts();
  const { reference } = props;
  if (!reference) return null;
  const { assembly, file, site, trouble } = reference;
  const more = reference.lacking > reference.names.length ? t("people.lacks_more") : "";
  const which = t("people.lacks_which", {
    lacking: count(reference.lacking),
    sequences: count(reference.sequences),
    names: reference.names.join(t("people.lacks_comma")) + more,
  });
  const why = !file ? "people.lacks_none" : trouble ? "people.lacks_unread" : "people.lacks_other";
  return (
    <div class="lacking" role="status">
      <p>
        <strong>{t("people.lacks_title")}</strong> {which} {t(why, { assembly, file, site })}
      </p>
      <p>{t("people.lacks_then")}</p>
      <p>
        {t("people.lacks_mend", { site })} <code>{`[genome] references = ["${assembly}=FILE.fa"]`}</code>
      </p>
    </div>
  );
}
