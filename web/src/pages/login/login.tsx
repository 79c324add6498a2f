// Logging a browser of this machine in, with a code that `warifu web code` prints.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Choices } from "../../frame";
import { useTexts } from "../../i18n";
import { log_in } from "../../lib/session";
import { Button, Field } from "../../ui/basic";
import { told } from "../../ui/failure";

export function Login() {
  const { t } = useTexts();
  const [code, set_code] = useState("");
  const [problem, set_problem] = useState<ComponentChildren>(null);
  const [busy, set_busy] = useState(false);
  if (location.protocol === "https:") {
    return (
      <main class="alone">
        <h1>{t("login.title")}</h1>
        <p>{t("login.tls")}</p>
        <Choices />
      </main>
    );
  }
  const submit = async (event: Event) => {
    event.preventDefault();
    set_busy(true);
    try {
      await log_in(code);
    } catch (failure) {
      set_problem(told(failure));
      set_code("");
      set_busy(false);
    }
  };
  document.title = `${t("login.title")} – ${t("app.name")}`;
  return (
    <main class="alone card">
      <p class="brand">
        <span class="mark" aria-hidden="true" />
        <strong>{t("app.name")}</strong>
      </p>
      <h1>{t("login.title")}</h1>
      <p>{t("login.how")}</p>
      <pre class="command" tabIndex={0}>warifu web code --site …</pre>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Field label={t("login.code")} hint={t("login.hint")} error={problem}>
          {(ids) => (
            <input
              {...ids}
              class="code"
              value={code}
              autocomplete="one-time-code"
              autocapitalize="characters"
              spellcheck={false}
              maxLength={12}
              required
              autofocus
              onInput={(event) => set_code(event.currentTarget.value.toUpperCase())}
            />
          )}
        </Field>
        <Button kind="primary" type="submit" disabled={busy || code.length < 8}>
          {t("login.submit")}
        </Button>
      </form>
      <p class="note below">{t("mode.computational_loopback")}</p>
      <Choices />
    </main>
  );
}
