// Numbers and times as people read them, in their language. Sizes in decimal units, as the program shows
// them: 1 MB is 1,000,000 bytes.
import { language } from "./settings";

/** English without the American order of dates. */
function locale(): string {
  return language.get() === "en" ? "en-GB" : "ja-JP";
}

function number(value: number, digits = 1): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: digits }).format(value);
}

/** With so many digits behind the point at most. */
export function decimal(value: number, digits: number): string {
  return number(value, digits);
}

/** A share between 0 and 1 with up to three digits behind the point, small ones with more. */
export function fine_percent(part: number): string {
  const digits = part < 0.001 ? 3 : part < 0.1 ? 2 : 1;
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: digits }).format(part);
}

export function count(value: number): string {
  return number(value, 0);
}

/** A share between 0 and 1, with two digits that count. */
export function percent(value: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumSignificantDigits: 2 }).format(value);
}

export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (value >= 1000 && unit + 1 < units.length) {
    value /= 1000;
    ++unit;
  }
  return `${number(value, value < 10 && unit > 0 ? 2 : value < 100 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

export function rate(bits_per_second: number): string {
  const units = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"];
  let unit = 0;
  while (bits_per_second >= 1000 && unit + 1 < units.length) {
    bits_per_second /= 1000;
    ++unit;
  }
  return `${number(bits_per_second, bits_per_second < 10 && unit > 0 ? 2 : 1)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  const of = (value: number, unit: string) =>
    new Intl.NumberFormat(locale(), {
      style: "unit",
      unit,
      unitDisplay: "short",
      maximumFractionDigits: value < 10 && unit !== "second" ? 1 : 0,
    }).format(value);
  if (seconds < 90) return of(seconds, "second");
  if (seconds < 5400) return of(seconds / 60, "minute");
  if (seconds < 172_800) return of(seconds / 3600, "hour");
  if (seconds < 63_072_000) return of(seconds / 86_400, "day");
  return of(seconds / 31_536_000, "year");
}

/** Names one behind the other, as the language separates them. */
export function listed(names: readonly string[]): string {
  return names.join(language.get() === "en" ? ", " : "、");
}

export function time(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(ms);
}

export function clock(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(ms);
}

export function short_id(id: string): string {
  return id.length > 12 ? `${id.slice(0, 8)}…` : id;
}
