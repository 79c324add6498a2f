// What a result is not, and what it rests on, in the site's words.
import { useTexts } from "../../i18n";

export function Limits(props: { limits: string[] }) {
  const { t } = useTexts();
  return (
    <div class="limits">
      <h4>{t("risk.limits")}</h4>
      <ul>
        {props.limits.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </div>
  );
}
