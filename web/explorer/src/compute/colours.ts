// Colours that people with any kind of colour vision tell apart, on light and dark paper: Okabe and Ito's for groups
// ("Color Universal Design", 2008) without black and yellow, viridis for scales.

export type Rgb = readonly [red: number, green: number, blue: number];

/** One for each of the largest groups. */
export const GROUPS: readonly Rgb[] = [
  [0, 114, 178],
  [230, 159, 0],
  [0, 158, 115],
  [204, 121, 167],
  [86, 180, 233],
  [213, 94, 0],
  [120, 94, 240],
];

/** All smaller groups, and what has no value. */
export const OTHERS: Rgb = [128, 122, 114];
export const NOTHING: Rgb = [176, 170, 162];

const VIRIDIS: readonly Rgb[] = [
  [68, 1, 84],
  [71, 45, 123],
  [59, 82, 139],
  [44, 114, 142],
  [33, 145, 140],
  [40, 174, 128],
  [94, 201, 98],
  [173, 220, 48],
  [253, 231, 37],
];

/** A colour of the scale at 0 to 1; what is beyond is at its end. */
export function onScale(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share || 0)) * (VIRIDIS.length - 1);
  const below = Math.min(VIRIDIS.length - 2, Math.floor(at));
  const [low, high] = [VIRIDIS[below] as Rgb, VIRIDIS[below + 1] as Rgb];
  const mix = (index: 0 | 1 | 2) => Math.round(low[index] + (high[index] - low[index]) * (at - below));
  return [mix(0), mix(1), mix(2)];
}

/** Red, green and blue of what CSS computes: `rgb(1, 2, 3)`, with or without an opacity. */
export function rgbOf(css: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (css.match(/[\d.]+/g) ?? []).map(Number);
  return [red, green, blue];
}

/** The same as CSS. */
export const cssOf = ([red, green, blue]: Rgb, opacity = 1): string =>
  opacity === 1 ? `rgb(${red}, ${green}, ${blue})` : `rgba(${red}, ${green}, ${blue}, ${opacity})`;
