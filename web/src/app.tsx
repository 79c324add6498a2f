// Which of three things is shown: the login, a problem, or the frame with a page in it.
import type { ComponentType } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Frame } from "./frame";
import { useTexts } from "./i18n";
import { logged_in } from "./lib/api";
import { listed } from "./lib/format";
import { want_live } from "./lib/live";
import { Link, match, usePlace } from "./lib/router";
import { load_session, may, session } from "./lib/session";
import { useStore } from "./lib/store";
import { type Page, type PageProps, pages } from "./pages";
import { Login } from "./pages/login/login";
import { Loading, Problem } from "./ui/basic";

const loaded = new Map<string, ComponentType<PageProps>>();

function usePage(page: Page | undefined): { component: ComponentType<PageProps> | null; problem: unknown } {
  const [, again] = useState(0);
  const [problem, set_problem] = useState<unknown>(null);
  const path = page?.path;
  useEffect(() => {
    set_problem(null);
    if (!page || loaded.has(page.path)) return;
    page.load().then((module) => {
      loaded.set(page.path, module.default);
      again((n) => n + 1);
    }, set_problem);
  }, [path]);
  return { component: (path !== undefined && loaded.get(path)) || null, problem };
}

function Message(props: { title: string; text: string }) {
  const { t } = useTexts();
  return (
    <div class="message">
      <h1 tabIndex={-1}>{props.title}</h1>
      <p>{props.text}</p>
      <p>
        <Link to="/">{t("error.home")}</Link>
      </p>
    </div>
  );
}

function CurrentPage() {
  const { t, name } = useTexts();
  const { path } = usePlace();
  const who = useStore(session);
  const page = pages.find((one) => match(one.path, path));
  const { component: Component, problem } = usePage(page);
  const before = useRef(path);
  const title = page ? t(page.title) : t("error.not_found");
  useEffect(() => {
    document.title = `${title} – ${who?.site ?? ""} – ${t("app.name")}`;
  }, [title, who]);
  // After going to another page the focus is at its heading, as after a page load.
  useEffect(() => {
    if (before.current === path || !Component) return;
    before.current = path;
    document.querySelector<HTMLElement>("main h1")?.focus();
    window.scrollTo(0, 0);
  }, [path, Component]);
  if (!page) return <Message title={title} text={t("error.not_found_text", { path })} />;
  if (!may(who, page.roles)) {
    const roles = listed((page.roles ?? []).map((role) => name("role", role)));
    return <Message title={t("error.role")} text={t("error.role_text", { roles })} />;
  }
  if (problem) return <Problem problem={problem} />;
  if (!Component) return <Loading />;
  return <Component key={page.path} parameters={match(page.path, path) ?? {}} />;
}

export function App() {
  const who = useStore(session);
  const inside = useStore(logged_in);
  const [problem, set_problem] = useState<unknown>(null);
  const load = () => {
    set_problem(null);
    load_session().catch((failure: unknown) => {
      if (logged_in.get()) set_problem(failure);
    });
  };
  useEffect(load, []);
  const here = inside && who !== null;
  useEffect(() => want_live(here), [here]);
  if (!inside) return <Login />;
  if (problem) {
    return (
      <main class="alone">
        <Problem problem={problem} retry={load} />
      </main>
    );
  }
  if (!who) {
    return (
      <main class="alone">
        <Loading />
      </main>
    );
  }
  return (
    <Frame>
      <CurrentPage />
    </Frame>
  );
}
