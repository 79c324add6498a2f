// Values that components follow: a store, and a hook that reads it.
import { useEffect, useState } from "preact/hooks";

export class Store<T> {
  private followers = new Set<() => void>();
  constructor(private value: T) {}

  get(): T {
    return this.value;
  }
  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const one of [...this.followers]) one();
  }
  follow(follower: () => void): () => void {
    this.followers.add(follower);
    return () => this.followers.delete(follower);
  }
}

/** The store's value; the component renders again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, again] = useState(0);
  useEffect(() => {
    const follower = () => again((n) => n + 1);
    const leave = store.follow(follower);
    follower(); // it may have changed before this effect
    return leave;
  }, [store]);
  return store.get();
}
