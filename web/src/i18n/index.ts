// t("key", {name: value}): a text in the language that was chosen.
import { language, type Language } from "../lib/settings";
import { useStore } from "../lib/store";
import { areas } from "./areas";

type Areas = typeof areas;
export type Key = { [A in keyof Areas]: keyof Areas[A]["en"] }[keyof Areas];

const texts: Record<Language, Record<string, string>> = { en: {}, ja: {} };
for (const one of Object.values(areas)) {
  Object.assign(texts.en, one.en);
  Object.assign(texts.ja, one.ja);
}

export type Values = Record<string, string | number>;

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export type Translate = (key: Key, values?: Values) => string;

export function translate(lang: Language, key: Key, values: Values = {}): string {
  return fill(texts[lang][key] ?? key, values);
}

/** For names that come from the site (states, roles, kinds): `otherwise` when none is known. */
export function translate_name(lang: Language, key: string, otherwise: string): string {
  return texts[lang][key] ?? otherwise;
}

export function useTexts(): { t: Translate; name: (prefix: string, value: string) => string } {
  const lang = useStore(language);
  return {
    t: (key, values) => translate(lang, key, values),
    name: (prefix, value) => translate_name(lang, `${prefix}.${value}`, value),
  };
}
