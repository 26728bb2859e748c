/** Line colours, told apart by hue and lightness also with weak colour vision; one set for each background. */
const LIGHT = [
  "#0b7285",
  "#d9480f",
  "#5f3dc4",
  "#2b8a3e",
  "#c2255c",
  "#1864ab",
  "#a17900",
  "#862e9c",
  "#087f5b",
  "#7d5a50",
];
const DARK = [
  "#3bc9db",
  "#ff922b",
  "#9775fa",
  "#51cf66",
  "#f06595",
  "#4dabf7",
  "#fcc419",
  "#da77f2",
  "#38d9a9",
  "#c9a394",
];

/** The colour of series `i`. */
export function lineColour(i: number, dark: boolean): string {
  const colours = dark ? DARK : LIGHT;
  return colours[i % colours.length] as string;
}
