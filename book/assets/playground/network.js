// A small multilayer perceptron that trains as lossutils.training.fit does: same formulas, same
// order of rows, float64. No library, no DOM. tests/test_playground.py compares the weights.
"use strict";
(() => {
  const lp = (globalThis.lossPlayground ??= {});
  const EPSILON = 1e-7; // Keras's backend.epsilon()

  const sigmoid = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : 1 - 1 / (1 + Math.exp(z)));
  const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
  const clip = (p) => Math.min(Math.max(p, EPSILON), 1 - EPSILON);
  const inside = (p) => p >= EPSILON && p <= 1 - EPSILON;

  function softmaxRow(p, from, k) {
    let top = p[from];
    let sum = 0;
    for (let j = 1; j < k; j++) top = Math.max(top, p[from + j]);
    for (let j = 0; j < k; j++) sum += p[from + j] = Math.exp(p[from + j] - top);
    for (let j = 0; j < k; j++) p[from + j] /= sum;
  }

  // --- Output layers ---------------------------------------------------------------------------
  // forward turns n rows of k scores into predictions, backward turns the derivatives by the
  // predictions into those by the scores; both in place.

  const each = (value, slope) => ({
    forward(p, n, k) {
      for (let i = 0; i < n * k; i++) p[i] = value(p[i]);
    },
    backward(g, p, z, n, k) {
      for (let i = 0; i < n * k; i++) g[i] *= slope(p[i], z[i]);
    },
  });
  const linear = { forward() {}, backward() {} };

  const outputs = {
    linear,
    logits: linear, // a linear layer under a loss with from_logits=True
    sigmoid: each(sigmoid, (p) => p * (1 - p)),
    tanh: each(Math.tanh, (p) => 1 - p * p),
    relu: each(
      (z) => Math.max(z, 0),
      (p) => (p > 0 ? 1 : 0),
    ),
    softplus: each(softplus, (p, z) => sigmoid(z)),
    exponential: each(Math.exp, (p) => p),
    softmax: {
      forward(p, n, k) {
        for (let i = 0; i < n; i++) softmaxRow(p, i * k, k);
      },
      backward(g, p, z, n, k) {
        for (let i = 0; i < n * k; i += k) {
          let dot = 0;
          for (let j = i; j < i + k; j++) dot += g[j] * p[j];
          for (let j = i; j < i + k; j++) g[j] = p[j] * (g[j] - dot);
        }
      },
    },
  };

  // --- Losses ----------------------------------------------------------------------------------
  // slope(g, y, p, n, k, o) writes into g the derivative of the sum of n rows' losses by each
  // prediction; y holds the targets, o the parameters. value(…) returns that sum.

  // Numbers by themselves, averaged over the outputs of a row.
  const elementwise = (value, slope) => ({
    value(y, p, n, k, o) {
      let sum = 0;
      for (let i = 0; i < n * k; i++) sum += value(y[i], p[i], o);
      return sum / k;
    },
    slope(g, y, p, n, k, o) {
      for (let i = 0; i < n * k; i++) g[i] = slope(y[i], p[i], o) / k;
    },
  });

  // A row at a time: value(y, p, i, k, o) and slope(g, y, p, i, k, o) begin at place i.
  const rowwise = (value, slope) => ({
    value(y, p, n, k, o) {
      let sum = 0;
      for (let i = 0; i < n * k; i += k) sum += value(y, p, i, k, o);
      return sum;
    },
    slope(g, y, p, n, k, o) {
      for (let i = 0; i < n * k; i += k) slope(g, y, p, i, k, o);
    },
  });

  // One number for the whole batch, from four sums: of y p, y and p, and the number of outputs.
  // derivative(y, hit, …) is that by one prediction.
  const overlap = (value, derivative) => {
    const sums = (y, p, size) => {
      let hit = 0;
      let targets = 0;
      let predicted = 0;
      for (let i = 0; i < size; i++) {
        hit += y[i] * p[i];
        targets += y[i];
        predicted += p[i];
      }
      return [hit, targets, predicted];
    };
    return {
      value: (y, p, n, k, o) => n * value(...sums(y, p, n * k), o),
      slope(g, y, p, n, k, o) {
        const s = sums(y, p, n * k);
        for (let i = 0; i < n * k; i++) g[i] = n * derivative(y[i], ...s, o);
      },
    };
  };

  const sign = (y) => 2 * y - 1; // Keras turns labels 0 and 1 into -1 and 1
  const smooth = (y, e, classes) => (e ? y * (1 - e) + e / classes : y);
  const crossentropy = (y, p) => -y * Math.log(p) - (1 - y) * Math.log(1 - p);
  const wrongness = (y, p) => y * (1 - p) + (1 - y) * p;
  const epsilonOf = (o) => o.label_smoothing ?? 0;
  const logged = (v) => Math.log(Math.max(v, EPSILON) + 1);

  // Cross-entropy from scores. Keras takes this way with from_logits=True, and also behind a
  // sigmoid or a softmax, whichever of the two: it remembers the scores that went into it.
  const binaryFromScores = elementwise(
    (y, z, o) => softplus(z) - smooth(y, epsilonOf(o), 2) * z,
    (y, z, o) => sigmoid(z) - smooth(y, epsilonOf(o), 2),
  );
  const categoricalFromScores = rowwise(
    (y, z, i, k, o) => {
      let top = -Infinity;
      let sum = 0;
      let loss = 0;
      for (let j = i; j < i + k; j++) top = Math.max(top, z[j]);
      for (let j = i; j < i + k; j++) sum += Math.exp(z[j] - top);
      for (let j = i; j < i + k; j++) {
        loss += smooth(y[j], epsilonOf(o), k) * (top + Math.log(sum) - z[j]);
      }
      return loss;
    },
    (g, y, z, i, k, o) => {
      for (let j = i; j < i + k; j++) g[j] = z[j];
      softmaxRow(g, i, k);
      for (let j = i; j < i + k; j++) g[j] -= smooth(y[j], epsilonOf(o), k);
    },
  );

  // Losses of probabilities that are first divided by their sum: of(q, y, o) and its derivative.
  const ofShares = (of, derivative) =>
    rowwise(
      (y, p, i, k, o) => {
        let sum = 0;
        let loss = 0;
        for (let j = i; j < i + k; j++) sum += p[j];
        for (let j = i; j < i + k; j++) {
          loss += of(clip(p[j] / sum), smooth(y[j], epsilonOf(o), k), o);
        }
        return loss;
      },
      (g, y, p, i, k, o) => {
        let sum = 0;
        let dot = 0;
        for (let j = i; j < i + k; j++) sum += p[j];
        for (let j = i; j < i + k; j++) {
          const q = p[j] / sum;
          g[j] = inside(q) ? derivative(q, smooth(y[j], epsilonOf(o), k), o) : 0;
          dot += g[j] * q;
        }
        for (let j = i; j < i + k; j++) g[j] = (g[j] - dot) / sum;
      },
    );
  const upTo1 = (v) => Math.min(Math.max(v, EPSILON), 1);
  const power = (base, exponent) => (exponent === 0 ? 1 : base ** exponent);
  const powerSlope = (base, exponent) => (exponent === 0 ? 0 : exponent * base ** (exponent - 1));

  const labelOf = (y, i, k) => {
    let at = i;
    for (let j = i + 1; j < i + k; j++) if (y[j] > y[at]) at = j;
    return at;
  };
  const clippedSum = (p, i, k) => {
    let sum = 0;
    for (let j = i; j < i + k; j++) sum += clip(p[j]);
    return sum;
  };
  // The score of the true class has to exceed the best other one by 1. `other` says what a class
  // counts in the search for the best other one.
  const margin = (other, otherSlope) => {
    const short = (y, p, i, k) => {
      const label = labelOf(y, i, k);
      let best = -Infinity;
      for (let j = i; j < i + k; j++) best = Math.max(best, other(y[j], p[j]));
      return [1 + best - p[label], best, label];
    };
    return rowwise(
      (y, p, i, k) => Math.max(0, short(y, p, i, k)[0]),
      (g, y, p, i, k) => {
        const [loss, best, label] = short(y, p, i, k);
        let ties = 0;
        for (let j = i; j < i + k; j++) ties += other(y[j], p[j]) === best;
        for (let j = i; j < i + k; j++) {
          g[j] = loss >= 0 && other(y[j], p[j]) === best ? otherSlope(y[j]) / ties : 0;
        }
        if (loss >= 0) g[label] -= 1;
      },
    );
  };

  const losses = {
    mean_squared_error: elementwise(
      (y, p) => (p - y) ** 2,
      (y, p) => 2 * (p - y),
    ),
    mean_absolute_error: elementwise(
      (y, p) => Math.abs(p - y),
      (y, p) => Math.sign(p - y),
    ),
    huber: elementwise(
      (y, p, { delta: d }) => {
        const e = Math.abs(p - y);
        return e <= d ? (e * e) / 2 : d * e - (d * d) / 2;
      },
      (y, p, { delta: d }) => Math.min(Math.max(p - y, -d), d),
    ),
    log_cosh: elementwise(
      (y, p) => softplus(-2 * (p - y)) + (p - y) - Math.LN2,
      (y, p) => Math.tanh(p - y),
    ),
    mean_squared_logarithmic_error: elementwise(
      (y, p) => (logged(p) - logged(y)) ** 2,
      (y, p) => (p >= EPSILON ? (2 * (logged(p) - logged(y))) / (p + 1) : 0),
    ),
    poisson: elementwise(
      (y, p) => p - y * Math.log(p + EPSILON),
      (y, p) => 1 - y / (p + EPSILON),
    ),
    pinball: elementwise(
      (y, p, { quantile: q }) => Math.max(q * (y - p), (q - 1) * (y - p)),
      (y, p, { quantile: q }) => (y > p ? -q : y < p ? 1 - q : 0),
    ),
    // Two outputs for each target: the mean and the logarithm of the variance.
    gaussian_negative_log_likelihood: rowwise(
      (y, p, i) => (p[i + 1] + (y[i] - p[i]) ** 2 / Math.exp(p[i + 1])) / 2,
      (g, y, p, i) => {
        const e = p[i] - y[i];
        const precision = Math.exp(-p[i + 1]);
        g[i] = e * precision;
        g[i + 1] = (1 - e * e * precision) / 2;
      },
    ),
    hinge: elementwise(
      (y, p) => Math.max(1 - sign(y) * p, 0),
      (y, p) => (sign(y) * p < 1 ? -sign(y) : 0),
    ),
    squared_hinge: elementwise(
      (y, p) => Math.max(1 - sign(y) * p, 0) ** 2,
      (y, p) => -2 * sign(y) * Math.max(1 - sign(y) * p, 0),
    ),
    binary_crossentropy: {
      ...elementwise(
        (y, p, o) => crossentropy(smooth(y, epsilonOf(o), 2), clip(p)),
        (y, p, o) => (inside(p) ? (p - smooth(y, epsilonOf(o), 2)) / (p * (1 - p)) : 0),
      ),
      fromScores: binaryFromScores,
    },
    // Keras clips the prediction in the cross-entropy and not in the factor before it; behind a
    // sigmoid or a softmax, the cross-entropy alone is computed from the scores.
    binary_focal_crossentropy: {
      ...elementwise(
        (y, p, { gamma: c }) => power(wrongness(y, p), c) * crossentropy(y, clip(p)),
        (y, p, { gamma: c }) => {
          const wrong = wrongness(y, p);
          const slope = inside(p) ? (p - y) / (p * (1 - p)) : 0;
          const ofFactor = powerSlope(wrong, c) * (1 - 2 * y) * crossentropy(y, clip(p));
          return ofFactor + power(wrong, c) * slope;
        },
      ),
      fromScores: {
        value(y, z, n, k, { gamma: c }, p) {
          let sum = 0;
          for (let i = 0; i < n; i++)
            sum += power(wrongness(y[i], p[i]), c) * (softplus(z[i]) - y[i] * z[i]);
          return sum;
        },
        slope(g, y, z, n, k, { gamma: c }, p) {
          for (let i = 0; i < n; i++) {
            const wrong = wrongness(y[i], p[i]);
            const wrongSlope = (1 - 2 * y[i]) * p[i] * (1 - p[i]);
            const ofFactor = powerSlope(wrong, c) * wrongSlope * (softplus(z[i]) - y[i] * z[i]);
            g[i] = ofFactor + power(wrong, c) * (sigmoid(z[i]) - y[i]);
          }
        },
      },
    },
    dice: overlap(
      (hit, targets, predicted) => 1 - (2 * hit) / (targets + predicted + EPSILON),
      (y, hit, targets, predicted) => {
        const size = targets + predicted + EPSILON;
        return (-2 * (y * size - hit)) / size ** 2;
      },
    ),
    tversky: overlap(
      (hit, targets, predicted, { alpha: a, beta: b }) =>
        1 - hit / (hit + a * (predicted - hit) + b * (targets - hit) + EPSILON),
      (y, hit, targets, predicted, { alpha: a, beta: b }) => {
        const total = hit + a * (predicted - hit) + b * (targets - hit) + EPSILON;
        return -(y * total - hit * (y + a * (1 - y) - b * y)) / total ** 2;
      },
    ),
    categorical_crossentropy: {
      ...ofShares(
        (q, y) => -y * Math.log(q),
        (q, y) => -y / q,
      ),
      fromScores: categoricalFromScores,
    },
    // With class numbers, Keras clips the probabilities first and divides by their sum then.
    sparse_categorical_crossentropy: {
      ...rowwise(
        (y, p, i, k) => Math.log(clippedSum(p, i, k)) - Math.log(clip(p[labelOf(y, i, k)])),
        (g, y, p, i, k) => {
          const label = labelOf(y, i, k);
          const sum = clippedSum(p, i, k);
          for (let j = i; j < i + k; j++) {
            g[j] = inside(p[j]) ? 1 / sum - (j === label ? 1 / p[j] : 0) : 0;
          }
        },
      ),
      fromScores: categoricalFromScores,
    },
    kl_divergence: rowwise(
      (y, p, i, k) => {
        let loss = 0;
        for (let j = i; j < i + k; j++) loss += upTo1(y[j]) * Math.log(upTo1(y[j]) / upTo1(p[j]));
        return loss;
      },
      (g, y, p, i, k) => {
        for (let j = i; j < i + k; j++) {
          g[j] = p[j] >= EPSILON && p[j] <= 1 ? -upTo1(y[j]) / p[j] : 0;
        }
      },
    ),
    categorical_focal_crossentropy: ofShares(
      (q, y, { alpha: a, gamma: c }) => -a * power(1 - q, c) * y * Math.log(q),
      (q, y, { alpha: a, gamma: c }) =>
        a * y * (powerSlope(1 - q, c) * Math.log(q) - power(1 - q, c) / q),
    ),
    categorical_generalized_cross_entropy: rowwise(
      (y, p, i, k, { q }) => (1 - p[labelOf(y, i, k)] ** q) / q,
      (g, y, p, i, k, { q }) => {
        const label = labelOf(y, i, k);
        for (let j = i; j < i + k; j++) g[j] = 0;
        g[label] = -(p[label] ** (q - 1));
      },
    ),
    categorical_hinge: margin(
      (y, p) => (1 - y) * p,
      (y) => 1 - y,
    ),
    multiclass_hinge: margin(
      (y, p) => (y === 1 ? -Infinity : p),
      () => 1,
    ),
  };

  // --- The network -----------------------------------------------------------------------------

  const float32 = Math.fround; // Keras reads these numbers as float32 before it computes

  class Network {
    // sizes: units of the input, of hidden layers with relu, and of the output layer. Weights lie
    // flat in `w`, in the order of Keras's get_weights().
    constructor({
      sizes,
      output,
      loss,
      parameters = {},
      optimizer = "sgd",
      rate,
      decay = 0,
      batch = 32,
    }) {
      Object.assign(this, { sizes, output, parameters, optimizer, rate, decay, batch });
      this.loss = losses[loss];
      this.units = sizes[sizes.length - 1];
      this.fused = "fromScores" in this.loss && ["sigmoid", "softmax", "logits"].includes(output);
      this.at = []; // where weights and biases of each layer begin
      let size = 0;
      for (let l = 1; l < sizes.length; l++) {
        this.at.push([size, size + sizes[l - 1] * sizes[l]]);
        size += (sizes[l - 1] + 1) * sizes[l];
      }
      this.w = new Float64Array(size);
      this.g = new Float64Array(size);
      this.first = new Float64Array(size); // momentum, or Adam's mean of the gradient
      this.second = new Float64Array(size); // Adam's mean of its square
      this.steps = 0;
      this.room = 0;
      this.reserve(batch);
    }

    reserve(rows) {
      if (rows <= this.room) return;
      this.room = rows;
      this.h = this.sizes.map((n) => new Float64Array(n * rows)); // the last: predictions
      this.d = this.sizes.map((n) => new Float64Array(n * rows)); // derivatives by the sums
      this.z = new Float64Array(this.units * rows); // scores before the output activation
      this.t = new Float64Array(this.units * rows); // targets
    }

    // He's uniform weights in hidden layers, Glorot's in the output layer: those of models.mlp.
    initialize(random) {
      const last = this.sizes.length - 2;
      for (const array of [this.w, this.first, this.second]) array.fill(0);
      this.steps = 0;
      this.at.forEach(([from, to], l) => {
        const fan = l < last ? this.sizes[l] : this.sizes[l] + this.sizes[l + 1];
        const limit = Math.sqrt(6 / fan);
        for (let i = from; i < to; i++) this.w[i] = limit * (2 * random() - 1);
      });
      return this;
    }

    // Predictions of the rows order[begin] to order[end - 1], or of begin to end - 1.
    forward(x, begin, end, order) {
      const { sizes, w } = this;
      const last = sizes.length - 1;
      const rows = end - begin;
      this.reserve(rows);
      const inputs = sizes[0];
      for (let r = 0; r < rows; r++) {
        const row = order ? order[begin + r] : begin + r;
        for (let i = 0; i < inputs; i++) this.h[0][r * inputs + i] = x[row * inputs + i];
      }
      for (let l = 0; l < last; l++) {
        const a = this.h[l];
        const b = this.h[l + 1];
        const m = sizes[l];
        const n = sizes[l + 1];
        const [from, bias] = this.at[l];
        for (let r = 0; r < rows; r++) {
          const to = r * n;
          for (let j = 0; j < n; j++) b[to + j] = w[bias + j];
          for (let i = 0; i < m; i++) {
            const ai = a[r * m + i];
            if (ai === 0) continue;
            const q = from + i * n;
            for (let j = 0; j < n; j++) b[to + j] += ai * w[q + j];
          }
          if (l < last - 1)
            for (let j = to; j < to + n; j++) if (!(b[j] > 0)) b[j] = b[j] <= 0 ? 0 : NaN;
        }
      }
      const p = this.h[last];
      for (let i = 0; i < rows * this.units; i++) this.z[i] = p[i];
      outputs[this.output].forward(p, rows, this.units);
      return p;
    }

    targets(y, begin, end, order) {
      const { t, units } = this;
      const width = y.length / y.rows;
      for (let r = begin; r < end; r++) {
        const row = order ? order[r] : r;
        // A loss with more outputs than targets reads the first of them.
        for (let j = 0; j < width; j++) t[(r - begin) * units + j] = y[row * width + j];
      }
    }

    // The derivative of each row's loss by its scores, after forward() of the same rows.
    pull(y, begin, end, order) {
      const rows = end - begin;
      const g = this.d[this.d.length - 1];
      this.targets(y, begin, end, order);
      const p = this.h[this.h.length - 1];
      if (this.fused) {
        this.loss.fromScores.slope(g, this.t, this.z, rows, this.units, this.parameters, p);
      } else {
        this.loss.slope(g, this.t, p, rows, this.units, this.parameters);
        outputs[this.output].backward(g, p, this.z, rows, this.units);
      }
      return g;
    }

    // In batches, since a loss of whole batches depends on them.
    meanLoss(x, y) {
      const kind = this.fused ? this.loss.fromScores : this.loss;
      let sum = 0;
      for (let begin = 0; begin < y.rows; begin += this.batch) {
        const end = Math.min(begin + this.batch, y.rows);
        const p = this.forward(x, begin, end);
        this.targets(y, begin, end);
        const at = this.fused ? this.z : p;
        sum += kind.value(this.t, at, end - begin, this.units, this.parameters, p);
      }
      return sum / y.rows;
    }

    step(x, y, begin, end, order) {
      const { sizes, w, g } = this;
      const rows = end - begin;
      const share = 1 / rows;
      this.forward(x, begin, end, order);
      this.pull(y, begin, end, order);
      g.fill(0);
      for (let l = sizes.length - 2; l >= 0; l--) {
        const a = this.h[l];
        const e = this.d[l + 1];
        const m = sizes[l];
        const n = sizes[l + 1];
        const [from, bias] = this.at[l];
        const down = this.d[l];
        for (let r = 0; r < rows; r++) {
          const to = r * n;
          for (let j = 0; j < n; j++) g[bias + j] += e[to + j];
          for (let i = 0; i < m; i++) {
            const ai = a[r * m + i];
            // A unit that is off neither learns nor passes anything on.
            if (l > 0 && ai === 0) {
              down[r * m + i] = 0;
              continue;
            }
            const q = from + i * n;
            let back = 0;
            for (let j = 0; j < n; j++) {
              g[q + j] += ai * e[to + j];
              back += w[q + j] * e[to + j];
            }
            down[r * m + i] = back;
          }
        }
      }
      for (let i = 0; i < g.length; i++) g[i] *= share;
      this.update();
    }

    update() {
      const { w, g, first, second } = this;
      this.steps += 1;
      if (this.decay) {
        const kept = float32(this.decay) * this.rate;
        for (let i = 0; i < w.length; i++) w[i] -= w[i] * kept;
      }
      if (this.optimizer === "adam") {
        const alpha =
          (this.rate * Math.sqrt(1 - float32(0.999) ** this.steps)) /
          (1 - float32(0.9) ** this.steps);
        for (let i = 0; i < w.length; i++) {
          first[i] += (g[i] - first[i]) * (1 - 0.9);
          second[i] += (g[i] * g[i] - second[i]) * (1 - 0.999);
          w[i] -= (first[i] * alpha) / (Math.sqrt(second[i]) + EPSILON);
        }
        return;
      }
      const momentum = float32(0.9);
      for (let i = 0; i < w.length; i++) {
        first[i] = momentum * first[i] - this.rate * g[i];
        w[i] += first[i];
      }
    }

    epoch(x, y, order) {
      for (let b = 0; b < y.rows; b += this.batch) {
        this.step(x, y, b, Math.min(b + this.batch, y.rows), order);
      }
    }
  }

  // --- Random numbers --------------------------------------------------------------------------
  // mulberry32, whose n-th number needs no state: lossutils' port of it draws all at once.

  function randomizer(seed) {
    let a = seed >>> 0;
    return () => {
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
  }

  function shuffle(order, random) {
    for (let i = order.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  Object.assign(lp, { Network, outputs, randomizer, shuffle, sigmoid });
})();
