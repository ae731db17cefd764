// The problems of the playground: drawn anew by number, with what is measured on them.
// tools/playground_data.py draws the same; a test compares the two.
"use strict";
(() => {
  const lp = globalThis.lossPlayground;

  function uniform(seed, size) {
    const random = lp.randomizer(seed);
    return Float64Array.from({ length: size }, random);
  }
  function normal(seed, size) {
    const u = uniform(seed, size);
    const v = uniform(seed + 1, size);
    return u.map((value, i) => Math.sqrt(-2 * Math.log(1 - value)) * Math.cos(2 * Math.PI * v[i]));
  }
  const pairs = (first, second) => {
    const x = new Float64Array(2 * first.length);
    first.forEach((value, i) => {
      x[2 * i] = value;
      x[2 * i + 1] = second[i];
    });
    return x;
  };
  const grid = Float64Array.from({ length: 121 }, (_, i) => -3 + i / 20);
  const labels = (size, of) => Int32Array.from({ length: size }, (_, i) => of(i));

  // Targets as the network reads them: numbers, or a place for each class.
  function rows(values, classes) {
    const y = new Float64Array(classes > 2 ? values.length * classes : values.length);
    if (classes > 2) values.forEach((label, i) => (y[i * classes + label] = 1));
    else y.set(values);
    y.rows = values.length;
    return y;
  }

  // --- Draws -------------------------------------------------------------------------------------
  // Each returns x, labels or numbers c, and the same for testing.

  const curveAt = (x) => 1.2 * Math.sin(1.5 * x);
  const meanAt = (x) => Math.exp(0.6 + 0.5 * x);

  function drawCurve(draw) {
    const seed = 1000 * draw + 100;
    const x = uniform(seed, 150).map((u) => 6 * u - 3);
    const noise = normal(seed + 1, 150);
    return {
      x,
      c: x.map((v, i) => curveAt(v) + 0.25 * noise[i]),
      xTest: grid,
      cTest: grid.map(curveAt),
    };
  }

  function drawCounts(draw) {
    const seed = 1000 * draw + 200;
    const x = uniform(seed, 208).map((u) => 6 * u - 3);
    const u = uniform(seed + 1, 208);
    const c = x.map((v, i) => {
      const mean = meanAt(v);
      let count = 0;
      let share = Math.exp(-mean);
      for (let below = share; u[i] > below; below += share) share *= mean / ++count;
      return count;
    });
    return { x, c, xTest: grid, cTest: grid.map(meanAt) };
  }

  function circlePoints(seed, size) {
    const c = labels(size, (i) => i % 2);
    const u = uniform(seed, size);
    const across = normal(seed + 1, size);
    const up = normal(seed + 3, size);
    const radius = (i) => (c[i] ? 0.8 : 1);
    return {
      c,
      x: pairs(
        u.map((v, i) => radius(i) * Math.cos(2 * Math.PI * v) + 0.1 * across[i]),
        u.map((v, i) => radius(i) * Math.sin(2 * Math.PI * v) + 0.1 * up[i]),
      ),
    };
  }

  const CENTERS = [
    [-2.5, -1.5],
    [2.5, -1.5],
    [0, 2.5],
  ];
  function blobPoints(seed, size) {
    const c = labels(size, (i) => i % 3);
    const coordinate = (axis) =>
      normal(seed + 2 * axis, size).map((v, i) => CENTERS[c[i]][axis] + 1.8 * v);
    return { c, x: pairs(coordinate(0), coordinate(1)) };
  }

  function rarePoints(seed, size) {
    const c = labels(size, (i) => (i % 16 === 0 ? 1 : 0));
    const coordinate = (axis) =>
      normal(seed + 2 * axis, size).map((v, i) => (c[i] ? 1.5 + 0.7 * v : v));
    return { c, x: pairs(coordinate(0), coordinate(1)) };
  }

  const halves = (points, begin, train, test) => (draw) => {
    const seen = points(1000 * draw + begin, train);
    const unseen = points(1000 * draw + begin + 20, test);
    return { ...seen, xTest: unseen.x, cTest: unseen.c };
  };

  const onItself = (x, c) => () => ({
    x: Float64Array.from(x),
    c: Float64Array.from(c),
    xTest: Float64Array.from(x),
    cTest: Float64Array.from(c),
  });
  const ownX = Array.from({ length: 11 }, (_, i) => -2.5 + i / 2);

  // --- What the process knows: the probability of each class at a point ---------------------------

  const bell = (square, deviation) => Math.exp(-square / (2 * deviation ** 2)) / deviation ** 2;
  const distance = (x, y, [a, b]) => (x - a) ** 2 + (y - b) ** 2;

  function circlePosterior(x, y) {
    // The mean over all places of the circle; the midpoints of 256 arcs are as good as Bessel's I0.
    const r = Math.hypot(x, y);
    const density = (radius) => {
      let sum = 0;
      for (let i = 0; i < 256; i++) {
        const angle = (2 * Math.PI * (i + 0.5)) / 256;
        sum += bell(r * r + radius * radius - 2 * r * radius * Math.cos(angle), 0.1);
      }
      return sum;
    };
    const [outer, inner] = [density(1), density(0.8)];
    return [outer / (outer + inner), inner / (outer + inner)];
  }
  function blobPosterior(x, y) {
    const p = CENTERS.map((center) => bell(distance(x, y, center), 1.8));
    const sum = p[0] + p[1] + p[2];
    return p.map((v) => v / sum);
  }
  function rarePosterior(x, y) {
    const one = bell(distance(x, y, [1.5, 1.5]), 0.7) / 16;
    const none = (bell(distance(x, y, [0, 0]), 1) * 15) / 16;
    return [none / (none + one), one / (none + one)];
  }

  const WRONG_COUNT = 10;
  const numbers = { classes: 0, inputs: 1, range: [-3.1, 3.1, -2.2, 6] };
  const points = { classes: 2, inputs: 2 };
  const problems = {
    curve: { ...numbers, draw: drawCurve, wrong: (y) => y + 4 },
    counts: {
      ...numbers,
      range: [-3.1, 3.1, -1, 16],
      draw: drawCounts,
      wrong: (y) => WRONG_COUNT * y,
    },
    circles: { ...points, draw: halves(circlePoints, 300, 500, 500), posterior: circlePosterior },
    blobs: {
      ...points,
      classes: 3,
      draw: halves(blobPoints, 400, 300, 600),
      posterior: blobPosterior,
    },
    rare: { ...points, draw: halves(rarePoints, 500, 656, 1280), posterior: rarePosterior },
    own_numbers: {
      ...numbers,
      draw: onItself(
        ownX,
        ownX.map((x) => 0.5 * x + 0.5),
      ),
      own: true,
    },
    own_labels: {
      ...points,
      range: [-3, 3, -2.4, 2.4],
      draw: onItself(
        [
          -2, -1, -1.5, 0.5, -1, -0.5, -0.5, 1, -0.5, -1.5, -2, 1, 0.5, -0.5, 1, 0.5, 1.5, -1, 1.5,
          1, 2, 0, 0.5, 1.5,
        ],
        [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1],
      ),
      own: true,
    },
  };

  // Training and test rows of a state: the draw, then wrong targets, then what the reader moved.
  function load({ data, draw, wrong, edits }) {
    const problem = problems[data];
    const { x, c, xTest, cTest } = problem.draw(draw);
    const { classes, inputs } = problem;
    const size = c.length;
    let list = Array.from(c, (target, i) => ({
      x: Array.from(x.slice(i * inputs, (i + 1) * inputs)),
      c: target,
      row: i,
    }));
    if (wrong && !problem.own) {
      const place = uniform(1000 * draw + 900, size);
      const further = uniform(1000 * draw + 901, size);
      const order = Array.from(list.keys()).sort((a, b) => place[a] - place[b]);
      for (const i of order.slice(0, Math.floor((wrong / 100) * size + 0.5))) {
        list[i].wrong = true;
        list[i].c = classes
          ? (list[i].c + 1 + Math.floor(further[i] * (classes - 1))) % classes
          : problem.wrong(list[i].c);
      }
    }
    for (const edit of edits) {
      if (edit.row < 0) list.push({ x: edit.x, c: edit.c, row: edit.row, moved: true });
      else if (edit.row < size) Object.assign(list[edit.row], edit, { moved: true });
    }
    list = list.filter((point) => !point.gone);
    const xTrain = Float64Array.from(list.flatMap((point) => point.x));
    const cTrain = Float64Array.from(list, (point) => point.c);
    const own = problem.own;
    return {
      ...problem,
      list,
      x: xTrain,
      c: cTrain,
      y: rows(cTrain, classes),
      xTest: own ? xTrain : xTest,
      cTest: own ? cTrain : cTest,
      rows: list.length,
      testRows: own ? list.length : cTest.length,
    };
  }

  // --- Metrics -------------------------------------------------------------------------------------
  // Each takes a network and a loaded problem. `goal` is what no model can beat, where it is known.

  const thresholdOf = (net) => (net.margin || net.output === "logits" ? 0 : 0.5);
  const largest = (p, from, k) => {
    let best = 0;
    for (let j = 1; j < k; j++) if (p[from + j] > p[from + best]) best = j;
    return best;
  };
  const guess = (net, p, i) =>
    net.units > 1 ? largest(p, i * net.units, net.units) : +(p[i] > thresholdOf(net));

  function f1(c, size, guessed) {
    let hit = 0;
    let named = 0;
    let there = 0;
    for (let i = 0; i < size; i++) {
      const g = guessed(i);
      named += g;
      there += c[i];
      hit += g * c[i];
    }
    return (2 * hit) / Math.max(1, named + there);
  }

  // The true probabilities of the test rows; the last draw is kept.
  let known = {};
  function truth(problem) {
    if (known.of !== problem.xTest) {
      const p = [];
      for (let i = 0; i < problem.testRows; i++) {
        p.push(problem.posterior(problem.xTest[2 * i], problem.xTest[2 * i + 1]));
      }
      known = { of: problem.xTest, p };
    }
    return known.p;
  }

  const metrics = {
    rmse: {
      better: "low",
      of(net, problem) {
        const p = net.forward(problem.xTest, 0, problem.testRows);
        let sum = 0;
        for (let i = 0; i < problem.testRows; i++)
          sum += (p[i * net.units] - problem.cTest[i]) ** 2;
        return Math.sqrt(sum / problem.testRows);
      },
    },
    below: {
      percent: true,
      of(net, problem) {
        const p = net.forward(problem.x, 0, problem.rows);
        let below = 0;
        for (let i = 0; i < problem.rows; i++) below += problem.c[i] < p[i * net.units];
        return below / problem.rows;
      },
    },
    accuracy: {
      better: "high",
      percent: true,
      of(net, problem) {
        const p = net.forward(problem.xTest, 0, problem.testRows);
        let hit = 0;
        for (let i = 0; i < problem.testRows; i++) hit += guess(net, p, i) === problem.cTest[i];
        return hit / problem.testRows;
      },
      goal(problem) {
        if (!problem.posterior) return null;
        const hits = truth(problem).filter((p, i) => largest(p, 0, p.length) === problem.cTest[i]);
        return hits.length / problem.testRows;
      },
    },
    f1: {
      better: "high",
      percent: true,
      of(net, problem) {
        const p = net.forward(problem.xTest, 0, problem.testRows);
        return f1(problem.cTest, problem.testRows, (i) => guess(net, p, i));
      },
      goal(problem) {
        if (!problem.posterior) return null;
        const p = truth(problem);
        const at = (threshold) =>
          f1(problem.cTest, problem.testRows, (i) => +(p[i][1] > threshold));
        return Math.max(...Array.from({ length: 19 }, (_, i) => at((i + 1) / 20)));
      },
    },
    found: {
      better: "high",
      percent: true,
      of(net, problem) {
        const p = net.forward(problem.xTest, 0, problem.testRows);
        let found = 0;
        let there = 0;
        for (let i = 0; i < problem.testRows; i++) {
          there += problem.cTest[i];
          found += problem.cTest[i] * guess(net, p, i);
        }
        return found / there;
      },
    },
    // How far a predicted probability lies from the true one. A score is none: not a number.
    calibration: {
      better: "low",
      percent: true,
      of(net, problem) {
        if (!["sigmoid", "softmax", "logits"].includes(net.output) || net.margin) return NaN;
        const p = net.forward(problem.xTest, 0, problem.testRows);
        let sum = 0;
        truth(problem).forEach((q, i) => {
          if (net.units === 1) {
            sum += Math.abs((net.output === "logits" ? lp.sigmoid(p[i]) : p[i]) - q[1]);
            return;
          }
          const scores = Float64Array.from(p.subarray(i * net.units, (i + 1) * net.units));
          if (net.output === "logits") lp.outputs.softmax.forward(scores, 1, net.units);
          q.forEach((value, k) => (sum += Math.abs(scores[k] - value) / 2));
        });
        return sum / problem.testRows;
      },
    },
    pulling: {
      percent: true,
      of(net, problem) {
        return pulls(net, problem).filter((pull) => pull > 1e-9).length / problem.rows;
      },
    },
  };

  // The size of the derivative of each training row's loss by its scores.
  function pulls(net, problem) {
    net.forward(problem.x, 0, problem.rows);
    const g = net.pull(problem.y, 0, problem.rows);
    return Float64Array.from({ length: problem.rows }, (_, i) => {
      let square = 0;
      for (let k = 0; k < net.units; k++) square += g[i * net.units + k] ** 2;
      return Math.sqrt(square);
    });
  }

  Object.assign(lp, { problems, metrics, load, pulls, thresholdOf });
})();
