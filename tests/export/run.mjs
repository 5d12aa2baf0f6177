// Runs a module of WebAssembly over steps from standard input, and prints what comes out and the time of a step.
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), {});
const { inputs, repeat = 0 } = JSON.parse(readFileSync(0, "utf8"));
const own = instance.exports;
const outputs = Number(process.argv[3]);
const input = new Float32Array(own.memory.buffer, own.page_input(), inputs[0].length);
const output = new Float32Array(own.memory.buffer, own.page_output(), outputs);
own.page_reset();
const found = inputs.map((row) => {
  input.set(row);
  own.page_step();
  return Array.from(output);
});
let best = Infinity;
for (let turn = 0; turn < 400 && repeat; turn++) {
  const begin = performance.now();
  for (let i = 0; i < repeat; i++) own.page_step();
  best = Math.min(best, (1000 * (performance.now() - begin)) / repeat);
}
console.log(JSON.stringify({ found, best, state: own.page_state_bytes() }));
