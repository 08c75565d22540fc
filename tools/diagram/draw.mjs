// Reads a graph in Graphviz's language from standard input, writes it as SVG to standard output.
import { readFileSync } from "node:fs";
import { instance } from "@viz-js/viz";

const viz = await instance();
const svg = viz.renderString(readFileSync(0, "utf8"), { format: "svg", engine: "dot" });
process.stdout.write(svg.slice(svg.indexOf("<svg")));
