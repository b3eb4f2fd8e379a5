// Draws with WebGL 2. Places are a texture that both programs look up, so that a layout's step is one upload whatever the
// number of edges, and a movement of the camera is three numbers: no pass over nodes or edges is made on the main thread.

import type { Camera } from './camera.js';
import { type Drawing, EMPTY, type Picture } from './picture.js';

/** Places in a row of the texture; every WebGL 2 has textures of 2048. */
const ROW = 1024;

const PLACE = `#version 300 es
precision highp float;
precision highp int;
uniform highp sampler2D places;
uniform vec2 size;
uniform vec3 view;
uniform float ratio;
uniform float disc;
vec2 placeOf(int node) {
  vec2 place = texelFetch(places, ivec2(node % ${ROW}, node / ${ROW}), 0).xy;
  return (place - view.xy) * view.z;
}
vec4 toClip(vec2 place) { return vec4(place * vec2(2.0, -2.0) / size, 0.0, 1.0); }
const vec4 NOWHERE = vec4(2.0, 2.0, 2.0, 1.0);
`;

const NODE = `${PLACE}
layout(location = 0) in vec4 colour;
layout(location = 1) in float radius;
out vec4 fill;
out float across;
void main() {
  fill = colour;
  across = 2.0 * radius * disc * ratio + 2.0;
  gl_PointSize = across;
  gl_Position = colour.a == 0.0 ? NOWHERE : toClip(placeOf(gl_VertexID));
}`;

/** A disc with a darker rim, which sets it off from its neighbours and from paper of any colour. */
const NODE_PIXEL = `#version 300 es
precision highp float;
in vec4 fill;
in float across;
out vec4 pixel;
void main() {
  float from = length(gl_PointCoord - 0.5) * across;
  float edge = across * 0.5 - 1.0;
  float inside = clamp(edge - from + 0.5, 0.0, 1.0);
  float rim = across < 8.0 ? 0.0 : clamp(from - edge + 2.0, 0.0, 1.0);
  float opacity = fill.a * inside;
  pixel = vec4(mix(fill.rgb, fill.rgb * 0.6, rim) * opacity, opacity);
}`;

/**
 * A band of two triangles that is widest at the source: which way an edge leads is seen without an arrow. It is a pixel wider than
 * it looks, for its sides to fade: the canvas itself has no antialiasing, which costs most where there is no GPU.
 */
const EDGE = `${PLACE}
layout(location = 0) in uvec2 ends;
layout(location = 1) in vec4 colour;
layout(location = 2) in float width;
out vec4 fill;
out float aside;
out float reach;
void main() {
  fill = colour;
  if (colour.a == 0.0) { gl_Position = NOWHERE; return; }
  vec2 source = placeOf(int(ends.x));
  vec2 target = placeOf(int(ends.y));
  vec2 way = target - source;
  vec2 side = vec2(-way.y, way.x) / max(length(way), 0.000001);
  float along = float(gl_VertexID / 2);
  float which = float(gl_VertexID % 2) * 2.0 - 1.0;
  reach = 0.5 * width * mix(1.3, 0.6, along);
  aside = which * (reach + 0.5 / ratio);
  gl_Position = toClip(mix(source, target, along) + side * aside);
}`;

const EDGE_PIXEL = `#version 300 es
precision highp float;
uniform float ratio;
in vec4 fill;
in float aside;
in float reach;
out vec4 pixel;
void main() {
  float opacity = fill.a * clamp((reach - abs(aside)) * ratio + 0.5, 0.0, 1.0);
  pixel = vec4(fill.rgb * opacity, opacity);
}`;

/** A drawing in a canvas; null where there is no WebGL 2, or a driver that does not take the programs. */
export function webglDrawing(canvas: HTMLCanvasElement): Drawing | null {
  const gl = canvas.getContext('webgl2', { alpha: true, antialias: false, premultipliedAlpha: true });
  try {
    return gl ? new WebglDrawing(canvas, gl) : null;
  } catch (error) {
    console.warn('drawn without WebGL:', error);
    return null;
  }
}

interface Program {
  program: WebGLProgram;
  view: WebGLUniformLocation | null;
  size: WebGLUniformLocation | null;
  ratio: WebGLUniformLocation | null;
  disc: WebGLUniformLocation | null;
  array: WebGLVertexArrayObject;
}

type BufferName = 'nodeColours' | 'radii' | 'ends' | 'edgeColours' | 'widths';

class WebglDrawing implements Drawing {
  readonly kind = 'webgl';
  readonly #canvas: HTMLCanvasElement;
  readonly #gl: WebGL2RenderingContext;
  #picture: Picture = EMPTY;
  #ratio = 1;
  #nodes!: Program;
  #edges!: Program;
  #buffers!: Record<BufferName, WebGLBuffer>;
  #again: () => void = () => {};
  #refused: () => void = () => {};
  readonly #lost = (event: Event) => event.preventDefault();
  readonly #restored = () => {
    try {
      this.#prepare();
    } catch {
      return this.#refused();
    }
    this.take(this.#picture);
    this.#again();
  };

  constructor(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext) {
    this.#canvas = canvas;
    this.#gl = gl;
    this.#prepare();
    canvas.addEventListener('webglcontextlost', this.#lost);
    canvas.addEventListener('webglcontextrestored', this.#restored);
  }

  take(picture: Picture): void {
    this.#picture = picture;
    const { nodes, edges } = picture;
    this.#fill('nodeColours', picture.nodeColours.subarray(0, 4 * nodes));
    this.#fill('radii', picture.radii.subarray(0, nodes));
    this.#fill('ends', picture.ends.subarray(0, 2 * edges));
    this.#fill('edgeColours', picture.edgeColours.subarray(0, 4 * edges));
    this.#fill('widths', picture.widths.subarray(0, edges));
    this.#resizePlaces();
    this.takePlaces();
  }

  takePlaces(): void {
    const gl = this.#gl;
    const { nodes, xy } = this.#picture;
    const rows = Math.floor(nodes / ROW);
    const rest = nodes - rows * ROW;
    const put = (row: number, width: number, height: number, from: number) =>
      gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, row, width, height, gl.RG, gl.FLOAT, xy, from);
    if (rows > 0) put(0, ROW, rows, 0);
    if (rest > 0) put(rows, rest, 1, 2 * rows * ROW);
  }

  draw(camera: Camera, part: number): boolean {
    const gl = this.#gl;
    gl.viewport(0, 0, this.#canvas.width, this.#canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    this.#use(this.#edges, camera);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, Math.ceil(this.#picture.edges * part));
    this.#use(this.#nodes, camera);
    gl.drawArrays(gl.POINTS, 0, this.#picture.nodes);
    return true;
  }

  resize(width: number, height: number, ratio: number): void {
    this.#ratio = ratio;
    this.#canvas.width = Math.max(1, Math.round(width * ratio));
    this.#canvas.height = Math.max(1, Math.round(height * ratio));
  }

  onLost(again: () => void, refused: () => void): void {
    this.#again = again;
    this.#refused = refused;
  }

  /** What was drawn is gone from a canvas's memory with its frame: it is drawn once more, and read at once. */
  copyTo(context: CanvasRenderingContext2D, camera: Camera): void {
    this.draw(camera, 1);
    context.drawImage(this.#canvas, 0, 0, camera.width, camera.height);
  }

  end(): void {
    this.#canvas.removeEventListener('webglcontextlost', this.#lost);
    this.#canvas.removeEventListener('webglcontextrestored', this.#restored);
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext();
  }

  #use({ program, view, size, ratio, disc, array }: Program, camera: Camera): void {
    const gl = this.#gl;
    gl.useProgram(program);
    gl.bindVertexArray(array);
    gl.uniform3f(view, camera.x, camera.y, camera.scale);
    gl.uniform2f(size, camera.width, camera.height);
    gl.uniform1f(ratio, this.#ratio);
    gl.uniform1f(disc, camera.disc);
  }

  #prepare(): void {
    const gl = this.#gl;
    this.#nodes = this.#program(NODE, NODE_PIXEL);
    this.#edges = this.#program(EDGE, EDGE_PIXEL);
    const buffer = () => gl.createBuffer();
    this.#buffers = { nodeColours: buffer(), radii: buffer(), ends: buffer(), edgeColours: buffer(), widths: buffer() };
    gl.bindVertexArray(this.#nodes.array);
    this.#attribute('nodeColours', 0, 4, gl.UNSIGNED_BYTE, 0);
    this.#attribute('radii', 1, 1, gl.FLOAT, 0);
    gl.bindVertexArray(this.#edges.array);
    this.#attribute('ends', 0, 2, gl.UNSIGNED_INT, 1);
    this.#attribute('edgeColours', 1, 4, gl.UNSIGNED_BYTE, 1);
    this.#attribute('widths', 2, 1, gl.FLOAT, 1);
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  #program(vertex: string, pixel: string): Program {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, pixel]] as const) {
      const shader = gl.createShader(type);
      if (!shader) continue; // a context that is lost says so by its event
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`the graphics driver refused a program: ${gl.getProgramInfoLog(program)}`);
    }
    const at = (name: string) => gl.getUniformLocation(program, name);
    return { program, view: at('view'), size: at('size'), ratio: at('ratio'), disc: at('disc'), array: gl.createVertexArray() };
  }

  #attribute(name: BufferName, at: number, count: number, type: number, divisor: number): void {
    const gl = this.#gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[name]);
    gl.enableVertexAttribArray(at);
    if (type === gl.UNSIGNED_INT) gl.vertexAttribIPointer(at, count, type, 0, 0);
    else gl.vertexAttribPointer(at, count, type, type === gl.UNSIGNED_BYTE, 0, 0);
    gl.vertexAttribDivisor(at, divisor);
  }

  #fill(name: BufferName, values: ArrayBufferView<ArrayBufferLike>): void {
    const gl = this.#gl;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#buffers[name]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }

  #resizePlaces(): void {
    const gl = this.#gl;
    const rows = Math.max(1, Math.ceil(this.#picture.nodes / ROW));
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RG32F, ROW, rows, 0, gl.RG, gl.FLOAT, null);
  }
}
