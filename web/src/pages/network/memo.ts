// A component that renders again only when its properties differ.
import { Component, type ComponentChild, type FunctionComponent, h } from "preact";

export function memo<P extends object>(
  inner: (props: P) => ComponentChild,
  same: (x: P, y: P) => boolean,
): FunctionComponent<P> {
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: P): boolean {
      return !same(this.props as P, next);
    }
    override render() {
      return h(inner as FunctionComponent<P>, this.props as P);
    }
  }
  return Memo as unknown as FunctionComponent<P>;
}
