// Train experiments to their end, as the page does, and print what was measured.
import { given, lp } from "./load.mjs";

const wanted = given.length ? lp.presets.filter(({ id }) => given.includes(id)) : lp.presets;
const results = wanted.map((preset) => {
  const experiment = new lp.Experiment(preset.state);
  const began = process.cpuUsage();
  let longest = 0;
  while (!experiment.done) {
    // The page stops after any piece of this work, so the longest is what it may be held up by.
    for (const work = experiment.work(); ;) {
      const piece = process.cpuUsage();
      const { done } = work.next();
      longest = Math.max(longest, process.cpuUsage(piece).user / 1000);
      if (done) break;
    }
  }
  const { user, system } = process.cpuUsage(began);
  const right = lp.rightAnswer(preset, experiment);
  return {
    id: preset.id,
    right: right ? preset.answers.indexOf(right) : null,
    why: typeof right?.why === "function" ? right.why(experiment) : right?.why,
    values: { a: experiment.now("a"), b: experiment.now("b") },
    summary: experiment.summary(),
    verdict: experiment.verdict(),
    percent: Boolean(experiment.metric.percent),
    better: experiment.metric.better ?? null,
    seconds: (user + system) / 1e6,
    longest,
  };
});
console.log(JSON.stringify(results));
