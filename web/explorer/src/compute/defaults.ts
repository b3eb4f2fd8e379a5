// The bounds and defaults of the graph and the map, in one place.

/** What the graph page holds and asks for at most. */
export const GRAPH = {
  /** Documents and edges in view: beyond that nothing is added, and the page says so. */
  nodesMax: 50_000,
  edgesMax: 200_000,
  /** How many documents a start asks for, and the choices. */
  startChoices: [100, 1_000, 10_000, 50_000],
  start: 1_000,
  depth: 2,
  depthMax: 6,
  /** How many edges one expansion asks for. */
  expand: 200,
  /** How many documents' histories are read at once when time is opened, and how many requests go on together. */
  histories: 200,
  together: 4,
  /** Nearest documents that are overlaid on one document. */
  neighbours: 8,
  /** Rows of the list of nodes that are in the page at once. */
  rows: 60,
  /** For how long a layout runs by itself, in milliseconds. */
  layoutMs: 6_000,
  /** How long playing all of the history takes, in milliseconds. */
  playMs: 12_000,
  /** Up to so many documents are written into an SVG. */
  svgMax: 20_000,
} as const;

/** What the map page reads and computes at most. */
export const MAP = {
  sampleChoices: [1_000, 5_000, 10_000, 20_000],
  sample: 5_000,
  /** Components of all vectors together: 256 MiB of them. */
  componentsMax: 67_108_864,
  /** Documents in one page of a read. */
  page: 1_000,
  /** Ids of a lasso that go into the address and the clipboard. */
  idsMax: 10_000,
  /** Rows of a lasso's list in the page at once. */
  rows: 60,
} as const;

/** How vectors are projected. */
export const PCA = {
  seed: 20_240_517,
  /** The axes are found from so many vectors, evenly spread; all are projected. */
  fitMax: 4_000,
  /** Directions that are followed together: two are wanted, the rest makes them converge. */
  block: 6,
  rounds: 24,
} as const;

/** How a graph is laid out. */
export const LAYOUT = {
  seed: 7,
  /** From so many nodes on, far ones repel as one. */
  barnesHutFrom: 1_000,
  /** The worker tells positions when so many milliseconds of work have passed. */
  sliceMs: 30,
  /** It ends when nodes move less than this share of the picture in a step, on average. */
  still: 0.0002,
} as const;

/** How things look, in pixels of the page. */
export const LOOK = {
  radius: 4,
  radiusMax: 14,
  edge: 1.2,
  edgeStrong: 3,
  /** How near the pointer has to be to a node's centre, at least. */
  reach: 8,
  labels: 60,
  labelCell: 110,
  labelLength: 32,
} as const;
