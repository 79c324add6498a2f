// What has no event of its own is looked at again while the page is seen.
import { useEffect } from "preact/hooks";

export function useEvery(ms: number, work: () => void): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) work();
    }, ms);
    return () => clearInterval(timer);
  }, [ms, work]);
}
