// WebGPU through Dawn (npm's package `webgpu`): shaders in WGSL that compute, and one that draws a picture. What can be checked
// here is; of the rest a digest is printed.
//
// usage: node webgpu.mjs FOLDER     with the package in FOLDER/node_modules
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.argv[2]}/`));
const { create, globals } = await import(pathToFileURL(require.resolve('webgpu')));
Object.assign(globalThis, globals);

const N = 192;

function fail(what) {
  console.error(what);
  process.exit(1);
}

function digest(bytes) {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

async function read(device, source, size) {
  const buffer = device.createBuffer({ size, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  const encoder = device.createCommandEncoder();
  source(encoder, buffer);
  device.queue.submit([encoder.finish()]);
  await buffer.mapAsync(GPUMapMode.READ);
  const bytes = new Uint8Array(buffer.getMappedRange().slice(0));
  buffer.unmap();
  return bytes;
}

// The product of two matrices of small whole numbers, which floats hold exactly, by tiles in shared memory.
async function multiply(device) {
  const code = `
    @group(0) @binding(0) var<storage, read> a: array<f32>;
    @group(0) @binding(1) var<storage, read> b: array<f32>;
    @group(0) @binding(2) var<storage, read_write> product: array<f32>;
    const n = ${N}u;
    var<workgroup> tile_a: array<array<f32, 16>, 16>;
    var<workgroup> tile_b: array<array<f32, 16>, 16>;
    @compute @workgroup_size(16, 16)
    fn main(@builtin(global_invocation_id) at: vec3u, @builtin(local_invocation_id) local: vec3u) {
      var sum = 0.0;
      for (var first = 0u; first < n; first += 16u) {
        tile_a[local.y][local.x] = a[at.y * n + first + local.x];
        tile_b[local.y][local.x] = b[(first + local.y) * n + at.x];
        workgroupBarrier();
        for (var k = 0u; k < 16u; k++) { sum += tile_a[local.y][k] * tile_b[k][local.x]; }
        workgroupBarrier();
      }
      product[at.y * n + at.x] = sum;
    }`;
  const values = [3, 5].map((step) => Float32Array.from({ length: N * N }, (_, i) => (i * step) % 17 - 8));
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffers = Array.from({ length: 3 }, () => device.createBuffer({ size: N * N * 4, usage }));
  values.forEach((data, i) => device.queue.writeBuffer(buffers[i], 0, data));
  const pipeline = await device.createComputePipelineAsync({
    layout: 'auto', compute: { module: device.createShaderModule({ code }), entryPoint: 'main' } });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0), entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })) });
  const bytes = await read(device, (encoder, target) => {
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(N / 16, N / 16);
    pass.end();
    encoder.copyBufferToBuffer(buffers[2], 0, target, 0, N * N * 4);
  }, N * N * 4);
  const product = new Float32Array(bytes.buffer);
  for (let row = 0; row < N; row++) {
    for (let column = 0; column < N; column++) {
      let sum = 0;
      for (let k = 0; k < N; k++) sum += values[0][row * N + k] * values[1][k * N + column];
      if (product[row * N + column] !== sum) fail(`the product is wrong in row ${row}, column ${column}`);
    }
  }
  return digest(bytes);
}

// A triangle whose colours run from corner to corner, over a cleared background.
async function draw(device) {
  const size = 256, format = 'rgba8unorm';
  const module = device.createShaderModule({ code: `
    struct Corner { @builtin(position) position: vec4f, @location(0) color: vec3f }
    @vertex fn place(@builtin(vertex_index) i: u32) -> Corner {
      var places = array(vec2f(0.0, 0.75), vec2f(-0.75, -0.75), vec2f(0.75, -0.75));
      var colors = array(vec3f(1.0, 0.0, 0.0), vec3f(0.0, 1.0, 0.0), vec3f(0.0, 0.0, 1.0));
      return Corner(vec4f(places[i], 0.0, 1.0), colors[i]);
    }
    @fragment fn color(corner: Corner) -> @location(0) vec4f { return vec4f(corner.color, 1.0); }` });
  const texture = device.createTexture({ size: [size, size], format, usage: GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC });
  const pipeline = await device.createRenderPipelineAsync({
    layout: 'auto', vertex: { module, entryPoint: 'place' }, fragment: { module, entryPoint: 'color', targets: [{ format }] } });
  const bytes = await read(device, (encoder, target) => {
    const pass = encoder.beginRenderPass({ colorAttachments: [
      { view: texture.createView(), clearValue: [0, 0, 0.2, 1], loadOp: 'clear', storeOp: 'store' }] });
    pass.setPipeline(pipeline);
    pass.draw(3);
    pass.end();
    encoder.copyTextureToBuffer({ texture }, { buffer: target, bytesPerRow: size * 4 }, [size, size]);
  }, size * size * 4);
  const pixel = (x, y) => [...bytes.slice((y * size + x) * 4, (y * size + x) * 4 + 4)];
  const background = pixel(0, 0), inside = pixel(size / 2, size / 2);
  if (`${background}` !== '0,0,51,255') fail(`the background is ${background}`);
  if (Math.abs(inside[0] + inside[1] + inside[2] - 255) > 2 || inside[0] < 100) fail(`the middle is ${inside}`);
  return digest(bytes);
}

// Alive as long as this object: with it in a global variable, node would never end.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
if (!adapter) fail('no adapter');
console.log(`adapter: ${adapter.info.vendor} ${adapter.info.architecture} ${adapter.info.device} ${adapter.info.description}`);
console.log(`features: ${[...adapter.features].sort().join(' ')}`);
console.log(`limits: ${Object.keys(Object.getPrototypeOf(adapter.limits)).sort().map((name) => `${name}=${adapter.limits[name]}`).join(' ')}`);
const device = await adapter.requestDevice();
device.addEventListener('uncapturederror', (event) => fail(event.error.message));
console.log(`product: ${await multiply(device)}`);
console.log(`picture: ${await draw(device)}`);
device.destroy();
