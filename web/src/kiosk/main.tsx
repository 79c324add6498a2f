// The kiosk of persons: its key comes behind the # of the address and is taken out of it at once.
import { render } from "preact";
import { session_key } from "../lib/settings";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "./kiosk.css";
import { Kiosk } from "./kiosk";

const key = location.hash.slice(1);
if (/^[0-9a-f]{64}$/.test(key)) {
  session_key.set(key);
  history.replaceState(null, "", "/");
}
const root = document.getElementById("app");
if (root) render(<Kiosk />, root);
