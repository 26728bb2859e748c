import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  closeCompletion,
  completionKeymap,
} from "@codemirror/autocomplete";
import {defaultKeymap, history, historyKeymap} from "@codemirror/commands";
import {bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting} from "@codemirror/language";
import {lintKeymap, setDiagnostics} from "@codemirror/lint";
import {EditorState, Prec} from "@codemirror/state";
import {drawSelection, EditorView, keymap, placeholder} from "@codemirror/view";
import {tags} from "@lezer/highlight";
import {LanguageType, type LintStrategy, PromQLExtension, promQLLanguage} from "@prometheus-io/codemirror-promql";
import {type ReactNode, useEffect, useRef} from "react";
import {baseUrl} from "../api.ts";
import type {ParseError} from "../parse-error.ts";
import {plainFunctions} from "./extended-functions.ts";

/** Colours come from the style sheet, so that the editor follows the theme without being rebuilt. */
const highlight = HighlightStyle.define([
  {tag: tags.function(tags.variableName), color: "var(--code-function)"},
  {tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600"},
  {tag: tags.operatorKeyword, color: "var(--code-keyword)", fontWeight: "600"},
  {tag: tags.modifier, color: "var(--code-keyword)"},
  {tag: tags.string, color: "var(--code-string)"},
  {tag: tags.number, color: "var(--code-number)"},
  {tag: tags.labelName, color: "var(--code-label)"},
  {tag: tags.comment, color: "var(--muted)", fontStyle: "italic"},
  {tag: tags.invalid, color: "var(--danger)"},
]);

type Props = {
  readonly value: string;
  readonly label: string;
  readonly focus: boolean;
  /** Go with requests for completions: the tenant. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the server found wrong with the expression shown. */
  readonly fault: ParseError | undefined;
  readonly onChange: (text: string) => void;
  readonly onExecute: () => void;
};

/** A PromQL editor: completion from the server's own names, errors underlined, Shift or Ctrl + Enter executes. */
export function ExpressionEditor({value, label, focus, headers, fault, onChange, onExecute}: Props): ReactNode {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({headers, onChange, onExecute});
  latest.current = {headers, onChange, onExecute};
  const initial = useRef({value, label, focus});

  useEffect(() => {
    const {value: doc, label: name, focus: autofocus} = initial.current;
    const execute = (target: EditorView): boolean => {
      // Also one that is still being asked for: nobody wants it over the answer.
      closeCompletion(target);
      latest.current.onExecute();
      return true;
    };
    const promql = new PromQLExtension();
    promql.setLinter(knowingExtended(promql.getLinter())).setComplete({
      remote: {
        url: baseUrl().replace(/\/$/, ""),
        httpMethod: "GET",
        // Completion is a help: without the server it just knows fewer names.
        httpErrorHandler: () => undefined,
        fetchFn: (input, init) => fetch(input, withHeaders(init, latest.current.headers)),
      },
    });
    const editor = new EditorView({
      parent: host.current as HTMLDivElement,
      state: EditorState.create({
        doc,
        selection: {anchor: doc.length},
        extensions: [
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({icons: false}),
          EditorView.lineWrapping,
          placeholder("Expression, such as sum by (job) (rate(http_requests_total[5m]))"),
          syntaxHighlighting(highlight),
          promql.asExtension(),
          Prec.highest(
            keymap.of([
              {key: "Shift-Enter", run: execute},
              {key: "Ctrl-Enter", run: execute},
              {key: "Mod-Enter", run: execute},
            ]),
          ),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
          EditorView.contentAttributes.of({"aria-label": name, spellcheck: "false", autocapitalize: "off"}),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    if (autofocus) editor.focus();
    return () => editor.destroy();
  }, []);

  // What is picked from the history, or moves up from below, is shown; what is typed comes from here itself.
  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || editor.state.doc.toString() === value) return;
    editor.dispatch({changes: {from: 0, to: editor.state.doc.length, insert: value}});
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor === undefined || fault === undefined) return;
    const at = Math.min(fault.index, editor.state.doc.length);
    const to = Math.min(at + 1, editor.state.doc.length);
    const diagnostic = {from: Math.min(at, to), to, severity: "error" as const, message: fault.message};
    editor.dispatch(setDiagnostics(editor.state, [diagnostic]));
  }, [fault]);

  return <div className="editor" ref={host} />;
}

/** A linter that finds nothing wrong with Thanos' extended functions. */
const knowingExtended = (linter: LintStrategy): LintStrategy => ({
  promQL: () => {
    const lint = linter.promQL();
    return (view) => {
      const text = view.state.doc.toString();
      const doc = plainFunctions(text);
      if (doc === text) return lint(view);
      // The linter reads nothing of a view but its state.
      const state = EditorState.create({doc, extensions: promQLLanguage(LanguageType.PromQL)});
      return lint({state} as EditorView);
    };
  },
});

function withHeaders(init: RequestInit | undefined, extra: Readonly<Record<string, string>>): RequestInit {
  const headers = new Headers(init?.headers);
  for (const [name, value] of Object.entries(extra)) headers.set(name, value);
  return {...init, headers};
}
