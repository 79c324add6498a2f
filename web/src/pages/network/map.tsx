// The map: sites and links in SVG. A picture for the eyes; tables beside it say the same in words and
// can be worked with by keyboard. A line is drawn again only when its figures have changed.
import { memo } from "./memo";
import { bytes } from "../../lib/format";
import { useTexts } from "../../i18n";
import type { SiteRow } from "../../lib/live";
import { HEIGHT, type NetLink, type Spot, thickness, WIDTH } from "./model";

const LABELS = 16; // links up to which each one has its figure beside it
const NAMES = 60;

interface LineProps {
  link: NetLink;
  from: Spot;
  to: Spot;
  chosen: boolean;
  label: boolean;
  choose: (id: string) => void;
}

function same_line(x: LineProps, y: LineProps): boolean {
  return (
    x.from === y.from &&
    x.to === y.to &&
    x.chosen === y.chosen &&
    x.label === y.label &&
    x.choose === y.choose &&
    x.link.health === y.link.health &&
    x.link.residual === y.link.residual
  );
}

const Line = memo(function Line({ link, from, to, chosen, label, choose }: LineProps) {
  const { t } = useTexts();
  const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
  const text = link.residual === null ? "" : bytes(link.residual);
  // A little away from the middle, so that crossing links do not put their figures on one spot.
  const at = { x: from.x + (to.x - from.x) * 0.42, y: from.y + (to.y - from.y) * 0.42 };
  return (
    <g class={`link link-${link.health} link-${link.class} ${chosen ? "link-chosen" : ""}`} onClick={() => choose(link.id)}>
      <title>{`${t("network.link_of", { a: link.a, b: link.b })} ${text}`}</title>
      <line class="grip" {...ends} />
      <line class="line" {...ends} stroke-width={thickness(link.residual)} />
      {label && text && (
        <text class="figure" x={at.x} y={at.y} dy="-0.4em" text-anchor="middle">
          {text}
        </text>
      )}
    </g>
  );
}, same_line);

interface NodeProps {
  site: SiteRow;
  spot: Spot;
  shares: string;
  named: boolean;
  small: boolean;
}

const ANCHORS = { left: "end", right: "start", below: "middle", above: "middle" } as const;
const SHIFT = { left: [-22, 5], right: [22, 5], below: [0, 36], above: [0, -24] } as const;

const Node = memo(
  function Node({ site, spot, shares, named, small }: NodeProps) {
    const { name } = useTexts();
    const [dx, dy] = SHIFT[spot.side];
    const r = small ? 4 : site.controller ? 16 : 13;
    return (
      <g class={`site site-${site.state} ${shares ? "site-holds" : ""}`}>
        <title>{`${site.site}: ${name("site", site.state)} ${shares}`}</title>
        <circle cx={spot.x} cy={spot.y} r={r} />
        {site.controller && !small && <circle class="inner" cx={spot.x} cy={spot.y} r={r - 6} />}
        {site.state === "silent" && (
          <path
            class="cross"
            d={`M${spot.x - 6} ${spot.y - 6}l12 12m0 -12l-12 12`}
          />
        )}
        {named && (
          <text x={spot.x + dx} y={spot.y + dy} text-anchor={ANCHORS[spot.side]}>
            {site.site}
            {shares && <tspan class="shares">{` ${shares}`}</tspan>}
          </text>
        )}
      </g>
    );
  },
  (x, y) => x.site === y.site && x.spot === y.spot && x.shares === y.shares && x.named === y.named,
);

export function NetworkMap(props: {
  sites: SiteRow[];
  links: NetLink[];
  spots: Map<string, Spot>;
  chosen: string;
  /** Letters of the shown object's shares at each site. */
  shares: Map<string, string>;
  choose: (id: string) => void;
}) {
  const { t } = useTexts();
  const { sites, links, spots } = props;
  const low = links.filter((link) => link.health === "low" || link.health === "empty").length;
  const text = t("network.map_text", {
    sites: sites.length,
    silent: sites.filter((site) => site.state === "silent").length,
    links: links.length,
    low,
  });
  return (
    <svg class="map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={text} data-links={links.length}>
      {links.map((link) => {
        const [from, to] = [spots.get(link.a), spots.get(link.b)];
        if (!from || !to) return null;
        return (
          <Line
            key={link.id}
            link={link}
            from={from}
            to={to}
            chosen={link.id === props.chosen}
            label={links.length <= LABELS}
            choose={props.choose}
          />
        );
      })}
      {sites.map((site) => {
        const spot = spots.get(site.site);
        if (!spot) return null;
        return (
          <Node
            key={site.id}
            site={site}
            spot={spot}
            shares={props.shares.get(site.site) ?? ""}
            named={sites.length <= NAMES}
            small={sites.length > NAMES}
          />
        );
      })}
    </svg>
  );
}

export function Legend() {
  const { t } = useTexts();
  const line = (kind: string, text: string) => (
    <li>
      <svg viewBox="0 0 40 12" width="40" height="12" aria-hidden="true">
        <g class={`link ${kind}`}>
          <line class="line" x1="2" y1="6" x2="38" y2="6" stroke-width="3" />
        </g>
      </svg>
      {text}
    </li>
  );
  return (
    <ul class="legend" aria-label={t("network.legend")}>
      {line("link-unknown link-qkd", t("network.line.qkd"))}
      {line("link-unknown link-preshared", t("network.line.preshared"))}
      {line("link-unknown link-relayed", t("network.line.relayed"))}
      {line("link-ready", t("network.line.ready"))}
      {line("link-low", t("network.line.low"))}
      {line("link-empty", t("network.line.empty"))}
      {line("link-unknown", t("network.line.unknown"))}
    </ul>
  );
}
