// The playground on a page: controls, training in slices, points that the reader moves.
"use strict";
(() => {
  const lp = globalThis.lossPlayground;
  const { SIDES } = lp;
  const REACH = { mouse: 10, pen: 10, touch: 22 }; // pixels about a point that meet it
  const ON = 8; // pixels about a point within which a tap means it, not a place beside it
  const MOVED = 5; // pixels that make a drag of a tap
  const EDGE = 8; // pixels from the edge of a picture within which no point is put
  const OUT = 12; // pixels beyond the edge where a dragged point is let go
  const BARS = 130; // pixels that the bars of the page and of a playground may cover
  const [COARSE, FINE] = [20, 36]; // cells across, for the borders of all seeds but the first
  const LONGEST_SLICE = 30; // milliseconds; a page that answers within 100 feels instant

  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };
  const option = (value, text) => element("option", { value, textContent: text });
  const code = (text) =>
    text.split("`").map((part, i) => (i % 2 ? element("code", { textContent: part }) : part));
  const root = () => document.documentElement.dataset.content_root ?? "";
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  class Playground {
    constructor(section) {
      this.section = section;
      this.find = (selector) => section.querySelector(selector);
      this.ofSide = (s, selector) => this.find(`[data-side="${s}"] ${selector}`);
      this.inBook = "whole" in section.dataset; // the page of the playground itself
      this.sized = true;
      this.cross = null;
      this.places = {};
      this.width = 0;
      this.look = { css: (name) => getComputedStyle(section).getPropertyValue(name).trim() };
      this.build();
      const shared = this.inBook ? lp.fromHash(location.hash) : null;
      const first = lp.presets.find(({ id }) => id === section.dataset.preset);
      this.set(shared ?? first.state);
      section.classList.add("lp-on");
      this.watch(); // draws as soon as the pictures have a size
    }

    // --- Controls ------------------------------------------------------------------------------

    build() {
      const { find } = this;
      find("[name=data]").append(
        ...Object.entries(lp.texts.problems).map(([name, { title }]) => option(name, title)),
      );
      const fill = (name, values) =>
        find(`[name=${name}]`).append(...values.map((v) => option(v, v)));
      fill("epochs", lp.EPOCHS);
      fill("hidden", lp.HIDDEN);
      fill("decay", lp.DECAYS);
      for (const s of SIDES)
        this.ofSide(s, "[name=rate]").append(...lp.RATES.map((v) => option(v, v)));
      for (const button of this.section.querySelectorAll(".lp-presets button")) {
        button.onclick = () => {
          this.set(lp.presets.find(({ id }) => id === button.dataset.preset).state);
          this.remember();
        };
      }
      find("[data-do=run]").onclick = () => {
        if (this.running) this.pause();
        else {
          this.bring();
          this.train();
        }
      };
      find("[data-do=step]").onclick = () => this.step();
      find("[data-do=reset]").onclick = () => this.restart();
      find("[data-do=draw]").onclick = () => this.change({ draw: this.state.draw + 1, edits: [] });
      find("[data-do=link]").onclick = () => this.copy(this.address(), "The link is copied.");
      find("[data-do=code]").onclick = () => this.showCode();
      find("[data-do=edit]").onclick = () => this.edit(!this.editing);
      find("[data-do=done]").onclick = () => this.edit(false);
      find("[data-do=remove]").onclick = () => this.removeChosen();
      find("[data-do=clear]").onclick = () => this.changePoints([]);
      find("[name=sized]").onchange = (event) => {
        this.sized = event.target.checked;
        this.show();
        this.draw();
      };
      find("[name=data]").onchange = (event) => this.chooseData(event.target.value);
      for (const name of ["wrong", "seeds", "epochs", "hidden", "decay"]) {
        find(`[name=${name}]`).oninput = (event) => {
          const edits = name === "wrong" ? { edits: [] } : {};
          this.change({ [name]: Number(event.target.value), ...edits });
        };
      }
      for (const name of ["optimizer", "metric"]) {
        find(`[name=${name}]`).onchange = (event) => this.change({ [name]: event.target.value });
      }
      for (const s of SIDES) {
        const sideOf = (properties) => this.change({ [s]: { ...this.state[s], ...properties } });
        this.ofSide(s, "[name=loss]").onchange = (event) => {
          const loss = event.target.value;
          sideOf({ loss, output: this.fittingOutput(loss), values: {} });
        };
        this.ofSide(s, "[name=output]").onchange = (event) =>
          sideOf({ output: event.target.value });
        this.ofSide(s, "[name=rate]").onchange = (event) =>
          sideOf({ rate: Number(event.target.value) });
        this.listenToPoints(this.ofSide(s, "canvas"), s);
      }
    }

    fittingOutput(loss, data = this.state.data) {
      const outputs = lp.outputsOf(data, loss);
      return lp.texts.losses[loss].fits.find((output) => outputs.includes(output)) ?? outputs[0];
    }

    chooseData(data) {
      const [a, b = a] = Object.keys(lp.kindOf(data).losses);
      const rate = data === "curve" || data === "counts" ? 0.003 : 0.03;
      const of = (loss) => lp.side(loss, this.fittingOutput(loss, data), rate);
      this.change({
        data,
        a: of(a),
        b: of(b),
        metric: lp.texts.problems[data].metrics[0],
        edits: [],
      });
    }

    // A preset asks a question, and still does with other seeds or another draw of the data.
    presetOf(state) {
      return lp.presets.find(({ state: asked }) => {
        const { draw, seeds } = asked;
        return lp.toHash({ ...state, draw, seeds }) === lp.toHash(asked);
      });
    }

    change(properties) {
      const again = this.running || this.experiment.epoch > 0;
      this.set({ ...this.state, ...properties });
      this.remember();
      if (again && !this.editing) this.train();
    }

    set(state, chosen = null) {
      this.state = state;
      this.choose(chosen);
      this.preset = this.presetOf(state);
      this.ask(this.preset);
      for (const button of this.section.querySelectorAll(".lp-presets button")) {
        button.setAttribute("aria-pressed", this.preset?.id === button.dataset.preset);
      }
      this.show();
      this.restart();
    }

    ask(preset) {
      const box = this.find(".lp-question");
      if (box.dataset.preset === (preset?.id ?? "")) return;
      box.dataset.preset = preset?.id ?? "";
      const name = `lp-answer-${preset?.id}`;
      box.replaceChildren(
        element("legend", {
          textContent: preset?.question ?? "Your own experiment: what do you expect?",
        }),
        ...(preset?.answers ?? []).map(({ text }, value) =>
          element("label", {}, element("input", { type: "radio", name, value }), ` ${text}`),
        ),
      );
    }

    show() {
      const { state, find } = this;
      const problem = lp.texts.problems[state.data];
      const own = lp.problems[state.data].own;
      for (const name of ["data", "wrong", "seeds", "epochs", "optimizer", "hidden", "decay"]) {
        find(`[name=${name}]`).value = state[name];
      }
      find("[name=metric]").replaceChildren(
        ...problem.metrics.map((name) =>
          option(name, lp.metricTitle({ data: state.data, metric: name })),
        ),
      );
      find("[name=metric]").value = state.metric;
      find(".lp-wrong").hidden = own;
      find(".lp-wrong span").textContent = problem.wrong;
      find(".lp-wrong output").textContent = `${state.wrong} %`;
      find(".lp-seeds output").textContent = state.seeds;
      find(".lp-draw").textContent = own ? "" : `draw ${state.draw}`;
      find("[data-do=draw]").hidden = own;
      find(".lp-fresh").hidden = own;
      find(".lp-title").textContent = lp.metricTitle(state);
      find(".lp-key").replaceChildren(
        ...lp.keyOf(state, this.sized && !this.editing).map((part) => {
          if (typeof part === "string") return part;
          const mark = element("span", { className: `lp-k${part}`, textContent: "●▲◆"[part] });
          mark.setAttribute("role", "img");
          mark.setAttribute("aria-label", ["circle", "triangle", "diamond"][part]);
          return mark;
        }),
      );
      const labels = find("[name=label]");
      const classes = classesOf(state);
      labels.replaceChildren(...Array.from({ length: classes }, (_, k) => option(k, `class ${k}`)));
      labels.parentElement.hidden = !classes;
      for (const s of SIDES) this.showSide(s);
    }

    showSide(s) {
      const { data } = this.state;
      const { loss, output, rate } = this.state[s];
      const losses = Object.keys(lp.kindOf(data).losses);
      const control = (name) => this.ofSide(s, `[name=${name}]`);
      this.ofSide(s, ".lp-name").textContent = `${s.toUpperCase()}: ${lp.nameOf(this.state[s])}`;
      const outputName = (name) => {
        const alone = name === "softmax" && lp.problems[data].classes === 2;
        return lp.texts.outputs[name] ?? name + (alone ? " (one unit)" : "");
      };
      control("loss").replaceChildren(
        ...losses.map((name) => option(name, lp.texts.losses[name].title)),
      );
      control("loss").value = loss;
      control("output").replaceChildren(
        ...lp.outputsOf(data, loss).map((name) => option(name, outputName(name))),
      );
      control("output").value = output;
      control("rate").value = rate;
      this.showSliders(s);
      this.ofSide(s, ".lp-note").replaceChildren(...code(lp.texts.losses[loss].note));
      const findings = lp.findingsOf(this.state, this.state[s]);
      const box = this.ofSide(s, ".lp-says");
      box.classList.toggle("lp-clean", !findings.length);
      box.replaceChildren(
        ...(findings.length
          ? findings.flatMap(([severity, name, seen, instead]) => [
              element("strong", { textContent: `check_setup, ${severity}: ` }),
              element("a", { textContent: name, href: `${root()}practice/mistakes.html#${name}` }),
              `. ${seen[0].toUpperCase()}${seen.slice(1)}. Instead: ${instead}. `,
            ])
          : ["check_setup finds no mistake in this output layer."]),
      );
    }

    showSliders(s) {
      const values = lp.valuesOf(this.state[s]);
      const box = this.ofSide(s, ".lp-parameters");
      const shown = [...box.querySelectorAll("input")].map((input) => input.name).join();
      const parameters = lp.parametersOf(this.state[s].loss);
      // A slider under the reader's hand stays the same element.
      if (shown !== parameters.map(({ name }) => name).join()) {
        box.replaceChildren(
          ...parameters.map(({ name, symbol, low, high, step }) => {
            const input = element("input", { type: "range", name, min: low, max: high, step });
            input.setAttribute("aria-label", `${s.toUpperCase()}: ${name.replace("_", " ")}`);
            input.oninput = () =>
              this.change({
                [s]: {
                  ...this.state[s],
                  values: { ...this.state[s].values, [name]: Number(input.value) },
                },
              });
            return element("label", { title: name }, `${symbol} `, input, element("output"));
          }),
        );
      }
      for (const input of box.querySelectorAll("input")) {
        input.value = values[input.name];
        input.nextElementSibling.textContent = values[input.name];
      }
    }

    // --- Training ------------------------------------------------------------------------------

    restart() {
      this.running = false;
      this.find(".lp-after").replaceChildren();
      this.experiment = new lp.Experiment(this.state);
      this.work = null;
      this.draw();
    }

    train() {
      this.ticket = null;
      if (this.experiment.done) {
        if (this.find("[name=fresh]").checked && !lp.problems[this.state.data].own) {
          this.set({ ...this.state, draw: this.state.draw + 1, edits: [] });
          this.remember();
        } else this.restart();
      }
      this.running = true;
      this.label();
      requestAnimationFrame(() => this.frame());
    }

    pause() {
      this.running = false;
      this.draw();
    }

    step() {
      this.running = false;
      this.finishEpoch(Infinity);
      this.draw(() => this.experiment.done && this.finish());
    }

    // Work until an epoch is done or the time is up; tell whether it is done.
    finishEpoch(until) {
      this.work ??= this.experiment.work();
      while (!this.work.next().done) if (performance.now() > until) return false;
      this.work = null;
      return true;
    }

    // A frame trains for a while, then draws one of three pictures: no piece of work is long.
    frame() {
      if (!this.running) return;
      const until =
        performance.now() + Math.min(LONGEST_SLICE, Math.max(12, 2 * (this.drawing ?? 0)));
      while (!this.experiment.done && performance.now() < until) this.finishEpoch(until);
      this.find(".lp-epoch").textContent = `epoch ${this.experiment.epoch}`;
      if (this.experiment.done) {
        this.running = false;
        requestAnimationFrame(() => this.draw(() => this.finish()));
        return;
      }
      if (!still.matches) {
        const began = performance.now();
        this.turn = ((this.turn ?? 0) + 1) % 3;
        if (this.turn === 2) this.drawEvidence();
        else this.drawSide(SIDES[this.turn], COARSE);
        this.drawing = performance.now() - began;
      }
      requestAnimationFrame(() => this.frame());
    }

    // What was measured, and what that says about the answer that was chosen before.
    finish() {
      const { experiment, preset } = this;
      const after = this.find(".lp-after");
      const verdict = experiment.verdict();
      const lost = SIDES.some((s) => experiment.summary().lost[s]);
      after.replaceChildren();
      if (preset && !lost) {
        const right = lp.rightAnswer(preset, experiment);
        const chosen = this.find(".lp-question input:checked");
        const answer = chosen && preset.answers[chosen.value];
        const judged = !right
          ? undecided(right, this.state.seeds)
          : !answer
            ? `Measured: ${right.text}. Next time choose an answer first: who predicts learns more.`
            : answer === right
              ? `Your answer, ${quote(answer.text)}, is what was measured.`
              : `You chose ${quote(answer.text)}. Measured: ${quote(right.text)}.`;
        const why = typeof right?.why === "function" ? right.why(experiment) : right?.why;
        const [page, title] = preset.chapter;
        after.append(
          element("strong", { textContent: judged }),
          ` ${why ?? ""} `,
          element("a", { href: `${root()}${page}.html`, textContent: `The chapter: ${title}` }),
        );
      }
      const means = SIDES.map(
        (s) => `${s.toUpperCase()} ${experiment.withUnit(experiment.summary().mean[s])}`,
      );
      this.find(".lp-live").textContent =
        `${experiment.epoch} epochs. ${lp.metricTitle(this.state)}: ${means.join(", ")}. ${verdict} ${after.textContent}`;
    }

    label() {
      const { epoch, done } = this.experiment;
      this.find("[data-do=run]").textContent = this.running
        ? "Pause"
        : !epoch
          ? "Train"
          : done
            ? "Train again"
            : "Go on";
    }

    // --- Pictures and numbers --------------------------------------------------------------------

    drawSide(s, fine = FINE) {
      const { experiment, look, sized } = this;
      const { editing, chosen } = this;
      const cross = editing && this.crossOn === s ? this.cross : null;
      const canvas = this.ofSide(s, "canvas");
      this.places[s] = lp.drawFit(canvas, experiment, s, {
        ...look,
        ...{ sized, editing, chosen, cross, fine },
      });
    }

    drawEvidence() {
      lp.drawEvidence(this.find(".lp-evidence canvas"), this.experiment, this.look);
      const summary = this.experiment.summary();
      SIDES.forEach((s, i) => {
        const cells = this.section.querySelectorAll(`.lp-table tbody tr:nth-child(${i + 1}) td`);
        const { firstLoss } = this.experiment;
        const texts = [
          this.experiment.withUnit(summary.mean[s]),
          this.state.seeds > 1 ? this.experiment.number(summary.deviation[s]) : "–",
          `${digits(firstLoss[s])} → ${digits(this.experiment.ownLoss(s))}`,
        ];
        cells.forEach((cell, j) => (cell.textContent = texts[j]));
      });
      this.find(".lp-verdict").textContent = this.experiment.verdict();
    }

    // Draw all three pictures, one a frame; then go on, unless something else has begun.
    draw(then = () => {}) {
      if (!this.width) return;
      const ticket = (this.ticket = {});
      const pieces = [
        ...SIDES.map((s) => () => this.drawSide(s)),
        () => this.drawEvidence(),
        () => {
          this.label();
          then();
        },
      ];
      const next = () => {
        if (this.ticket !== ticket) return;
        pieces.shift()();
        if (pieces.length) requestAnimationFrame(next);
      };
      for (const s of SIDES)
        this.ofSide(s, "canvas").setAttribute("aria-label", this.canvasLabel(s));
      this.find(".lp-epoch").textContent = `epoch ${this.experiment.epoch}`;
      next();
    }

    canvasLabel(s) {
      const { title } = lp.texts.losses[this.state[s].loss];
      const { data } = this.state;
      return this.editing
        ? `${s.toUpperCase()}, points to edit. Arrow keys move the cross, Enter adds a point, Space picks up or drops the nearest, Delete removes it.`
        : `${s.toUpperCase()}: ${lp.texts.problems[data].title}, ${title}, after ${this.experiment.epoch} epochs. The table below has the numbers.`;
    }

    watch() {
      new ResizeObserver(([{ contentRect }]) => {
        if (contentRect.width === this.width) return;
        this.width = contentRect.width;
        this.draw();
      }).observe(this.section);
      const theme = () => document.documentElement.dataset.theme;
      let drawn = theme();
      new MutationObserver(() => {
        if (theme() === drawn) return; // the theme's own script sets it again as a page loads
        drawn = theme();
        this.draw();
      }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
      if (!this.inBook) return;
      addEventListener("hashchange", () => {
        const state = lp.fromHash(location.hash);
        if (state) this.set(state);
      });
    }

    // --- Points that the reader moves ------------------------------------------------------------

    edit(on) {
      this.editing = on;
      this.running = false;
      this.cross = this.carried = null;
      this.choose(null);
      this.tell("");
      this.find("[data-do=edit]").setAttribute("aria-pressed", on);
      this.find(".lp-editing").hidden = !on;
      for (const s of SIDES) {
        const canvas = this.ofSide(s, "canvas");
        canvas.classList.toggle("lp-edits", on);
        if (on) canvas.tabIndex = 0;
        else canvas.removeAttribute("tabindex");
        canvas.setAttribute("role", on ? "application" : "img");
      }
      this.show();
      this.draw();
      // To the pictures, wherever the button was; back to the button that trains on them.
      this.find(on ? ".lp-pair canvas" : "[data-do=run]").focus({ preventScroll: true });
      this.bring();
    }

    // Scroll to the pictures, unless they are in sight: a training is over soon.
    bring() {
      const canvas = this.find(".lp-pair canvas");
      const { top, bottom } = canvas.getBoundingClientRect();
      if (top < BARS || bottom > innerHeight)
        canvas.scrollIntoView({ block: "start", behavior: "instant" });
    }

    choose(row) {
      this.chosen = row;
      this.find("[data-do=remove]").disabled = row === null;
    }

    removeChosen() {
      const point = this.experiment.problem.list.find(({ row }) => row === this.chosen);
      if (this.remove(point)) this.tell("The point is removed.");
      this.ofSide(this.crossOn ?? "a", "canvas").focus({ preventScroll: true });
    }

    pointOf([x, y]) {
      const { inputs } = lp.problems[this.state.data];
      return inputs === 2
        ? { x: [round(x), round(y)], c: Number(this.find("[name=label]").value) }
        : { x: [round(x)], c: round(y) };
    }

    spotOf({ x, c }) {
      return x.length === 2 ? x : [x[0], c];
    }

    nearest(s, px, py, reach) {
      const place = this.places[s];
      let best = null;
      let least = reach;
      for (const point of this.experiment.problem.list) {
        const [x, y] = this.spotOf(point);
        const distance = Math.hypot(place.across(x) - px, place.up(y) - py);
        if (distance < least) [best, least] = [point, distance];
      }
      return best;
    }

    put(point, spot) {
      const { x, c } = this.pointOf(spot);
      const kept = { row: point.row, x, c: x.length === 2 ? point.c : c };
      const others = this.state.edits.filter(({ row }) => row !== point.row);
      return this.changePoints([...others, kept], point.row);
    }

    add(spot) {
      const row = Math.min(0, ...this.state.edits.map((edit) => edit.row)) - 1;
      return this.changePoints([...this.state.edits, { row, ...this.pointOf(spot) }], row);
    }

    remove(point) {
      const others = this.state.edits.filter(({ row }) => row !== point.row);
      return this.changePoints(
        point.row < 0 ? others : [...others, { row: point.row, gone: true }],
      );
    }

    // Tell whether the points could be changed; `chosen` is the row of one that stays chosen.
    changePoints(edits, chosen = null) {
      if (edits.length > lp.MOST_EDITS) {
        this.tell(`No more than ${lp.MOST_EDITS} points can be moved.`);
        return false;
      }
      const state = { ...this.state, edits };
      if (lp.load(state).rows < 2) {
        this.tell("Two points have to stay.");
        return false;
      }
      const trained = this.experiment.epoch > 0;
      this.set(state, chosen);
      this.remember();
      if (trained) this.train();
      return true;
    }

    // The place of the data under a place of a picture; from beyond its edge, the nearest inside.
    placeInside(s, [px, py]) {
      const { clientWidth, clientHeight } = this.ofSide(s, "canvas");
      const between = (v, size) => Math.min(size - EDGE, Math.max(EDGE, v));
      return this.places[s].back(between(px, clientWidth), between(py, clientHeight));
    }

    listenToPoints(canvas, s) {
      const spot = (event) => {
        const box = canvas.getBoundingClientRect();
        return [event.clientX - box.left, event.clientY - box.top];
      };
      let held = null; // the point under the pointer, if there is one
      let from = null; // where the pointer went down
      let dragged = false;
      const isOut = ([x, y]) =>
        Math.min(x, y, canvas.clientWidth - x, canvas.clientHeight - y) < -OUT;
      canvas.onpointerdown = (event) => {
        if (!this.editing || event.button !== 0 || !event.isPrimary) return;
        event.preventDefault();
        canvas.focus({ preventScroll: true });
        canvas.setPointerCapture(event.pointerId);
        this.running = false;
        from = spot(event);
        dragged = false;
        held = this.nearest(s, ...from, REACH[event.pointerType] ?? REACH.mouse);
        this.crossOn = s;
        this.cross = this.placeInside(s, from);
        this.tell("");
        this.drawSide(s);
      };
      canvas.onpointermove = (event) => {
        if (!from) return;
        const at = spot(event);
        dragged ||= Math.hypot(at[0] - from[0], at[1] - from[1]) > MOVED;
        this.cross = this.placeInside(s, at);
        if (held && dragged) {
          this.drag(held);
          this.tell(isOut(at) ? "Let go here to remove the point." : "");
        }
        this.drawSide(s);
      };
      canvas.onpointerup = (event) => {
        if (!from) return;
        const at = spot(event);
        const inside = this.placeInside(s, at);
        from = null;
        if (held && dragged) {
          const out = isOut(at);
          const changed = out ? this.remove(held) : this.put(held, inside);
          if (!changed) this.restart(); // the point goes back
          else if (out) this.tell("The point is removed.");
          return;
        }
        const here = this.nearest(s, ...at, ON);
        if (here) this.pick(here);
        else this.add(inside);
      };
      canvas.onpointercancel = () => {
        from = null;
        this.restart(); // a dragged point goes back
      };
      canvas.onkeydown = (event) => this.editing && this.key(event, s);
    }

    // A tap on a point chooses it: a second one on top of it could not be told from it.
    pick(point) {
      this.choose(point.row);
      this.cross = this.spotOf(point).slice();
      this.tell("The point is chosen.");
      this.draw();
    }

    // The picture follows a dragged point; the training begins anew when it is dropped.
    drag(point) {
      const { x, c } = this.pointOf(this.cross);
      Object.assign(point, x.length === 2 ? { x } : { x, c });
    }

    key(event, s) {
      const place = this.places[s];
      const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      this.crossOn = s;
      this.cross ??= [(place.left + place.right) / 2, (place.low + place.high) / 2];
      const [x, y] = this.cross;
      const near = () => this.nearest(s, place.across(x), place.up(y), Infinity);
      if (moves[event.key]) {
        const [dx, dy] = moves[event.key];
        const far = event.shiftKey ? 10 : 50;
        this.cross = this.placeInside(s, [
          place.across(x + (dx * (place.right - place.left)) / far),
          place.up(y + (dy * (place.high - place.low)) / far),
        ]);
        if (this.carried) this.drag(this.carried);
        this.drawSide(s);
        this.tell(
          `${this.carried ? "Carrying a point to" : "Cross at"} ${this.cross.map((v) => lp.minus(v.toFixed(1))).join(", ")}`,
        );
      } else if (event.key === "Enter") {
        const here = this.nearest(s, place.across(x), place.up(y), 3);
        if (here) this.pick(here);
        else if (this.add(this.cross)) this.tell("A point is added.");
      } else if (event.key === " ") {
        if (this.carried) {
          if (this.put(this.carried, this.cross)) this.tell("The point is dropped.");
          else this.restart(); // the point goes back
          this.carried = null;
        } else {
          this.carried = near();
          this.cross = this.spotOf(this.carried).slice();
          this.drawSide(s);
          this.tell("The nearest point is picked up. Arrow keys move it, Space drops it.");
        }
      } else if (event.key === "Escape" && this.carried) {
        this.carried = null;
        this.restart();
        this.tell("The point is back where it was.");
      } else if (event.key === "Delete" || event.key === "Backspace") {
        if (this.remove(near())) this.tell("The nearest point is removed.");
        this.carried = null;
      } else return;
      event.preventDefault();
    }

    tell(text) {
      this.find(".lp-told").textContent = text;
    }

    // --- Sharing -----------------------------------------------------------------------------------

    address() {
      const page = this.inBook
        ? location.href
        : new URL(`${root()}playground.html`, location.href).href;
      return page.replace(/#.*$/, "") + lp.toHash(this.state);
    }

    remember() {
      if (this.inBook) history.replaceState(null, "", lp.toHash(this.state));
    }

    showCode() {
      const box = this.find(".lp-code");
      box.hidden = false;
      box.querySelector("code").textContent = lp.kerasCode(this.state);
      this.copy(lp.kerasCode(this.state), "The code is copied; it stands below, too.");
    }

    async copy(text, done) {
      try {
        await navigator.clipboard.writeText(text);
        this.find(".lp-copied").textContent = done;
      } catch {
        // A page that is no secure one has no clipboard.
        this.find(".lp-copied").textContent =
          text.startsWith("http") || text.startsWith("file") ? text : "The code stands below.";
      }
    }
  }

  const round = (value) => Math.round(value * 100) / 100;
  const classesOf = ({ data }) => lp.problems[data].classes;
  const quote = (text) => `“${text}”`;
  const digits = (value) => (Number.isFinite(value) ? lp.minus(value.toPrecision(3)) : "no number");
  const undecided = (right, seeds) =>
    right === undefined
      ? "None of the answers fits what was measured."
      : seeds === 1
        ? "One run decides nothing: train with more seeds."
        : `These ${seeds} seeds do not decide. Train with more seeds.`;

  // A playground begins when the reader comes near it. A phone is busy enough while a page loads.
  const wake = (section) => (section.playground ??= new Playground(section));
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        wake(target);
      }
    },
    { rootMargin: "100% 0px" },
  );
  const sections = document.querySelectorAll(".loss-playground");
  sections.forEach((section) => near.observe(section));
  // Until it begins, a playground has nothing to focus: the Tab key would pass it by.
  const byKeyboard = (event) => {
    if (event.key !== "Tab") return;
    removeEventListener("keydown", byKeyboard, true);
    sections.forEach(wake);
  };
  addEventListener("keydown", byKeyboard, true);
})();
