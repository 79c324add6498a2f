// Server-sent events and the tables that they change. Pure.

export type Table<Row> = ReadonlyMap<string, Row>;

/** What one event says of a table (src/api/event_table.h). */
export interface Change {
  full?: boolean;
  set?: { id: string }[];
  gone?: string[];
}

export function changed<Row extends { id: string }>(now: Table<Row>, change: Change): Table<Row> {
  const next = new Map(change.full ? [] : now);
  for (const row of change.set ?? []) next.set(row.id, row as Row);
  for (const id of change.gone ?? []) next.delete(id);
  return next;
}

export interface ServerEvent {
  id: string;
  event: string;
  data: string;
}

/** Cuts a stream of server-sent events, which comes in pieces of any size, into events. */
export class EventReader {
  private rest = "";
  push(text: string): ServerEvent[] {
    const parts = (this.rest + text).split("\n\n");
    this.rest = parts.pop() ?? "";
    return parts.map((part) => {
      const event: ServerEvent = { id: "", event: "", data: "" };
      for (const line of part.split("\n")) {
        const at = line.indexOf(": ");
        const name = line.slice(0, at);
        if (at > 0 && name in event) event[name as keyof ServerEvent] += line.slice(at + 2);
      }
      return event;
    });
  }
}
