/** CPU time of this thread in ms: other processes on the machine do not count. */
function cpuMs(): number {
  const {user, system} = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** A round shorter than this would measure the grain of the CPU clock, which may be ten ms. */
const ROUND_MS = 60;

/**
 * Median ns of this thread's CPU time per item of `run`, which handles `items` items a call. Doubles the calls of a round
 * until it is long enough, which also warms up, then takes the median of `rounds`.
 */
export function nsPerItem(items: number, run: () => void, rounds = 9): number {
  const measure = (calls: number): number => {
    const start = cpuMs();
    for (let i = 0; i < calls; i++) run();
    return cpuMs() - start;
  };
  let calls = 1;
  while (measure(calls) < ROUND_MS) calls *= 2;
  const times = Array.from({length: rounds}, () => (measure(calls) * 1e6) / (calls * items));
  return times.sort((a, b) => a - b)[rounds >> 1] as number;
}

/** One line: name, kernel and twin in ns per item, how many times faster the kernel is. */
export function printPair(name: string, kernel: number, twin: number, unit = "ns/item"): void {
  const ratio = (twin / kernel).toFixed(2);
  console.log(
    `${name.padEnd(34)} kernel ${kernel.toFixed(2).padStart(9)}  twin ${twin.toFixed(2).padStart(9)} ${unit}  ${ratio}×`,
  );
}
