import {clearInterval, setInterval} from "node:timers";

const terminal = process.stdout.isTTY === true && process.env.TERM !== "dumb";

/** How often a long step without a terminal says that it still runs. */
const reminderMs = 20_000;

export function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Runs one step of the set-up and shows that it runs: on a terminal a line with the elapsed seconds, elsewhere a plain
 * line at its start, every 20 s and at its end.
 */
export async function step(title, fn) {
  const started = Date.now();
  const seconds = () => ((Date.now() - started) / 1000).toFixed(1);
  let timer;
  if (terminal) {
    const marks = "|/-\\";
    let turn = 0;
    const draw = () => process.stdout.write(`\r\x1b[2K${marks[turn++ % 4]} ${title} … ${seconds()} s`);
    draw();
    timer = setInterval(draw, 200);
  } else {
    say(`setup: ${title} …`);
    timer = setInterval(() => say(`setup: ${title}, ${seconds()} s so far`), reminderMs);
  }
  try {
    const result = await fn();
    say(`${terminal ? "\r\x1b[2K✓ " : "setup: "}${title}: done in ${seconds()} s`);
    return result;
  } catch (err) {
    say(`${terminal ? "\r\x1b[2K✗ " : "setup: "}${title}: failed after ${seconds()} s`);
    throw err;
  } finally {
    clearInterval(timer);
  }
}

/** An error whose message alone is shown; anything else is a bug of the set-up and shows its stack. */
export class SetupError extends Error {}
