// Computes an exported network with ONNX Runtime (WebAssembly); prints JSON: the names of inputs and
// outputs, and for each example's observation the numbers of every output, by name.
// usage: node compute.mjs MODEL EXAMPLES
import {readFileSync} from 'node:fs';
import * as ort from 'onnxruntime-web';

ort.env.wasm.numThreads = 1;
const [model, file] = process.argv.slice(2);
const {shape, element, observations} = JSON.parse(readFileSync(file, 'utf8'));
const session = await ort.InferenceSession.create(readFileSync(model));

async function compute(batch) {
  const values = (element === 'uint8' ? Uint8Array : Float32Array).from(batch.flat());
  const observation = new ort.Tensor(element, values, [batch.length, ...shape]);
  const outputs = Object.entries(await session.run({observation}));
  return batch.map((_, i) => Object.fromEntries(outputs.map(([name, {data, dims}]) => {
    const size = dims[1] ?? 1;
    return [name, Array.from(data.slice(i * size, (i + 1) * size))];
  })));
}

const single = [];
for (const each of observations) single.push(...await compute([each]));
console.log(JSON.stringify({
  inputs: session.inputNames,
  outputs: session.outputNames,
  single,
  together: await compute(observations),
}));
