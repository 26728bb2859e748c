import {createRoot} from "react-dom/client";
import {App} from "./app.tsx";
import "uplot/dist/uPlot.min.css";
import "./styles/base.css";
import "./styles/parts.css";
import "./styles/blocks.css";
import "./styles/query.css";
import "./styles/explain.css";
import "./styles/rules.css";
import {applyTheme} from "./theme.ts";

applyTheme();
const root = document.getElementById("root");
if (root === null) throw new Error("BUG: no root element");
createRoot(root).render(<App />);
