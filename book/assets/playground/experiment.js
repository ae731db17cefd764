// One experiment: two losses, the same data, the same seeds. Trains in small pieces of work, sums
// up in words what was measured, and travels in the address of the page.
"use strict";
(() => {
  const lp = globalThis.lossPlayground;
  const SIDES = ["a", "b"];

  // --- The settings ----------------------------------------------------------------------------

  const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1];
  const HIDDEN = [0, 2, 5, 10, 25, 50];
  const DECAYS = [0, 0.001, 0.01, 0.1, 1];
  const EPOCHS = [15, 30, 60, 120, 240, 480];
  const MOST_SEEDS = 20;
  const MOST_EDITS = 60;
  // Equal is said of two losses only where enough seeds leave no room for a larger difference.
  const LEAST_SEEDS = 5;
  const CLOSE = { percent: 0.01, number: 0.05 };

  const START = {
    data: "curve",
    draw: 0,
    wrong: 0,
    seeds: 10,
    epochs: 120,
    optimizer: "sgd",
    hidden: 25,
    decay: 0,
    metric: "rmse",
    edits: [],
  };
  const side = (loss, output, rate, values = {}) => ({ loss, output, rate, values });

  // The kind of a problem has the losses, outputs and metrics that make sense on it.
  const kindOf = (data) => lp.texts.kinds[lp.texts.problems[data].kind];
  const outputsOf = (data, loss) =>
    kindOf(data).outputs.filter((output) => kindOf(data).losses[loss].includes(output));
  const parametersOf = (loss) => lp.texts.losses[loss].parameters;
  const valuesOf = ({ loss, values }) =>
    Object.fromEntries(
      Object.entries({ ...lp.texts.losses[loss].fixed, ...lp.texts.losses[loss].defaults }).map(
        ([name, value]) => [name, values[name] ?? value],
      ),
    );
  const findingsOf = ({ data }, { loss, output }) =>
    (lp.texts.findings[data][`${loss}/${output}`] ?? []).map((at) => lp.texts.says[at]);
  // On the reader's own points there is no truth and no test set.
  const metricTitle = ({ data, metric }) =>
    (lp.problems[data].own && lp.texts.ownMetrics[metric]) || lp.texts.metrics[metric];
  const minus = (text) => String(text).replaceAll("-", "−");

  // By what tells a side from the other: its loss, its parameters, an unusual output layer.
  function nameOf(one) {
    const { title, fits } = lp.texts.losses[one.loss];
    const values = valuesOf(one);
    const named = parametersOf(one.loss).filter(({ name }) => values[name] !== 0);
    const set = named.map(({ name, symbol }) => `${symbol} = ${values[name]}`);
    return [title, ...set, ...(one.output === fits[0] ? [] : [one.output])].join(", ");
  }

  // What the pictures show, in parts: a number stands for the mark of a class, with its color.
  function keyOf(state, sized = true) {
    const { data, wrong, edits } = state;
    const { classes, own } = lp.problems[data];
    const kept = edits.some(({ gone }) => !gone);
    const yours = kept ? ["moved or added by you"] : [];
    const off = wrong && !own;
    const parts = Array.from({ length: classes }, (_, k) => [k, ` class ${k}${k + 1 < classes ? ", " : ". "}`]).flat();
    if (!classes) parts.push(0, " a target");
    if (!classes && off) parts.push(", ", 2, ` ${lp.texts.problems[data].wrong.toLowerCase()}`);
    if (!classes) parts.push(". ");
    const outlined = [...(classes && off ? ["its label is flipped"] : []), ...yours];
    if (outlined.length) parts.push(`Strong outline: ${outlined.join(", or ")}. `);
    parts.push(
      `Thick line: the ${classes ? "border of the decision" : "fit"} of the first seed’s network. Thin lines: those of the other seeds. `,
    );
    if (SIDES.some((s) => lp.texts.losses[state[s].loss].units > 1))
      parts.push("Dotted: two deviations about the fit. ");
    if (classes) parts.push("The color behind: what the first network says. ");
    else if (!own) parts.push("Dashed: the truth. ");
    if (sized) parts.push("The larger a point, the harder it pulls on the first network.");
    return parts;
  }

  // --- Training ----------------------------------------------------------------------------------

  class Experiment {
    constructor(state) {
      this.state = state;
      this.problem = lp.load(state);
      this.epoch = 0;
      this.history = { a: [], b: [] };
      this.nets = {};
      for (const s of SIDES) {
        this.nets[s] = Array.from({ length: state.seeds }, (_, seed) =>
          this.network(state[s], seed),
        );
      }
      this.metric = lp.metrics[state.metric];
      this.goal = this.metric.goal?.(this.problem) ?? null;
      for (const s of SIDES) this.history[s].push(this.nets[s].map((net) => this.measure(net)));
      this.firstLoss = { a: this.ownLoss("a"), b: this.ownLoss("b") };
    }

    // The loss of the first seed on the training rows: to be compared with nothing but itself.
    ownLoss(s) {
      return this.nets[s][0].meanLoss(this.problem.x, this.problem.y);
    }

    network({ loss, output, rate, values }, seed) {
      const { optimizer, hidden, decay } = this.state;
      const net = new lp.Network({
        sizes: [
          this.problem.inputs,
          ...(hidden ? [hidden] : []),
          unitsOf(loss, this.problem.classes),
        ],
        output,
        loss,
        optimizer,
        rate,
        decay,
        parameters: valuesOf({ loss, values }),
      });
      net.margin = lp.texts.losses[loss].margin; // decides by the sign
      net.random = lp.randomizer(Math.imul(seed + 1, 2654435761));
      net.rows = Uint32Array.from({ length: this.problem.rows }, (_, i) => i);
      return net.initialize(net.random);
    }

    measure(net) {
      for (const weight of net.w) if (!Number.isFinite(weight)) return NaN;
      return this.metric.of(net, this.problem);
    }

    get done() {
      return this.epoch >= this.state.epochs;
    }

    // One epoch of all networks, in pieces of at most one epoch of one network.
    *work() {
      const { x, y } = this.problem;
      const measured = { a: [], b: [] };
      for (const s of SIDES) {
        for (const net of this.nets[s]) {
          net.epoch(x, y, lp.shuffle(net.rows, net.random));
          measured[s].push(this.measure(net));
          yield;
        }
      }
      for (const s of SIDES) this.history[s].push(measured[s]);
      this.epoch += 1;
    }

    advance() {
      const work = this.work();
      while (!work.next().done);
    }

    // Where the seeds of a side stand now.
    now(s) {
      return this.history[s][this.history[s].length - 1];
    }

    // Means, deviations and the paired difference B − A with its 95 % interval.
    summary() {
      const [a, b] = SIDES.map((s) => this.now(s));
      const difference = b.map((value, seed) => value - a[seed]);
      const middle = mean(difference);
      const half = (lp.texts.student[b.length] * deviation(difference)) / Math.sqrt(b.length);
      return {
        mean: { a: mean(a), b: mean(b) },
        deviation: { a: deviation(a), b: deviation(b) },
        lost: { a: a.filter(Number.isNaN).length, b: b.filter(Number.isNaN).length },
        difference: middle,
        low: middle - half,
        high: middle + half,
      };
    }

    // The mean of a side with its 95 % interval.
    interval(s) {
      const values = this.now(s);
      const half = (lp.texts.student[values.length] * deviation(values)) / Math.sqrt(values.length);
      return { low: mean(values) - half, high: mean(values) + half };
    }

    // A difference that is called none.
    get close() {
      return CLOSE[this.metric.percent ? "percent" : "number"];
    }

    // "a" or "b", whichever is ahead on the metric beyond chance; "none" where at least five seeds
    // leave room for no difference that counts; null where these seeds do not decide.
    ahead() {
      const { low, high } = this.summary();
      const { seeds } = this.state;
      if (seeds > 1 && (low > 0 || high < 0))
        return high < 0 === (this.metric.better === "low") ? "b" : "a";
      return seeds >= LEAST_SEEDS && Math.max(-low, high) <= this.close ? "none" : null;
    }

    // What is called none, in words.
    closeness() {
      return this.metric.percent ? `${100 * this.close} point` : String(this.close);
    }

    number(value, digits = this.metric.percent ? 1 : 3) {
      if (!Number.isFinite(value)) return "no number";
      return minus((this.metric.percent ? 100 * value : value).toFixed(digits));
    }

    withUnit(value) {
      return this.number(value) + (this.metric.percent && Number.isFinite(value) ? " %" : "");
    }

    verdict() {
      const { seeds, metric } = this.state;
      const result = this.summary();
      const lost = SIDES.filter((s) => result.lost[s]);
      if (!this.epoch) return "Before training.";
      if (lost.length) {
        const of = (s) => `${result.lost[s]} of ${seeds} seeds of ${s.toUpperCase()}`;
        return metric === "calibration" && SIDES.some((s) => result.lost[s] === seeds)
          ? "A score is no probability: there is nothing to compare."
          : `No comparison: ${lost.map(of).join(" and ")} diverged. A smaller learning rate helps.`;
      }
      const [a, b] = SIDES.map((s) => this.withUnit(result.mean[s]));
      if (seeds === 1) return `A ${a}, B ${b}. One run is an anecdote: train with more seeds.`;
      const points = this.metric.percent ? " points" : "";
      const interval = (low, high) => `[${this.number(low)}, ${this.number(high)}]`;
      if (!this.metric.better) {
        const by = `${this.number(result.difference)}${points} ${interval(result.low, result.high)}`;
        return `A ${a}, B ${b}. B less A, seed by seed: ${by}.`;
      }
      const ahead = this.ahead();
      if (ahead === "none" || !ahead) {
        const by = `${this.number(result.difference)}${points} ${interval(result.low, result.high)}`;
        const said = ahead
          ? `No difference of more than ${this.closeness()}`
          : `Not decided by ${seeds} seeds`;
        return `${said}. B less A, seed by seed: ${by}.`;
      }
      const ends = [Math.abs(result.low), Math.abs(result.high)].sort((p, q) => p - q);
      const by = `${this.number(Math.abs(result.difference))}${points} ${interval(...ends)}`;
      return `${ahead.toUpperCase()} is ahead by ${by}, seed by seed.`;
    }
  }

  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  function deviation(values) {
    const middle = mean(values);
    const squares = values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
    return Math.sqrt(squares / (values.length - 1));
  }

  // --- The address ---------------------------------------------------------------------------------
  // #playground=data.draw.wrong…;a;b;points: short, readable, and safe in every address.

  const short = (value) => String(+value.toFixed(3));
  const PLAIN = [
    "data",
    "draw",
    "wrong",
    "seeds",
    "epochs",
    "optimizer",
    "hidden",
    "decay",
    "metric",
  ];

  function toHash(state) {
    const sides = SIDES.map((s) => {
      const { loss, output, rate, values } = state[s];
      const set = Object.entries(values).map(([name, value]) => `${name}:${value}`);
      return [loss, output, rate, ...set].join(",");
    });
    const edits = state.edits.map(({ row, x, c, gone }) =>
      gone ? `${row}` : [row, ...x.map(short), short(c)].join(","),
    );
    return `#playground=${PLAIN.map((name) => state[name]).join(",")};${sides.join(";")};${edits.join("/")}`;
  }

  // The state that an address names, or null where it names none that the playground offers.
  function fromHash(hash) {
    const match = /^#playground=([^;]*);([^;]*);([^;]*);([^;]*)$/.exec(decoded(hash));
    if (!match) return null;
    const plain = match[1].split(",");
    const state = { ...START };
    PLAIN.forEach((name, i) => {
      state[name] = typeof START[name] === "number" ? Number(plain[i]) : plain[i];
    });
    if (!Object.hasOwn(lp.problems, state.data)) return null;
    for (const [i, s] of SIDES.entries()) {
      const [loss, output, rate, ...set] = match[2 + i].split(",");
      const values = Object.fromEntries(
        set.map((text) => text.split(":")).map(([name, value]) => [name, Number(value)]),
      );
      state[s] = side(loss, output, Number(rate), values);
    }
    state.edits = match[4]
      .split("/")
      .filter(Boolean)
      .map((text) => {
        const [row, ...numbers] = text.split(",").map(Number);
        if (!numbers.length) return { row, gone: true };
        return { row, x: numbers.slice(0, -1), c: numbers[numbers.length - 1] };
      });
    return isOffered(state) ? state : null;
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return ""; // a lone percent sign
    }
  }

  function isOffered(state) {
    const { data, draw, wrong, seeds, epochs, optimizer, hidden, decay, metric, edits } = state;
    const problem = lp.problems[data];
    const whole = (value, low, high) => Number.isInteger(value) && value >= low && value <= high;
    const isTarget = (c) =>
      problem.classes ? whole(c, 0, problem.classes - 1) : Number.isFinite(c);
    const isEdit = ({ row, x, c, gone }) =>
      whole(row, -MOST_EDITS, 9999) &&
      (gone || (x.length === problem.inputs && x.every(Number.isFinite) && isTarget(c)));
    const isSide = ({ loss, output, rate, values }) =>
      Object.hasOwn(kindOf(data).losses, loss) &&
      kindOf(data).losses[loss].includes(output) &&
      RATES.includes(rate) &&
      Object.entries(values).every(([name, value]) => {
        const parameter = parametersOf(loss).find((one) => one.name === name);
        return parameter && value >= parameter.low && value <= parameter.high;
      });
    return (
      whole(draw, 0, 9999) &&
      wrong >= 0 &&
      wrong <= 40 &&
      whole(seeds, 1, MOST_SEEDS) &&
      EPOCHS.includes(epochs) &&
      ["sgd", "adam"].includes(optimizer) &&
      HIDDEN.includes(hidden) &&
      DECAYS.includes(decay) &&
      lp.texts.problems[data].metrics.includes(metric) &&
      edits.length <= MOST_EDITS &&
      edits.every(isEdit) &&
      isSide(state.a) &&
      isSide(state.b) &&
      lp.load(state).rows > 1
    );
  }

  // --- The same training as Keras code ---------------------------------------------------------------

  const python = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));
  const unitsOf = (loss, classes) => lp.texts.losses[loss].units * (classes > 2 ? classes : 1);

  function kerasLoss({ loss, output, values }) {
    const { call, fromLogits } = lp.texts.losses[loss];
    const all = valuesOf({ loss, values });
    return (output === "logits" ? fromLogits : call).replace(/\{(\w+)\}/g, (_, name) =>
      python(all[name]),
    );
  }

  function kerasCode(state) {
    const { data, draw, wrong, seeds, epochs, optimizer, hidden, decay, metric, edits } = state;
    const { classes, inputs, own } = lp.problems[data];
    const decayed = decay ? `, weight_decay=${python(decay)}` : "";
    const made = { adam: `Adam(rate${decayed})`, sgd: `SGD(rate, momentum=0.9${decayed})` }[
      optimizer
    ];
    const calls = SIDES.map((s) => kerasLoss(state[s]));
    const ours = calls.some((call) => call.startsWith("keras_losses."));
    const layer = `"relu", kernel_initializer="he_uniform", dtype="float64"`;
    const sideLines = SIDES.flatMap((s, i) => {
      const { loss, output, rate } = state[s];
      const zero = lp.texts.losses[loss].margin || output === "logits";
      return [
        `    "${s.toUpperCase()}": dict(`,
        `        loss=${calls[i]},`,
        `        units=${unitsOf(loss, classes)},`,
        `        activation="${output === "logits" ? "linear" : output}",`,
        `        rate=${rate},`,
        `        targets=${lp.texts.losses[loss].integers ? "y.argmax(axis=1)" : "y"},`,
        ...(classes === 2 ? [`        threshold=${zero ? 0 : 0.5},`] : []),
        "    ),",
      ];
    });
    return [
      "# Two losses on the same data: the playground of “Loss Functions for Deep Learning”.",
      ...(ours
        ? ["# Keras lacks one of the losses; lossutils, the package of the book, has it."]
        : []),
      "import keras",
      "import numpy as np",
      ...(ours ? ["from lossutils.losses import keras_losses"] : []),
      "",
      `SEEDS, EPOCHS = ${seeds}, ${epochs}`,
      "",
      ...lp.texts.python[data].map((source) => `\n${source}`),
      "",
      `x, y, x_test, y_test = ${data}(draw=${draw})`,
      ...(wrong && !own ? wrongLines(data, draw, wrong) : []),
      ...editLines(edits, classes),
      ...(own ? ["x_test, y_test = x, y"] : []),
      "",
      "",
      "def train(side, seed):",
      "    keras.utils.set_random_seed(seed)",
      "    layers = [",
      `        keras.Input((${inputs},), dtype="float64"),`,
      ...(hidden ? [`        keras.layers.Dense(${hidden}, ${layer}),`] : []),
      '        keras.layers.Dense(side["units"], side["activation"], dtype="float64"),',
      "    ]",
      "    model = keras.Sequential(layers)",
      '    rate = side["rate"]',
      `    model.compile(optimizer=keras.optimizers.${made}, loss=side["loss"])`,
      '    model.fit(x, side["targets"], batch_size=32, epochs=EPOCHS, verbose=0)',
      "    return model",
      "",
      "",
      ...metricLines(metric, classes),
      "",
      "",
      "sides = {",
      ...sideLines,
      "}",
      "for name, side in sides.items():",
      "    runs = [metric(train(side, seed), side) for seed in range(SEEDS)]",
      '    print(f"{name}: {np.mean(runs):.3f} on average of {SEEDS} seeds: {np.round(runs, 3)}")',
      "",
    ].join("\n");
  }

  function wrongLines(data, draw, wrong) {
    const rows = `wrong = wrong_rows(len(y), ${wrong}, draw=${draw})`;
    if (data === "curve") return [rows, "y[wrong] += 4"];
    if (data === "counts") return [rows, "y[wrong] *= 10"];
    if (data !== "blobs") return [rows, "y[wrong] = 1 - y[wrong]"];
    return [
      rows,
      `label = y.argmax(axis=1) + next_class(${draw}, len(y), 3)`,
      "y[wrong] = np.eye(3)[label[wrong] % 3]",
    ];
  }

  function editLines(edits, classes) {
    const target = (c) => (classes > 2 ? `np.eye(3)[${c}]` : short(c));
    const list = (x) => `[${x.map(short).join(", ")}]`;
    const moved = edits.filter((edit) => edit.row >= 0 && !edit.gone);
    const gone = edits.filter((edit) => edit.row >= 0 && edit.gone).map((edit) => edit.row);
    const added = edits.filter((edit) => edit.row < 0 && !edit.gone);
    const lines = moved.map(({ row, x, c }) => `x[${row}], y[${row}] = ${list(x)}, ${target(c)}`);
    if (gone.length)
      lines.push(`x, y = (np.delete(rows, [${gone.join(", ")}], axis=0) for rows in (x, y))`);
    if (added.length) {
      lines.push(`x = np.vstack([x, ${added.map(({ x }) => list(x)).join(", ")}])`);
      lines.push(
        `y = np.vstack([y, ${added.map(({ c }) => (classes > 2 ? target(c) : `[${short(c)}]`)).join(", ")}])`,
      );
    }
    return lines;
  }

  // Accuracy stands in for what needs more than predictions: the pull, the true probabilities.
  function metricLines(metric, classes) {
    const head = (rows) => [
      "def metric(model, side):",
      `    p = model.predict(${rows}, verbose=0)`,
    ];
    if (metric === "below") return [...head("x"), "    return np.mean(y < p[:, :1])"];
    if (!classes)
      return [...head("x_test"), "    return np.sqrt(np.mean((p[:, :1] - y_test) ** 2))"];
    const guess =
      classes > 2
        ? "    guess, label = p.argmax(axis=1), y_test.argmax(axis=1)"
        : '    guess, label = p > side["threshold"], y_test == 1';
    const result = {
      f1: "2 * np.sum(guess & label) / max(1, np.sum(guess) + np.sum(label))",
      found: "np.mean(guess[label])",
    };
    return [...head("x_test"), guess, `    return ${result[metric] ?? "np.mean(guess == label)"}`];
  }

  Object.assign(lp, {
    Experiment,
    SIDES,
    START,
    RATES,
    HIDDEN,
    DECAYS,
    EPOCHS,
    MOST_EDITS,
    side,
    kindOf,
    outputsOf,
    parametersOf,
    valuesOf,
    findingsOf,
    metricTitle,
    minus,
    nameOf,
    keyOf,
    toHash,
    fromHash,
    kerasCode,
    mean,
  });
})();
