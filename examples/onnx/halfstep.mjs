// What a page needs to draw the images of `halfstep sample` from an ONNX file: halfstep's random
// numbers, and the metadata of the file, which onnxruntime-web does not show.

// What a number is drawn for.
export const SAMPLE_NOISE = 7;
export const SAMPLE_LABEL = 8;
export const STEP_NOISE = 10;

// Returns the upper 32 bits of the product of two uint32.
function mulHigh(a, b) {
  const middle = (a >>> 16) * (b & 0xffff) + (((a & 0xffff) * (b & 0xffff)) >>> 16);
  const other = (a & 0xffff) * (b >>> 16) + (middle % 65536);
  return ((a >>> 16) * (b >>> 16) + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}

// Returns Philox 4x32-10 (Salmon et al. 2011) of a counter of four uint32 and a key of two.
function philox([c0, c1, c2, c3], [k0, k1]) {
  for (let round = 0; round < 10; ++round) {
    [c0, c1, c2, c3] = [
      (mulHigh(0xcd9e8d57, c2) ^ c1 ^ k0) >>> 0, Math.imul(0xcd9e8d57, c2) >>> 0,
      (mulHigh(0xd2511f53, c0) ^ c3 ^ k1) >>> 0, Math.imul(0xd2511f53, c0) >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

// Returns a function that returns block b, four random words, of a seed (BigInt).
function randomWords(seed, purpose, site = 0) {
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)];
  const a = philox([purpose, site, 0, 0], key);
  return (block) => philox([block, 0, a[2], a[3]], [a[0], a[1]]);
}

// Returns `size` normal numbers of a seed, by the Box-Muller transform. `site` is 0, or the number
// of the step, from N down to 2.
export function noiseOfSeed(seed, size, purpose = SAMPLE_NOISE, site = 0) {
  const words = randomWords(seed, purpose, site);
  const noise = new Float32Array(size);
  for (let i = 0; i < size; i += 4) {
    const block = words(i / 4);
    for (const pair of [0, 2]) {
      const radius = Math.sqrt(-2 * Math.log((block[pair] + 0.5) / 2 ** 32));
      const turn = 2 * Math.PI * block[pair + 1] / 2 ** 32;
      noise[i + pair] = radius * Math.cos(turn);  // writes beyond the end do nothing
      noise[i + pair + 1] = radius * Math.sin(turn);
    }
  }
  return noise;
}

// Returns the class of a seed, uniformly distributed.
export function labelOfSeed(seed, classes) {
  const [low, high] = randomWords(seed, SAMPLE_LABEL)(0);
  return Number((BigInt(high) << 32n | BigInt(low)) * BigInt(classes) >> 64n);
}

// Returns the inputs of the file for these seeds (BigInt), by name, as {type, data, dims}: what
// `halfstep sample --write-noise` writes. Without `label` each seed has its own class.
export function inputsOfSeeds({spec, steps, takesGuidance}, seeds, label, guidance) {
  const {in_channels: channels, image_size: size, num_classes: classes} = spec.network;
  const image = [channels, size, size];
  const normals = (purpose, sites) => {
    const length = channels * size * size;
    const data = new Float32Array(sites.length * seeds.length * length);
    let offset = 0;
    for (const site of sites) {
      for (const seed of seeds) {
        data.set(noiseOfSeed(seed, length, purpose, site), offset);
        offset += length;
      }
    }
    return data;
  };
  const inputs = {
    noise: {type: "float32", data: normals(SAMPLE_NOISE, [0]), dims: [seeds.length, ...image]}
  };
  if (spec.sampler === "ancestral" && steps > 1) {
    const sites = Array.from({length: steps - 1}, (_, i) => steps - i);
    inputs.step_noise = {type: "float32", data: normals(STEP_NOISE, sites),
                         dims: [steps - 1, seeds.length, ...image]};
  }
  if (classes > 1) {
    const labels = seeds.map((seed) => BigInt(label ?? labelOfSeed(seed, classes)));
    inputs.class = {type: "int64", data: BigInt64Array.from(labels), dims: [seeds.length]};
  }
  if (takesGuidance) {
    inputs.guidance = {type: "float32", data: new Float32Array(seeds.length).fill(guidance),
                       dims: [seeds.length]};
  }
  return inputs;
}

// Calls visit(field, bytes) for each field of a protocol buffer that holds bytes.
function forEachField(bytes, visit) {
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      if (at >= bytes.length) throw new Error("expected an ONNX file, received another");
      const byte = bytes[at++];
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) {
      varint();
      continue;
    }
    const size = {1: 8, 2: 0, 5: 4}[wire] ?? Infinity;
    const length = wire === 2 ? varint() : size;
    if (!(at + length <= bytes.length)) throw new Error("expected an ONNX file, received another");
    if (wire === 2) visit(Math.floor(key / 8), bytes.subarray(at, at + length));
    at += length;
  }
}

// Returns what halfstep recorded in an ONNX file (Uint8Array): the spec of the model, the number of
// sampling steps, whether the guidance weight is an input, and its value otherwise.
export function descriptionOf(file) {
  const metadata = {};
  const text = new TextDecoder();
  forEachField(file, (field, bytes) => {
    if (field !== 14) return;
    const entry = {};
    forEachField(bytes, (part, value) => { entry[part] = text.decode(value); });
    metadata[entry[1]] = entry[2];
  });
  if (!metadata["halfstep.onnx"]) throw new Error("expected a file of halfstep convert");
  const options = JSON.parse(metadata["halfstep.onnx"]);
  if (options.network) throw new Error("expected a sampler, received the network alone");
  return {spec: JSON.parse(metadata.halfstep), steps: options.num_steps,
          takesGuidance: options.guidance === null, guidance: options.guidance};
}
