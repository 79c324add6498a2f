// Scores and risks as the site tells them (docs/api.md), and what a plot of them needs.

export interface Plan {
  pgs_id: string;
  pgs_name: string;
  trait: string;
  citation: string;
  licence: string;
  assembly: string;
  sites: number;
  usable: number;
  outside_consent: number;
  least_coverage: number;
  uses: number;
  refusal: string;
}

export interface Score {
  pgs_id: string;
  trait: string;
  citation: string;
  licence: string;
  assembly: string;
  score: number;
  lowest: number;
  highest: number;
  sites: number;
  sites_used: number;
  coverage: number;
  missing: Record<string, number>;
  outside_consent: number;
  flipped: number;
  strand_ambiguous: number;
  mean_depth: number;
  mean_confidence: number;
  population?: { mean: number; deviation: number; z: number };
  limits: string[];
  job: string;
  computed: string;
}

export interface Point {
  age: number;
  person: number;
  population: number;
}

export interface Risk {
  model_name: string;
  disease: string;
  source: string;
  from: number;
  to: number;
  risk: number;
  population_risk: number;
  relative_to_population: number;
  score_adds: number | null;
  curve: Point[];
  limits: string[];
  computed: string;
}

export interface Kept {
  score: Score | null;
  risk: Risk | null;
  /** When the consent ends; what is kept goes then, or with the site's process. */
  kept_until: string;
}

export interface Question {
  name: string;
  from: number;
  to: number;
  en: string;
  ja: string;
  levels: string[];
  least: number;
  most: number;
}

export interface Questions {
  model: string;
  model_name: string;
  disease: string;
  source: string;
  licence: string;
  from: number;
  to: number;
  questions: Question[];
  limits: string[];
}

/** What has to be answered for a risk between two ages, each question once. */
export function asked(questions: Question[], from: number, to: number): Question[] {
  const seen = new Set<string>();
  return questions.filter((one) => {
    if (one.to <= from || one.from >= to || seen.has(one.name)) return false;
    seen.add(one.name);
    return true;
  });
}

/** A number that means yes or no says so in its own words, and is asked as that. */
const YES_NO = /\s*[((](1 yes, 0 no|はい 1、いいえ 0)[))]/;

export function is_yes_no(one: Question): boolean {
  return one.levels.length === 0 && one.least === 0 && one.most === 1 && YES_NO.test(one.en);
}

export function question_text(one: Question, language: "en" | "ja"): string {
  const text = one[language].replace(is_yes_no(one) ? YES_NO : "", "");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Round numbers from 0 to a little over `most`, at most seven of them. */
export function ticks(most: number, least = 0): number[] {
  const range = Math.max(most - least, 1e-9);
  let step = 10 ** Math.floor(Math.log10(range / 6));
  for (const factor of [2, 2.5, 2]) {
    if (range / step <= 6) break;
    step *= factor;
  }
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
