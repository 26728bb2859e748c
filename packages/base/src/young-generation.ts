import {setFlagsFromString} from "node:v8";

/** V8's own factor. */
const GROWS = 2;

let holders = 0;

/**
 * Keeps V8's young generation at the size it has, in all of the process, until each holder has called what it was given. It
 * takes up to three semi-spaces of 16 MiB, however little lives in it, and does not give them back soon.
 */
export function holdYoungGeneration(): () => void {
  if (holders++ === 0) setFlagsFromString("--semi-space-growth-factor=1");
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    if (--holders === 0) setFlagsFromString(`--semi-space-growth-factor=${GROWS}`);
  };
}
