/** CPU time of this thread in ms: other processes on the machine do not count. */
function cpuMs(): number {
  const {user, system} = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Median ns of this thread's CPU time per item of `run`, which handles `items` items a call. Warms up first, then takes
 * the median of rounds of about 20 ms each.
 */
export function nsPerItem(items: number, run: () => void, rounds = 15): number {
  const warmUntil = cpuMs() + 150;
  let calls = 0;
  while (cpuMs() < warmUntil) {
    run();
    calls++;
  }
  const perRound = Math.max(1, Math.ceil((calls * 20) / 150));
  const times: number[] = [];
  for (let r = 0; r < rounds; r++) {
    const start = cpuMs();
    for (let i = 0; i < perRound; i++) run();
    times.push(((cpuMs() - start) * 1e6) / (perRound * items));
  }
  return times.sort((a, b) => a - b)[rounds >> 1] as number;
}

/** One line: name, kernel and twin in ns per item, how many times faster the kernel is. */
export function printPair(name: string, kernel: number, twin: number, unit = "ns/item"): void {
  const ratio = (twin / kernel).toFixed(2);
  console.log(
    `${name.padEnd(34)} kernel ${kernel.toFixed(2).padStart(9)}  twin ${twin.toFixed(2).padStart(9)} ${unit}  ${ratio}×`,
  );
}
