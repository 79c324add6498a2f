// Which assembly a genome is of: its references tell, or a person does.
import { useTexts } from "../../i18n";
import { Field } from "../../ui/basic";

const ASSEMBLIES = ["GRCh37", "GRCh38", "T2T-CHM13v2"];

export function Assembly(props: { value: string; disabled: boolean; change: (value: string) => void }) {
  const { t } = useTexts();
  return (
    <Field label={t("people.assembly")}>
      {(ids) => (
        <select
          {...ids}
          value={props.value}
          disabled={props.disabled}
          onChange={(event) => props.change(event.currentTarget.value)}
        >
          <option value="">{t("people.assembly_own")}</option>
          {ASSEMBLIES.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
