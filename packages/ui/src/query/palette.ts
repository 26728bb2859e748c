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

/** How much of an area is its line's colour; the rest is the background's, `--surface`. */
const AREA_SHARE = 0.45;
const BACKGROUND = {light: [0xff, 0xff, 0xff], dark: [0x18, 0x1d, 0x21]} as const;

/** The colour of the area below the line of series `i`. It is opaque: what lies beneath must not show through. */
export function areaColour(i: number, dark: boolean): string {
  const line = Number.parseInt(lineColour(i, dark).slice(1), 16);
  const mixed = BACKGROUND[dark ? "dark" : "light"].map((back, at) => {
    const own = (line >> (16 - 8 * at)) & 0xff;
    return Math.round(AREA_SHARE * own + (1 - AREA_SHARE) * back);
  });
  return `rgb(${mixed.join(" ")})`;
}

/** The colour of series `i`. */
export function lineColour(i: number, dark: boolean): string {
  const colours = dark ? DARK : LIGHT;
  return colours[i % colours.length] as string;
}
