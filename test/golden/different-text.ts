/** Where two texts part, with what stands around it; undefined when they are equal. */
export function differentText(got: string, want: string): string | undefined {
  if (got === want) return undefined;
  let at = 0;
  while (got[at] === want[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 60), at + 100);
  return `differs at character ${at}:\n  got  ${around(got)}\n  want ${around(want)}`;
}
