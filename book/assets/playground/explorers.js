// Explorers: the numbers come with the page; a slider looks them up.
"use strict";
(() => {
  const [LEFT, RIGHT, TOP, BOTTOM] = [82, 626, 42, 396];
  const SCALE = 1000;
  const DIGITS = 3;

  const shown = (value, digits = DIGITS) =>
    value
      .toFixed(digits)
      .replace("-", "−")
      .replace(/^−(0\.?0*)$/, "$1");

  // Numbers come as thousandths, by their second differences.
  function unpack(text) {
    let difference = 0;
    let value = 0;
    return text.split(",").map((twice) => {
      difference += Number(twice);
      value += difference;
      return value / SCALE;
    });
  }

  const across = (share) => LEFT + share * (RIGHT - LEFT);
  const up = (value, [low, high]) => BOTTOM - ((value - low) / (high - low)) * (BOTTOM - TOP);
  const inside = (y) => Math.min(BOTTOM, Math.max(TOP, y));
  const path = (values, limits) =>
    "M" +
    values
      .map((v, i) => {
        const [low, high] = limits;
        const near = Math.min(2 * high - low, Math.max(2 * low - high, v));
        return `${across(i / (values.length - 1)).toFixed(0)},${up(near, limits).toFixed(0)}`;
      })
      .join(" ");

  function put(dot, share, y) {
    dot.setAttribute("cx", across(share));
    dot.setAttribute("cy", inside(y));
  }

  function say(input, text) {
    input.nextElementSibling.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }

  function curve(figure, { sliders, t, limits, rows }) {
    const inputs = [...figure.querySelectorAll(".le-value")];
    const probe = figure.querySelector(".le-probe");
    const panels = [...figure.querySelectorAll("svg")];
    const legends = [...figure.querySelectorAll(".le-key")].map((key) => key.textContent);
    const last = Number(probe.max);
    const place = (at) => t[0] + (at / last) * (t[1] - t[0]);
    // As many digits as say every place exactly, but no more than five.
    const exact = (digits) =>
      Array.from({ length: last + 1 }, (_, at) => place(at)).every(
        (value) => Math.abs(value - value.toFixed(digits)) < 1e-7,
      );
    const places = [2, 3, 4].find(exact) ?? 5;
    return () => {
      const row = inputs.reduce(
        (at, input, i) => at * sliders[i].values.length + Number(input.value),
        0,
      );
      const curves = rows[row].map((pair) => pair.map(unpack));
      const at = Number(probe.value);
      panels.forEach((panel, k) => {
        panel.querySelectorAll(".le-curve").forEach((line, i) => {
          line.setAttribute("d", path(curves[i][k], limits[k]));
        });
        put(panel.querySelector(".le-dot"), at / last, up(curves[0][k][at], limits[k]));
      });
      inputs.forEach((input, i) =>
        say(input, `${sliders[i].symbol} = ${sliders[i].values[input.value]}`),
      );
      const [loss, slope] = curves[0].map((values) => shown(values[at]));
      const of = rows[row].length > 1 ? `${legends[0]}: ` : "";
      say(
        probe,
        `${shown(place(at), places)} → ${of}loss ${loss}, gradient ${slope}`,
      );
    };
  }

  function threshold(figure, { stays, leaves, missed, unneeded }) {
    const [at, price] = figure.querySelectorAll(".le-value");
    const cells = figure.querySelectorAll("td");
    const customers = stays + leaves;
    return () => {
      const lost = Number(price.value) + 1;
      const i = Number(at.value);
      const costs = missed.map((count, k) => (lost * count + unneeded[k]) / customers);
      const limits = [0, Math.ceil(2.04 * Math.max(...costs)) / 2];
      figure.querySelector(".le-curve").setAttribute("d", path(costs, limits));
      figure.querySelector(".le-high").textContent = String(limits[1]);
      put(figure.querySelector(".le-dot"), i / 100, up(costs[i], limits));
      say(at, `threshold = ${(i / 100).toFixed(2)}`);
      say(price, `c = ${lost}`);
      const counts = [stays - unneeded[i], unneeded[i], missed[i], leaves - missed[i]];
      counts.forEach((count, k) => (cells[k + 1].textContent = count));
      const cheapest = costs.indexOf(Math.min(...costs));
      const right = ((counts[0] + counts[3]) / customers) * 100;
      figure.querySelector(".le-cost").textContent =
        `Cost of a customer: ${shown(costs[i])}. Accuracy: ${right.toFixed(1)} %. ` +
        `Cheapest on these rows: ${shown(costs[cheapest])} at ${(cheapest / 100).toFixed(2)}; ` +
        `1 / (1 + c) = ${(1 / (1 + lost)).toFixed(2)}.`;
    };
  }

  for (const figure of document.querySelectorAll(".loss-explorer")) {
    const data = JSON.parse(figure.nextElementSibling.textContent);
    const show = { curve, threshold }[figure.dataset.kind](figure, data);
    for (const input of figure.querySelectorAll("input")) input.oninput = show;
    figure.classList.add("le-on");
    show();
  }
})();
