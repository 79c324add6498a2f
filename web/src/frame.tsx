// The frame around a page: navigation by role, whether the figures live, what the site is not.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useTexts } from "./i18n";
import { clock, listed } from "./lib/format";
import { connection, heard } from "./lib/live";
import { Link, match, usePlace } from "./lib/router";
import { may, session } from "./lib/session";
import { language, theme, type Language, type Theme } from "./lib/settings";
import { useStore } from "./lib/store";
import { pages } from "./pages";
import { Button } from "./ui/basic";
import { Overlays } from "./ui/dialog";
import { Rules } from "./ui/factor";

const SIMULATED = ["SIMULATED_CLICKS", "RATE_MODEL"];

export function Choices() {
  const { t } = useTexts();
  const lang = useStore(language);
  const colours = useStore(theme);
  return (
    <div class="choices">
      <label>
        <span class="hidden">{t("settings.language")}</span>
        <select value={lang} onChange={(event) => language.set(event.currentTarget.value as Language)}>
          <option value="en" lang="en">English</option>
          <option value="ja" lang="ja">日本語</option>
        </select>
      </label>
      <label>
        <span class="hidden">{t("settings.theme")}</span>
        <select value={colours} onChange={(event) => theme.set(event.currentTarget.value as Theme)}>
          <option value="auto">{t("settings.theme.auto")}</option>
          <option value="light">{t("settings.theme.light")}</option>
          <option value="dark">{t("settings.theme.dark")}</option>
        </select>
      </label>
    </div>
  );
}

function LiveSign() {
  const { t } = useTexts();
  const state = useStore(connection);
  const text = state === "lost" ? t("live.lost", { time: clock(heard.get()) }) : t(`live.${state}`);
  return (
    <p class={`live live-${state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </p>
  );
}

/** What is simulated, computational or open here, in words, on every page. */
function Honesty() {
  const { t, name } = useTexts();
  const who = useStore(session);
  if (!who) return null;
  const simulated = who.key_origins.filter((origin) => SIMULATED.includes(origin));
  const lines = [
    who.over === "tls" ? t("mode.computational_tls") : t("mode.computational_loopback"),
    ...(who.single_operator ? [t("mode.single_operator")] : []),
    ...(simulated.length
      ? [t("mode.simulated", { origins: listed(simulated.map((origin) => name("origin", origin))) })]
      : []),
    ...(who.unlocked_secret_memory ? [t("mode.unlocked")] : []),
  ];
  return (
    <aside class="honesty" aria-label={t("mode.about")}>
      <ul>
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </aside>
  );
}

function Navigation(props: { open: boolean }) {
  const { t } = useTexts();
  const { path } = usePlace();
  const who = useStore(session);
  return (
    <nav id="navigation" class={props.open ? "navigation open" : "navigation"} aria-label={t("app.pages")}>
      <ul>
        {pages
          .filter((page) => page.in_navigation && may(who, page.roles))
          .map((page) => (
            <li key={page.path}>
              <Link to={page.path} {...(match(page.path, path) ? { "aria-current": "page" } : {})}>
                {t(page.title)}
              </Link>
            </li>
          ))}
      </ul>
    </nav>
  );
}

export function Frame(props: { children: ComponentChildren }) {
  const { t } = useTexts();
  const who = useStore(session);
  const { path } = usePlace();
  const [open, set_open] = useState(false);
  useEffect(() => set_open(false), [path]);
  return (
    <>
      <a class="skip" href="#content" onClick={(event) => {
        event.preventDefault();
        document.getElementById("content")?.focus();
      }}>
        {t("app.skip")}
      </a>
      <header class="top">
        <Button kind="quiet" class="menu" aria-expanded={open} aria-controls="navigation" onClick={() => set_open(!open)}>
          {t("app.menu")}
        </Button>
        <p class="brand">
          <span class="mark" aria-hidden="true" />
          <strong>{t("app.name")}</strong>
          <span class="where">{t("app.site", { site: who?.site ?? "" })}</span>
        </p>
        <LiveSign />
        <Choices />
      </header>
      <div class="body">
        <Navigation open={open} />
        <main id="content" tabIndex={-1}>
          {props.children}
        </main>
      </div>
      <Honesty />
      <Overlays />
      <Rules />
    </>
  );
}
