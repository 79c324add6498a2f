// The beginning: who looks, then the frame with the page of the address.
import { render } from "preact";
import { App } from "./app";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/frame.css";
import "./lib/settings";

const root = document.getElementById("app");
if (root) render(<App />, root);
