import {readFileSync} from "node:fs";
import {writeFileWhole} from "./stamp.mjs";

/** The text with what stands between `<!-- name: begin -->` and `<!-- name: end -->` replaced. */
export function replaceMarked(text, name, body) {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`cannot find ${begin} before ${end}`);
  return `${text.slice(0, from + begin.length)}\n${body.trim()}\n${text.slice(to)}`;
}

export function writeMarked(path, name, body) {
  writeFileWhole(path, replaceMarked(readFileSync(path, "utf8"), name, body));
}
