// Reads graphs in Graphviz's language from standard input, a form feed between two, and writes them as SVG to standard
// output in the same order, a form feed between two.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

const viz = await instance();
const drawn = readFileSync(0, "utf8")
  .split("\f")
  .map((graph) => viz.renderString(graph, { format: "svg", engine: "dot" }))
  .map((svg) => svg.slice(svg.indexOf("<svg")));
process.stdout.write(drawn.join("\f"));
