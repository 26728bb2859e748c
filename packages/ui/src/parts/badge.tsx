import type {ReactNode} from "react";

/** What a badge says about its thing; colour only repeats the word. */
export type Tone = "good" | "warn" | "bad" | "calm";

const TONES: Readonly<Record<string, Tone>> = {
  ok: "good",
  up: "good",
  running: "good",
  inactive: "good",
  pending: "warn",
  waiting: "warn",
  firing: "bad",
  err: "bad",
  down: "bad",
};

/** A state as a word with a colour; its tone follows from the word unless it is given. */
export const Badge = ({state, tone}: {state: string; tone?: Tone}): ReactNode => (
  <span className={`badge ${tone ?? TONES[state] ?? "calm"}`}>{state}</span>
);
