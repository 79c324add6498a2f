// igv.js as this page uses it: one reference, one track, nothing from elsewhere.
import { install_policy } from "./trusted";

/** What POST /v1/views answers. */
export interface View {
  view: string;
  path: string;
  token: string;
  expires: string;
  regions: string[];
  records: number;
  bytes: number;
  datatype: string;
}

export interface Place {
  reference: string;
  start: number;
  end: number;
  name: string;
}

/** "GRCh38:chr17:43044295-43125364=BRCA1" */
export function place_of(region: string): Place | null {
  const found = /^[^:]+:(.+):(\d+)-(\d+)(?:=(.*))?$/.exec(region);
  if (!found) return null;
  return { reference: found[1] ?? "", start: Number(found[2]), end: Number(found[3]), name: found[4] ?? "" };
}

/** What is shown first of a region: all of it, or its beginning where reads would not be drawn. */
export const MOST_SHOWN = 30_000;
export function locus_of(place: Place): string {
  return `${place.reference}:${place.start}-${Math.min(place.end, place.start + MOST_SHOWN - 1)}`;
}

export interface Shown {
  go: (place: Place) => Promise<void>;
  /** Reads that are loaded now; what tests and the text beside the picture ask for. */
  loaded: () => number;
  remove: () => void;
}

interface Alignments {
  hasAlignments?: boolean;
  allAlignments?: () => unknown[];
}
interface TrackView {
  track: { type?: string; config?: { name?: string } };
  viewports: { featureCache?: { features?: Alignments }; cachedFeatures?: Alignments }[];
}
interface Browser {
  trackViews: TrackView[];
  search: (locus: string) => Promise<boolean>;
}

let policy_is_there = false;

/** `reference`: FASTA text of the consented regions (GET /v1/views/{view}/reference). */
export async function show_reads(
  element: HTMLElement,
  view: View,
  reference: string,
  names: { track: string; zoom: string },
): Promise<Shown> {
  if (!policy_is_there) install_policy();
  policy_is_there = true;
  const { default: igv } = await import("igv");
  const first = view.regions.map(place_of).find((one) => one !== null);
  const browser = (await igv.createBrowser(element, {
    loadDefaultGenomes: false,
    reference: {
      id: "consented",
      name: "consented",
      fastaURL: `data:text/plain;base64,${btoa(reference)}`,
      wholeGenomeView: false,
    },
    ...(first ? { locus: locus_of(first) } : {}),
    showCenterGuideButton: false,
    showCursorTrackingGuideButton: false,
    showSampleNameButton: false,
    showROITableButton: false,
    showSVGButton: false,
    showTrackLabelButton: false,
    showMultiSelectButton: false,
    tracks: [
      {
        type: "alignment",
        sourceType: "htsget",
        format: "bam",
        name: names.track,
        url: view.path,
        headers: { Authorization: `Bearer ${view.token}` },
        height: 420,
        visibilityWindow: MOST_SHOWN,
      },
    ],
  } as unknown as Parameters<typeof igv.createBrowser>[1])) as unknown as Browser;
  // igv.js gives its slider no name.
  for (const slider of element.shadowRoot?.querySelectorAll("input[type=range]") ?? []) {
    slider.setAttribute("aria-label", names.zoom);
  }
  return {
    go: async (place) => void (await browser.search(locus_of(place))),
    loaded: () => {
      let count = 0;
      for (const one of browser.trackViews.filter((track) => track.track.type === "alignment")) {
        for (const viewport of one.viewports) {
          count += (viewport.featureCache?.features ?? viewport.cachedFeatures)?.allAlignments?.().length ?? 0;
        }
      }
      return count;
    },
    remove: () => igv.removeBrowser(browser as never),
  };
}
