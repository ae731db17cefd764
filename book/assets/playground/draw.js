// Pictures of an experiment on a canvas: the fit or the region of every seed, and the evidence.
"use strict";
(() => {
  const lp = globalThis.lossPlayground;
  const CHUNK = 256;

  // Predictions of many points, in pieces that a network has room for.
  function predict(net, x, rows) {
    const all = new Float64Array(rows * net.units);
    for (let begin = 0; begin < rows; begin += CHUNK) {
      const end = Math.min(begin + CHUNK, rows);
      all.set(net.forward(x, begin, end).subarray(0, (end - begin) * net.units), begin * net.units);
    }
    return all;
  }

  // A canvas as sharp as the screen, cleared, in units of CSS pixels.
  function prepare(canvas) {
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    const sharp = Math.min(2, globalThis.devicePixelRatio || 1);
    const [w, h] = [Math.round(width * sharp), Math.round(height * sharp)];
    if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
    const c = canvas.getContext("2d");
    c.setTransform(sharp, 0, 0, sharp, 0, 0);
    c.clearRect(0, 0, width, height);
    return { c, width, height };
  }

  // Where data stand on a canvas, and back. Planes have one scale, across and up.
  function frame({ range, inputs, x }, width, height) {
    let [left, right, low, high] = range ?? [Infinity, -Infinity, Infinity, -Infinity];
    if (!range) {
      for (let i = 0; i < x.length; i += 2) {
        [left, right] = [Math.min(left, x[i]), Math.max(right, x[i])];
        [low, high] = [Math.min(low, x[i + 1]), Math.max(high, x[i + 1])];
      }
    }
    if (inputs === 2) {
      const half = 0.53 * Math.max((right - left) / (width / height), high - low);
      const [across, up] = [(left + right) / 2, (low + high) / 2];
      [left, right] = [across - (half * width) / height, across + (half * width) / height];
      [low, high] = [up - half, up + half];
    }
    return {
      left,
      right,
      low,
      high,
      across: (v) => ((v - left) / (right - left)) * width,
      up: (v) => height - ((v - low) / (high - low)) * height,
      back: (px, py) => [left + (px / width) * (right - left), high - (py / height) * (high - low)],
    };
  }

  function gridOf({ left, right, low, high }, size) {
    const at = new Float64Array(2 * (size + 1) ** 2);
    for (let j = 0, i = 0; j <= size; j++) {
      for (let k = 0; k <= size; k++, i += 2) {
        at[i] = left + (k / size) * (right - left);
        at[i + 1] = low + (j / size) * (high - low);
      }
    }
    return at;
  }

  // How much of each class's color a prediction gets.
  function shares(net, p, i) {
    const k = net.units;
    if (k > 1) {
      const row = Array.from(p.subarray(i * k, (i + 1) * k));
      const scores = net.output === "linear" || net.output === "logits";
      const top = Math.max(...row);
      const weights = row.map((v) => (scores ? Math.exp(2 * (v - top)) : Math.max(v, 0)));
      const sum = lp.mean(weights) * k || 1;
      return weights.map((v) => v / sum);
    }
    let one = net.margin ? (p[i] + 1) / 2 : p[i];
    if (net.output === "logits") one = lp.sigmoid(p[i]);
    one = Math.min(1, Math.max(0, one || 0));
    return [1 - one, one];
  }

  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

  function drawRegion(c, net, place, colors, paper, strength, width, height) {
    const size = 56;
    const p = predict(net, gridOf(place, size), (size + 1) ** 2);
    const image = new ImageData(size + 1, size + 1);
    for (let j = 0; j <= size; j++) {
      for (let i = 0; i <= size; i++) {
        const to = 4 * ((size - j) * (size + 1) + i);
        const share = shares(net, p, j * (size + 1) + i);
        for (let band = 0; band < 3; band++) {
          let tone = 0;
          for (let k = 0; k < share.length; k++) tone += share[k] * colors[k][band];
          image.data[to + band] = paper[band] + strength * (tone - paper[band]);
        }
        image.data[to + 3] = 255;
      }
    }
    const small = (drawRegion.small ??= document.createElement("canvas"));
    Object.assign(small, { width: size + 1, height: size + 1 });
    small.getContext("2d").putImageData(image, 0, 0);
    // The middle of the outer pixels is the edge of the picture.
    c.drawImage(small, 0.5, 0.5, size, size, 0, 0, width, height);
  }

  // Where the decision changes: marching squares over each class's lead.
  function drawBorder(c, net, place, size) {
    const p = predict(net, gridOf(place, size), (size + 1) ** 2);
    const k = net.units;
    const level = lp.thresholdOf(net);
    const lead = (i, j) => {
      if (k === 1) return p[i] - level;
      let other = -Infinity;
      for (let q = 0; q < k; q++) if (q !== j) other = Math.max(other, p[i * k + q]);
      return p[i * k + j] - other;
    };
    const x = (i) => place.across(place.left + (i / size) * (place.right - place.left));
    const y = (j) => place.up(place.low + (j / size) * (place.high - place.low));
    c.beginPath();
    for (let of = 0; of < (k === 1 ? 1 : k); of++) {
      const values = new Float64Array((size + 1) ** 2);
      for (let i = 0; i < values.length; i++) values[i] = lead(i, of);
      for (let j = 0; j < size; j++) {
        for (let i = 0; i < size; i++) {
          const at = j * (size + 1) + i;
          const [a, b] = [values[at], values[at + 1]];
          const [d, e] = [values[at + size + 1], values[at + size + 2]];
          const above = (a > 0) + (b > 0) + (d > 0) + (e > 0);
          if (above === 0 || above === 4) continue;
          const corners = [
            [i, j, a],
            [i + 1, j, b],
            [i + 1, j + 1, e],
            [i, j + 1, d],
          ];
          const cuts = [];
          for (let side = 0; side < 4; side++) {
            const [x0, y0, from] = corners[side];
            const [x1, y1, to] = corners[(side + 1) % 4];
            if (from > 0 === to > 0) continue;
            const t = from / (from - to);
            cuts.push([x(x0 + t * (x1 - x0)), y(y0 + t * (y1 - y0))]);
          }
          for (let cut = 0; cut + 1 < cuts.length; cut += 2) {
            c.moveTo(...cuts[cut]);
            c.lineTo(...cuts[cut + 1]);
          }
        }
      }
    }
    c.stroke();
  }

  function drawMark(c, kind, x, y, r) {
    c.beginPath();
    if (kind === 1) {
      c.moveTo(x, y - 1.3 * r);
      c.lineTo(x + 1.2 * r, y + r);
      c.lineTo(x - 1.2 * r, y + r);
      c.closePath();
    } else if (kind === 2) {
      c.moveTo(x, y - 1.3 * r);
      c.lineTo(x + 1.3 * r, y);
      c.lineTo(x, y + 1.3 * r);
      c.lineTo(x - 1.3 * r, y);
      c.closePath();
    } else c.arc(x, y, r, 0, 7);
    c.fill();
    c.stroke();
  }

  // The radius of each point: its area is its share of all the pull on the first seed's network.
  function radii(net, problem, sized, editing) {
    if (editing) return () => 4; // whoever moves points has to see them
    if (!sized) return () => 2.4;
    const pull = lp.pulls(net, problem);
    const middle = lp.mean(Array.from(pull));
    const largest = problem.inputs === 1 ? 9 : 7;
    return (i) => Math.min(largest, 2.6 * Math.sqrt(middle > 0 ? pull[i] / middle : 0));
  }

  // One side: data, what the networks of all seeds say, and the cross of the reader's keyboard.
  function drawFit(canvas, experiment, s, look) {
    const { c, width, height } = prepare(canvas);
    if (!width || !height) return null;
    const { problem } = experiment;
    const nets = experiment.nets[s];
    const place = frame(problem, width, height);
    const radius = radii(nets[0], problem, look.sized, look.editing);
    const mine = look.css(`--lp-${s}`);
    const ink = look.css("--lp-ink");
    const tones = ["--lp-c0", "--lp-c1", "--lp-c2"].map(look.css);
    if (problem.inputs === 1) {
      drawCurves(c, experiment, s, place, { ...look, radius, mine, ink, tones, width });
    } else {
      const paper = rgb(look.css("--lp-paper"));
      const strength = look.css("--lp-dark") === "1" ? 0.5 : 0.4;
      drawRegion(c, nets[0], place, tones.map(rgb), paper, strength, width, height);
      problem.list.forEach(({ x, c: label, wrong, moved }, i) => {
        const r = radius(i);
        if (r < 0.3) return;
        c.fillStyle = tones[label];
        c.strokeStyle = wrong || moved ? ink : look.css("--lp-paper");
        c.lineWidth = wrong || moved ? 1.3 : 0.6;
        drawMark(c, label, place.across(x[0]), place.up(x[1]), r);
      });
      nets.forEach((net, seed) => {
        Object.assign(c, {
          strokeStyle: ink,
          globalAlpha: seed ? 0.3 : 1,
          lineWidth: seed ? 1 : 2.2,
        });
        drawBorder(c, net, place, seed ? look.fine : 56);
      });
      c.globalAlpha = 1;
    }
    const chosen = problem.list.find(({ row }) => row === look.chosen);
    if (chosen) {
      const y = chosen.x.length === 2 ? chosen.x[1] : chosen.c;
      Object.assign(c, { strokeStyle: ink, lineWidth: 2 });
      c.beginPath();
      c.arc(place.across(chosen.x[0]), place.up(y), 9, 0, 7);
      c.stroke();
    }
    if (look.cross) drawCross(c, place.across(look.cross[0]), place.up(look.cross[1]), ink);
    return place;
  }

  function drawCurves(c, experiment, s, place, look) {
    const { problem } = experiment;
    const step = problem.range[3] > 10 ? 5 : 2;
    c.strokeStyle = look.css("--lp-grid");
    c.fillStyle = look.css("--lp-quiet");
    c.font = `11px ${look.css("font-family")}`;
    c.lineWidth = 1;
    for (let v = Math.ceil(place.low / step) * step; v < place.high; v += step) {
      c.beginPath();
      c.moveTo(0, place.up(v));
      c.lineTo(look.width, place.up(v));
      c.stroke();
      c.fillText(lp.minus(v), 3, place.up(v) - 3);
    }
    problem.list.forEach(({ x, c: target, wrong, moved }, i) => {
      c.globalAlpha = 0.75;
      c.fillStyle = look.tones[wrong ? 2 : 0];
      c.strokeStyle = moved ? look.ink : "transparent";
      drawMark(c, wrong ? 2 : 0, place.across(x[0]), place.up(target), look.radius(i));
    });
    c.globalAlpha = 1;
    const size = 120;
    const grid = Float64Array.from(
      { length: size + 1 },
      (_, i) => place.left + (i / size) * (place.right - place.left),
    );
    const path = (xs, ys) => {
      c.beginPath();
      xs.forEach((x, i) => c.lineTo(place.across(x), place.up(ys[i])));
      c.stroke();
    };
    if (!problem.own) {
      Object.assign(c, { strokeStyle: look.ink, lineWidth: 1.5 });
      c.setLineDash([5, 4]);
      path(problem.xTest, problem.cTest);
      c.setLineDash([]);
    }
    experiment.nets[s].forEach((net, seed) => {
      const p = predict(net, grid, size + 1);
      Object.assign(c, {
        strokeStyle: look.mine,
        globalAlpha: seed ? 0.35 : 1,
        lineWidth: seed ? 1.2 : 2.6,
      });
      path(
        grid,
        grid.map((_, i) => p[i * net.units]),
      );
      if (net.units === 1 || seed) return;
      // A mean and a log variance: two standard deviations about the mean of the first seed.
      c.setLineDash([2, 3]);
      c.lineWidth = 1.4;
      for (const sign of [-2, 2])
        path(
          grid,
          grid.map((_, i) => p[2 * i] + sign * Math.exp(p[2 * i + 1] / 2)),
        );
      c.setLineDash([]);
    });
    c.globalAlpha = 1;
  }

  function drawCross(c, x, y, ink) {
    Object.assign(c, { strokeStyle: ink, lineWidth: 1.5 });
    c.beginPath();
    for (const [dx, dy] of [
      [1, 0],
      [0, 1],
    ]) {
      for (const sign of [-1, 1]) {
        c.moveTo(x + sign * 4 * dx, y + sign * 4 * dy);
        c.lineTo(x + sign * 14 * dx, y + sign * 14 * dy);
      }
    }
    c.stroke();
  }

  // Steps of 1, 2 or 5 that make about four lines.
  function steps(low, high) {
    const raw = (high - low) / 4;
    const size = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((f) => f * size).find((v) => v >= raw * 0.999);
    const first = Math.ceil(low / step - 1e-9);
    return Array.from(
      { length: Math.floor(high / step + 1e-9) - first + 1 },
      (_, i) => (first + i) * step,
    );
  }

  // The shared metric of all seeds over the epochs, and at the right where each seed stands now.
  function drawEvidence(canvas, experiment, look) {
    const { c, width, height } = prepare(canvas);
    if (!width || !height) return;
    const { metric, history, state, goal } = experiment;
    const quiet = look.css("--lp-quiet");
    // The first epochs of a bad start would press all the rest together.
    const settled = Math.floor(experiment.epoch / 10);
    const values = lp.SIDES.flatMap((s) => history[s].slice(settled).flat()).filter(
      Number.isFinite,
    );
    const wanted =
      state.metric === "below"
        ? lp.SIDES.map((s) => lp.valuesOf(state[s]).quantile).filter(Number.isFinite)
        : [];
    const lines = [...new Set(wanted), ...(goal === null ? [] : [goal])];
    let low = Math.min(...values, ...lines, metric.better === "low" ? 0 : Infinity);
    let high = Math.max(...values, ...lines);
    if (!Number.isFinite(low)) [low, high] = [0, 1];
    if (high - low < 0.02) high = low + 0.02;
    const margin = 0.06 * (high - low);
    [low, high] = [low - margin, high + margin];
    const strip = width < 520 ? 76 : 130;
    // What a dotted line is stands above the plot, where no curve crosses it.
    const [left, right, top, bottom] = [46, width - strip - 14, lines.length ? 28 : 10, height - 32];
    const last = Math.max(state.epochs, experiment.epoch);
    const x = (epoch) => left + (epoch / last) * (right - left);
    const y = (v) =>
      bottom - ((Math.min(high, Math.max(low, v)) - low) / (high - low)) * (bottom - top);
    c.font = `12px ${look.css("font-family")}`;
    c.textBaseline = "middle";
    c.lineWidth = 1;
    const ticks = steps(low + margin / 2, high - margin / 2);
    const digits = Math.max(
      0,
      -Math.floor(Math.log10(ticks[1] - ticks[0] || 1) + 1e-9) - (metric.percent ? 2 : 0),
    );
    for (const v of ticks) {
      c.strokeStyle = look.css("--lp-grid");
      c.beginPath();
      c.moveTo(left, y(v));
      c.lineTo(width, y(v));
      c.stroke();
      c.fillStyle = quiet;
      c.textAlign = "right";
      c.fillText(
        lp.minus(metric.percent ? `${(100 * v).toFixed(digits)} %` : v.toFixed(digits)),
        left - 6,
        y(v),
      );
    }
    c.textAlign = "center";
    for (const epoch of steps(0, last)) c.fillText(epoch, x(epoch), bottom + 12);
    c.textAlign = "right";
    c.fillText("epochs", right, height - 8);
    c.textAlign = "left";
    c.strokeStyle = quiet;
    c.setLineDash([2, 3]);
    const dotted = (from, to, at) => {
      c.beginPath();
      c.moveTo(from, at);
      c.lineTo(to, at);
      c.stroke();
    };
    for (const v of lines) dotted(left, width, y(v));
    if (lines.length) {
      dotted(left, left + 24, 9);
      const text =
        goal === null ? `τ = ${lines.join(" and ")}` : "knowing the true probabilities";
      c.fillText(text, left + 30, 9);
    }
    c.setLineDash([]);
    for (const s of lp.SIDES) {
      const color = look.css(`--lp-${s}`);
      const runs = history[s];
      const line = (of) => {
        c.beginPath();
        runs.forEach((run, epoch) => Number.isFinite(of(run)) && c.lineTo(x(epoch), y(of(run))));
        c.stroke();
      };
      c.strokeStyle = c.fillStyle = color;
      c.setLineDash(s === "b" ? [6, 3] : []);
      for (let seed = 0; seed < state.seeds; seed++) {
        Object.assign(c, { globalAlpha: 0.22, lineWidth: 1 });
        line((run) => run[seed]);
      }
      Object.assign(c, { globalAlpha: 1, lineWidth: 2.4 });
      line(lp.mean);
      c.setLineDash([]);
      const center = right + 14 + strip * (s === "a" ? 0.27 : 0.77);
      const now = experiment.now(s).filter(Number.isFinite);
      now.forEach((v, i) => {
        c.globalAlpha = 0.6;
        const px = center + (((i * 7) % 10) - 4.5) * (strip < 100 ? 2 : 3);
        c.beginPath();
        if (s === "a") c.arc(px, y(v), 3.2, 0, 7);
        else c.rect(px - 3, y(v) - 3, 6, 6);
        c.fill();
      });
      c.globalAlpha = 1;
      if (now.length) c.fillRect(center - 16, y(lp.mean(now)) - 1.2, 32, 2.4);
      c.textAlign = "center";
      c.font = `600 13px ${look.css("font-family")}`;
      c.fillText(s.toUpperCase(), center, bottom + 14);
      c.font = `12px ${look.css("font-family")}`;
    }
  }

  Object.assign(lp, { drawFit, drawEvidence });
})();
