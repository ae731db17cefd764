// The scripts of the playground that need no page, loaded in their order.
const { argv } = process;
export const folder = new URL("../../book/assets/playground/", import.meta.url);
for (const name of ["network", "problems", "experiment", "texts", "presets"]) {
  await import(new URL(`${name}.js`, folder));
}
export const lp = globalThis.lossPlayground;
export const [, , ...given] = argv;
