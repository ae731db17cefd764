// Train each case of a file, from its first weights and in the order of its rows; print the last
// weights and the mean loss.
import { readFileSync } from "node:fs";
import { given, lp } from "./load.mjs";

const { data, cases, epochs } = JSON.parse(readFileSync(given[0]));
const results = cases.map(({ problem, weights, ...settings }) => {
  const x = Float64Array.from(data[problem].x);
  const y = Object.assign(Float64Array.from(data[problem].y), { rows: data[problem].rows });
  const order = Uint32Array.from({ length: y.rows }, (_, i) => i);
  const net = new lp.Network(settings);
  net.w.set(weights);
  for (let epoch = 0; epoch < epochs; epoch++) net.epoch(x, y, order);
  return { weights: Array.from(net.w), loss: net.meanLoss(x, y) };
});
console.log(JSON.stringify(results));
