import {queryEscape} from "./template/text-functions.ts";

/** What stands behind an address to show an expression: `template` with `{{.Expr}}` filled in, the expression escaped. */
export const generatorPath = (template: string, query: string): string =>
  template.replace(/\{\{-?\s*\.Expr\s*-?\}\}/g, () => queryEscape(query));
