// The page that shows reads, a document of its own: igv.js needs a content policy that the other
// pages do not (trusted.ts says what it may do).
import { render } from "preact";
import "../styles/tokens.css";
import "../styles/base.css";
import "../styles/parts.css";
import "../pages/requests/requests.css";
import "./viewer.css";
import { Viewer } from "./viewer";

const root = document.getElementById("app");
if (root) render(<Viewer request={new URLSearchParams(location.search).get("request") ?? ""} />, root);
