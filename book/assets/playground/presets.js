// The experiments of the playground: a question, answers to choose from, and what to say
// afterwards. `when` tells for which result an answer is right: the side that is ahead, "none",
// or the mean of a side and the range that it falls into.
"use strict";
(() => {
  const lp = globalThis.lossPlayground;
  const { side, START } = lp;

  const EQUAL = (experiment) =>
    `The interval leaves no room for a difference of more than ${experiment.closeness()}, here and with these settings.`;
  const OTHERWISE =
    "That is not what this experiment was made to show. Draw new data, and see whether it lasts.";
  const NEITHER = { text: "Neither: the seeds show no difference", when: "none", why: EQUAL };

  // The mean over the seeds of another metric than the one that the experiment shows.
  const other = (experiment, s, metric) => {
    const values = experiment.nets[s].map((net) => lp.metrics[metric].of(net, experiment.problem));
    return `${(100 * lp.mean(values)).toFixed(1)} %`;
  };

  lp.presets = [
    {
      id: "wrong-targets",
      title: "Wrong targets",
      question: "A sixth of the targets lies 4 too high. Which loss ends nearer to the true curve?",
      state: {
        ...START,
        wrong: 16,
        a: side("mean_squared_error", "linear", 0.01),
        b: side("mean_absolute_error", "linear", 0.01),
      },
      answers: [
        { text: "A: mean squared error", when: "a", why: OTHERWISE },
        {
          text: "B: mean absolute error",
          when: "b",
          why: "Under the squared error a point pulls the more, the farther off it is, so the few wrong ones draw the fit up. Under the absolute error all points pull alike, and the many right ones win.",
        },
        NEITHER,
      ],
      chapter: ["regression/mean_absolute_error", "Mean absolute error"],
    },
    {
      id: "one-number",
      title: "One number",
      question:
        "Huber’s loss twice, with δ = 0.3 and with δ = 3. Does one number decide whether wrong targets count?",
      state: {
        ...START,
        wrong: 16,
        a: side("huber", "linear", 0.01, { delta: 0.3 }),
        b: side("huber", "linear", 0.01, { delta: 3 }),
      },
      answers: [
        {
          text: "Yes, and δ = 0.3 ends nearer to the curve",
          when: "a",
          why: "No point pulls with more than δ. The wrong targets are 4 away: with δ = 0.3 they pull hardly more than others, with δ = 3 ten times as much.",
        },
        { text: "Yes, and δ = 3 ends nearer to the curve", when: "b", why: OTHERWISE },
        { text: "No: the seeds show no difference", when: "none", why: EQUAL },
      ],
      chapter: ["regression/huber", "Huber loss"],
    },
    {
      id: "a-quantile",
      title: "Ask for a quantile",
      question:
        "The pinball loss with τ = 0.9 (A) and τ = 0.1 (B). How many of the targets end below curve A?",
      state: {
        ...START,
        metric: "below",
        a: side("pinball", "linear", 0.01, { quantile: 0.9 }),
        b: side("pinball", "linear", 0.01, { quantile: 0.1 }),
      },
      answers: [
        { text: "About one in ten", when: ["a", 0, 0.3], why: OTHERWISE },
        { text: "About half", when: ["a", 0.3, 0.7], why: OTHERWISE },
        {
          text: "About nine in ten",
          when: ["a", 0.7, 1.01],
          why: "A prediction that is too low costs A nine times as much as one that is too high. The balance lies where nine targets in ten are below: data and network are the same for both, only the loss moves the curve.",
        },
      ],
      chapter: ["regression/quantile", "Quantiles"],
    },
    {
      id: "points-that-pull",
      title: "Points that pull",
      question:
        "Which share of the training points still pulls on the network of B, trained with the hinge loss?",
      state: {
        ...START,
        data: "circles",
        metric: "pulling",
        a: side("binary_crossentropy", "sigmoid", 0.1),
        b: side("hinge", "linear", 0.03),
      },
      answers: [
        { text: "Nearly all, as under cross-entropy", when: ["b", 0.9, 1.01], why: OTHERWISE },
        {
          text: "A part: between a tenth and two thirds",
          when: ["b", 0.1, 0.67],
          why: (experiment) =>
            `A point beyond the margin costs nothing under the hinge loss, and its pull ends. Cross-entropy never lets go: it wants more certainty of every point. What both decide is another matter: their test accuracies are ${other(experiment, "a", "accuracy")} and ${other(experiment, "b", "accuracy")}.`,
        },
        { text: "Hardly any", when: ["b", 0, 0.1], why: OTHERWISE },
      ],
      chapter: ["binary/hinge", "Hinge loss"],
    },
    {
      id: "flipped-labels",
      title: "Flipped labels",
      question: "Three labels in ten are wrong. Which loss decides better on clean test points?",
      state: {
        ...START,
        data: "circles",
        wrong: 30,
        metric: "accuracy",
        a: side("binary_crossentropy", "sigmoid", 0.03),
        b: side("mean_absolute_error", "sigmoid", 0.3),
      },
      answers: [
        {
          text: "A: binary cross-entropy",
          when: "a",
          why: "The absolute error shrugs off wrong targets, as in regression. But behind a sigmoid its pull is p (1 − p), which vanishes as soon as the network is sure of anything, right or wrong. A loss that is robust on paper still has to be trained.",
        },
        { text: "B: mean absolute error", when: "b", why: OTHERWISE },
        NEITHER,
      ],
      chapter: ["binary/comparing", "Comparing losses of two classes"],
    },
    {
      id: "a-rare-class",
      title: "A rare class",
      question:
        "One point in sixteen is of class 1. Under B, missing one costs nine times as much as a false alarm. Which has the better test accuracy?",
      state: {
        ...START,
        data: "rare",
        metric: "accuracy",
        epochs: 60,
        a: side("binary_crossentropy", "sigmoid", 0.01),
        b: side("tversky", "sigmoid", 0.03, { alpha: 0.1, beta: 0.9 }),
      },
      answers: [
        {
          text: "A: binary cross-entropy",
          when: "a",
          why: (experiment) =>
            `And yet A finds ${other(experiment, "a", "found")} of the rare class, and B ${other(experiment, "b", "found")}. Accuracy counts every false alarm as much as a miss. Which of the two you want is a question of costs, not of accuracy.`,
        },
        { text: "B: Tversky loss", when: "b", why: OTHERWISE },
        NEITHER,
      ],
      chapter: ["binary/class_imbalance", "Class imbalance"],
    },
    {
      id: "how-sure",
      title: "How sure?",
      question:
        "Both predict probabilities. Whose lie nearer to the true ones: cross-entropy’s or the focal loss’s?",
      state: {
        ...START,
        data: "circles",
        metric: "calibration",
        a: side("binary_crossentropy", "sigmoid", 0.1),
        b: side("binary_focal_crossentropy", "sigmoid", 0.1, { gamma: 2 }),
      },
      answers: [
        {
          text: "A: binary cross-entropy",
          when: "a",
          why: (experiment) =>
            `Cross-entropy is lowest at the true probability. The focal loss stops to care before it is reached, so its answers stay nearer to one half: its colors are paler. The decisions need not suffer: the test accuracies are ${other(experiment, "a", "accuracy")} and ${other(experiment, "b", "accuracy")}.`,
        },
        { text: "B: binary focal cross-entropy", when: "b", why: OTHERWISE },
        NEITHER,
      ],
      chapter: ["binary/binary_cross_entropy", "Binary cross-entropy"],
    },
    {
      id: "no-error-message",
      title: "No error message",
      question:
        "B differs from A in one word: softmax on its single unit. It trains, without an error. What happens?",
      state: {
        ...START,
        data: "circles",
        metric: "accuracy",
        epochs: 60,
        a: side("binary_crossentropy", "sigmoid", 0.1),
        b: side("binary_crossentropy", "softmax", 0.1),
      },
      answers: [
        { text: "Nothing: both decide equally well", when: "none", why: EQUAL },
        {
          text: "B gets stuck",
          when: "a",
          why: (experiment) =>
            `A softmax divides by the sum over its units. Of one unit that makes 1, always: B says class 1 to everything. Its own loss tells nothing of it: ${lp.minus(experiment.firstLoss.b.toPrecision(3))} before the training, ${lp.minus(experiment.ownLoss("b").toPrecision(3))} after it, since Keras computes it from the score before the softmax. The checker sees the mistake before any training.`,
        },
        { text: "B decides better", when: "b", why: OTHERWISE },
      ],
      chapter: ["practice/mistakes", "Mistakes that raise no error"],
    },
    {
      id: "three-classes",
      title: "Three classes",
      question:
        "Squared error on probabilities is no loss for classes, they say. What does it cost in test accuracy?",
      state: {
        ...START,
        data: "blobs",
        metric: "accuracy",
        epochs: 60,
        a: side("categorical_crossentropy", "softmax", 0.03),
        b: side("mean_squared_error", "softmax", 0.03),
      },
      answers: [
        { text: "It costs accuracy: A is ahead", when: "a", why: OTHERWISE },
        {
          text: "Nothing that the seeds can show",
          when: "none",
          why: (experiment) =>
            `Squared error, too, is lowest at the true probabilities, so on this problem it decides as well. In distance to the true probabilities the two are ${other(experiment, "a", "calibration")} and ${other(experiment, "b", "calibration")} off. Where a network starts out sure of the wrong class, cross-entropy pulls harder.`,
        },
        {
          text: "It is better here: B is ahead",
          when: "b",
          why: "By so much, on this draw of the data. Squared error, too, is lowest at the true probabilities; another draw may say otherwise.",
        },
      ],
      chapter: ["multiclass/comparing", "Comparing losses of many classes"],
    },
  ];

  // The answer that the measurement makes right; undefined where none of them is, and null where
  // these seeds do not decide: one seed never does.
  lp.rightAnswer = ({ answers }, experiment) => {
    if (experiment.state.seeds === 1) return null;
    if (typeof answers[0].when === "string") {
      const ahead = experiment.ahead();
      return ahead && answers.find(({ when }) => when === ahead);
    }
    const { low, high } = experiment.interval(answers[0].when[0]);
    const met = answers.filter(({ when: [, from, to] }) => high >= from && low < to);
    const inside = met.find(({ when: [, from, to] }) => low >= from && high < to);
    return inside ?? (met.length ? null : undefined);
  };
})();
