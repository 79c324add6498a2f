// What a person has chosen for this browser: language and theme. Kept in localStorage.
import { Store } from "./store";

export type Language = "en" | "ja";
export type Theme = "auto" | "light" | "dark";

function kept(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return ""; // storage may be forbidden; then choices last as long as the page
  }
}

export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch {
    // as above
  }
}

function first_language(): Language {
  const chosen = kept("warifu.language");
  if (chosen === "en" || chosen === "ja") return chosen;
  return navigator.language.startsWith("ja") ? "ja" : "en";
}

function first_theme(): Theme {
  const chosen = kept("warifu.theme");
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

export const language = new Store<Language>(first_language());
export const theme = new Store<Theme>(first_theme());
/** The page's half of the session (web/sessions.h); the other one is a cookie. */
export const session_key = new Store<string>(kept("warifu.key"));

const system_is_dark = matchMedia("(prefers-color-scheme: dark)");

function apply(): void {
  const is_dark = theme.get() === "dark" || (theme.get() === "auto" && system_is_dark.matches);
  document.documentElement.lang = language.get();
  document.documentElement.dataset["theme"] = is_dark ? "dark" : "light";
}
apply();
system_is_dark.addEventListener("change", apply);
language.follow(() => {
  keep("warifu.language", language.get());
  apply();
});
theme.follow(() => {
  keep("warifu.theme", theme.get());
  apply();
});
session_key.follow(() => keep("warifu.key", session_key.get() || null));
