// Texts in all languages, in one object per area: a text that lacks a language does not compile.
export type Texts<Key extends string> = Record<Key, string>;
export interface Area<Key extends string> {
  en: Texts<Key>;
  ja: Texts<Key>;
}

export function area<Key extends string>(en: Texts<Key>, ja: Texts<NoInfer<Key>>): Area<Key> {
  return { en, ja };
}
