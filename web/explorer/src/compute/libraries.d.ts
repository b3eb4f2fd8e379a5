// Types of what graphology's layout does not declare.

declare module 'graphology-layout-forceatlas2/iterate.js' {
  /** One step over the library's matrices of nodes and edges, in place. */
  export default function iterate(settings: object, nodes: Float32Array, edges: Float32Array): unknown;
}
