// A table with headings that sort, and at most `most` rows until somebody wants more.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useTexts } from "../i18n";
import { Button, Empty } from "./basic";

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ComponentChildren;
  /** What the column sorts by; without it, it does not. */
  by?: (row: Row) => string | number;
  numeric?: boolean;
  /** A moment: kept on one line. */
  time?: boolean;
}

export function DataTable<Row extends { id: string }>(props: {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  empty: string;
  most?: number;
  chosen?: string;
}) {
  const { t } = useTexts();
  const [sort, set_sort] = useState<{ column: number; down: boolean } | null>(null);
  const [most, set_most] = useState(props.most ?? 50);
  if (props.rows.length === 0) return <Empty>{props.empty}</Empty>;
  let rows = props.rows;
  const by = sort && props.columns[sort.column]?.by;
  if (by) {
    const sign = sort.down ? -1 : 1;
    rows = [...rows].sort((x, y) => {
      const [a, b] = [by(x), by(y)];
      return a === b ? 0 : sign * (a < b ? -1 : 1);
    });
  }
  const order = (i: number) => (sort?.column === i ? (sort.down ? "descending" : "ascending") : "none");
  const turn = (i: number) => set_sort({ column: i, down: sort?.column === i && !sort.down });
  return (
    <div class="table-box" tabIndex={0} role="group" aria-label={props.caption}>
      <table>
        <caption class="hidden">{props.caption}</caption>
        <thead>
          <tr>
            {props.columns.map((column, i) => (
              <th key={column.name} scope="col" class={column.numeric ? "number" : ""} {...(column.by ? { "aria-sort": order(i) } : {})}>
                {column.by ? (
                  <button type="button" class="sort" onClick={() => turn(i)}>
                    {column.name}
                    <span aria-hidden="true" class={`arrow arrow-${order(i)}`} />
                  </button>
                ) : (
                  column.name
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((row) => (
            <tr key={row.id} class={row.id === props.chosen ? "chosen" : ""}>
              {props.columns.map((column) => (
                <td key={column.name} class={column.numeric ? "number" : column.time ? "time" : ""}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > most && (
        <p class="more">
          <Button onClick={() => set_most(most + 200)}>{t("ui.more")}</Button>
        </p>
      )}
    </div>
  );
}
