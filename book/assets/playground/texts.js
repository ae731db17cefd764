// Written by tools/playground.py: what the catalogue and check_setup say.
"use strict";
globalThis.lossPlayground.texts = {
 "losses": {
  "mean_squared_error": {
   "title": "Mean squared error",
   "note": "The constant that minimizes it is the mean, so a few outliers move the whole fit.",
   "fits": [
    "linear"
   ],
   "call": "keras.losses.MeanSquaredError()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "mean_absolute_error": {
   "title": "Mean absolute error",
   "note": "The constant that minimizes it is the median, not the mean.",
   "fits": [
    "linear"
   ],
   "call": "keras.losses.MeanAbsoluteError()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "huber": {
   "title": "Huber loss",
   "note": "Delta has the unit of the target: 1 is far too small for prices in the thousands, and too large for targets between 0 and 1.",
   "fits": [
    "linear"
   ],
   "call": "keras.losses.Huber(delta={delta})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "delta",
     "symbol": "δ",
     "low": 0.1,
     "high": 3,
     "step": 0.1
    }
   ],
   "defaults": {
    "delta": 1.0
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "log_cosh": {
   "title": "Log-cosh loss",
   "note": "It has no parameter: the change from squared to absolute happens at an error of about 1, in whatever unit the target has.",
   "fits": [
    "linear"
   ],
   "call": "keras.losses.LogCosh()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "mean_squared_logarithmic_error": {
   "title": "Mean squared logarithmic error",
   "note": "Negative predictions are raised to 1e-7 without a word and have no gradient: for the target 5 and the prediction -1 the loss is 3.21, and nothing moves the prediction.",
   "fits": [
    "exponential",
    "softplus",
    "relu"
   ],
   "call": "keras.losses.MeanSquaredLogarithmicError()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "poisson": {
   "title": "Poisson loss",
   "note": "A linear output predicts negative rates, whose logarithm is NaN.",
   "fits": [
    "exponential",
    "softplus"
   ],
   "call": "keras.losses.Poisson()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "pinball": {
   "title": "Pinball loss",
   "note": "Models trained one by one for several quantiles can cross: the 0.9 quantile of a sample below its 0.1 quantile.",
   "fits": [
    "linear"
   ],
   "call": "keras_losses.Pinball(quantile={quantile})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "quantile",
     "symbol": "τ",
     "low": 0.05,
     "high": 0.95,
     "step": 0.05
    }
   ],
   "defaults": {
    "quantile": 0.5
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "gaussian_negative_log_likelihood": {
   "title": "Gaussian negative log-likelihood",
   "note": "Log variances, not variances or standard deviations: an output that is taken for another of the three trains without an error.",
   "fits": [
    "linear"
   ],
   "call": "keras_losses.GaussianNegativeLogLikelihood()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 2,
   "integers": false,
   "margin": false
  },
  "binary_crossentropy": {
   "title": "Binary cross-entropy",
   "note": "On a linear output without `from_logits=True`, scores outside 0 to 1 are clipped and get no gradient.",
   "fits": [
    "sigmoid"
   ],
   "call": "keras.losses.BinaryCrossentropy(label_smoothing={label_smoothing})",
   "fromLogits": "keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing={label_smoothing})",
   "parameters": [
    {
     "name": "label_smoothing",
     "symbol": "ε",
     "low": 0,
     "high": 0.5,
     "step": 0.05
    }
   ],
   "defaults": {
    "label_smoothing": 0.0
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "binary_focal_crossentropy": {
   "title": "Binary focal cross-entropy",
   "note": "`alpha` has no effect unless `apply_class_balancing=True`.",
   "fits": [
    "sigmoid"
   ],
   "call": "keras.losses.BinaryFocalCrossentropy(gamma={gamma})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "gamma",
     "symbol": "γ",
     "low": 0,
     "high": 5,
     "step": 0.5
    }
   ],
   "defaults": {
    "gamma": 2.0
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "hinge": {
   "title": "Hinge loss",
   "note": "Labels 0 and 1 are converted only if every label of the batch is 0 or 1.",
   "fits": [
    "linear",
    "tanh"
   ],
   "call": "keras.losses.Hinge()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": true
  },
  "squared_hinge": {
   "title": "Squared hinge loss",
   "note": "As for the hinge loss: labels 0 and 1 are converted only if all are 0 or 1, and accuracy needs a threshold of 0.",
   "fits": [
    "linear",
    "tanh"
   ],
   "call": "keras.losses.SquaredHinge()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": true
  },
  "dice": {
   "title": "Dice loss",
   "note": "With `axis=None` the loss is one number for the whole batch: it depends on which images share a batch, and `reduction` has no effect.",
   "fits": [
    "sigmoid",
    "softmax"
   ],
   "call": "keras.losses.Dice()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "tversky": {
   "title": "Tversky loss",
   "note": "Keras 3.15 exchanges alpha and beta: `keras.losses.Tversky(alpha=a, beta=b)` weighs false negatives by a.",
   "fits": [
    "sigmoid",
    "softmax"
   ],
   "call": "keras.losses.Tversky(alpha={beta}, beta={alpha})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "alpha",
     "symbol": "α",
     "low": 0.1,
     "high": 0.9,
     "step": 0.1
    },
    {
     "name": "beta",
     "symbol": "β",
     "low": 0.1,
     "high": 0.9,
     "step": 0.1
    }
   ],
   "defaults": {
    "beta": 0.5,
    "alpha": 0.5
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "categorical_crossentropy": {
   "title": "Categorical cross-entropy",
   "note": "Integer labels raise an error here.",
   "fits": [
    "softmax"
   ],
   "call": "keras.losses.CategoricalCrossentropy(label_smoothing={label_smoothing})",
   "fromLogits": "keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing={label_smoothing})",
   "parameters": [
    {
     "name": "label_smoothing",
     "symbol": "ε",
     "low": 0,
     "high": 0.5,
     "step": 0.05
    }
   ],
   "defaults": {
    "label_smoothing": 0.0
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "sparse_categorical_crossentropy": {
   "title": "Sparse categorical cross-entropy",
   "note": "One-hot labels raise an error here.",
   "fits": [
    "softmax"
   ],
   "call": "keras.losses.SparseCategoricalCrossentropy()",
   "fromLogits": "keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": true,
   "margin": false
  },
  "kl_divergence": {
   "title": "Kullback–Leibler divergence",
   "note": "For fixed targets it is cross-entropy less a constant: the gradient is the same, and on hard labels so is the value.",
   "fits": [
    "softmax"
   ],
   "call": "keras.losses.KLDivergence()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "categorical_focal_crossentropy": {
   "title": "Categorical focal cross-entropy",
   "note": "`alpha=0.25` always applies: with gamma=0 the loss is a quarter of cross-entropy, and the gradient with it.",
   "fits": [
    "softmax"
   ],
   "call": "keras.losses.CategoricalFocalCrossentropy(alpha={alpha}, gamma={gamma})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "gamma",
     "symbol": "γ",
     "low": 0,
     "high": 5,
     "step": 0.5
    }
   ],
   "defaults": {
    "alpha": 0.25,
    "gamma": 2.0
   },
   "units": 1,
   "integers": false,
   "margin": false
  },
  "categorical_generalized_cross_entropy": {
   "title": "Generalized cross-entropy",
   "note": "Despite its name it takes integer labels.",
   "fits": [
    "softmax"
   ],
   "call": "keras.losses.CategoricalGeneralizedCrossEntropy(q={q})",
   "fromLogits": "",
   "parameters": [
    {
     "name": "q",
     "symbol": "q",
     "low": 0.1,
     "high": 0.9,
     "step": 0.1
    }
   ],
   "defaults": {
    "q": 0.5
   },
   "units": 1,
   "integers": true,
   "margin": false
  },
  "categorical_hinge": {
   "title": "Categorical hinge loss",
   "note": "The score of the true class enters the inner maximum as 0.",
   "fits": [
    "linear"
   ],
   "call": "keras.losses.CategoricalHinge()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  },
  "multiclass_hinge": {
   "title": "Multiclass hinge loss",
   "note": "Labels are 0 and 1, one-hot; the largest score decides, whatever its sign.",
   "fits": [
    "linear"
   ],
   "call": "keras_losses.MulticlassHinge()",
   "fromLogits": "",
   "parameters": [],
   "defaults": {},
   "units": 1,
   "integers": false,
   "margin": false
  }
 },
 "kinds": {
  "numbers": {
   "losses": {
    "mean_squared_error": [
     "linear",
     "sigmoid",
     "tanh"
    ],
    "mean_absolute_error": [
     "linear",
     "sigmoid",
     "tanh"
    ],
    "huber": [
     "linear",
     "sigmoid",
     "tanh"
    ],
    "log_cosh": [
     "linear",
     "sigmoid",
     "tanh"
    ],
    "pinball": [
     "linear",
     "sigmoid",
     "tanh"
    ],
    "gaussian_negative_log_likelihood": [
     "linear"
    ]
   },
   "outputs": [
    "linear",
    "sigmoid",
    "tanh"
   ]
  },
  "counts": {
   "losses": {
    "poisson": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "mean_squared_error": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "mean_absolute_error": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "huber": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "log_cosh": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "pinball": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ],
    "mean_squared_logarithmic_error": [
     "exponential",
     "softplus",
     "linear",
     "relu"
    ]
   },
   "outputs": [
    "exponential",
    "softplus",
    "linear",
    "relu"
   ]
  },
  "two": {
   "losses": {
    "binary_crossentropy": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax",
     "logits"
    ],
    "binary_focal_crossentropy": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "hinge": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "squared_hinge": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "mean_squared_error": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "mean_absolute_error": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "dice": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ],
    "tversky": [
     "sigmoid",
     "linear",
     "tanh",
     "softmax"
    ]
   },
   "outputs": [
    "sigmoid",
    "linear",
    "tanh",
    "softmax",
    "logits"
   ]
  },
  "many": {
   "losses": {
    "categorical_crossentropy": [
     "softmax",
     "linear",
     "sigmoid",
     "logits"
    ],
    "sparse_categorical_crossentropy": [
     "softmax",
     "linear",
     "sigmoid",
     "logits"
    ],
    "kl_divergence": [
     "softmax",
     "linear",
     "sigmoid"
    ],
    "categorical_focal_crossentropy": [
     "softmax",
     "linear",
     "sigmoid"
    ],
    "categorical_generalized_cross_entropy": [
     "softmax",
     "sigmoid"
    ],
    "categorical_hinge": [
     "softmax",
     "linear",
     "sigmoid"
    ],
    "multiclass_hinge": [
     "softmax",
     "linear",
     "sigmoid"
    ],
    "mean_squared_error": [
     "softmax",
     "linear",
     "sigmoid"
    ],
    "mean_absolute_error": [
     "softmax",
     "linear",
     "sigmoid"
    ]
   },
   "outputs": [
    "softmax",
    "linear",
    "sigmoid",
    "logits"
   ]
  }
 },
 "problems": {
  "curve": {
   "kind": "numbers",
   "title": "A curve",
   "wrong": "Targets moved up by 4",
   "metrics": [
    "rmse",
    "below"
   ]
  },
  "counts": {
   "kind": "counts",
   "title": "Counts",
   "wrong": "Counts with a zero too many",
   "metrics": [
    "rmse",
    "below"
   ]
  },
  "circles": {
   "kind": "two",
   "title": "Two circles",
   "wrong": "Labels flipped",
   "metrics": [
    "accuracy",
    "calibration",
    "pulling"
   ]
  },
  "blobs": {
   "kind": "many",
   "title": "Three clusters",
   "wrong": "Labels flipped",
   "metrics": [
    "accuracy",
    "calibration",
    "pulling"
   ]
  },
  "rare": {
   "kind": "two",
   "title": "A rare class",
   "wrong": "Labels flipped",
   "metrics": [
    "f1",
    "accuracy",
    "found",
    "calibration",
    "pulling"
   ]
  },
  "own_numbers": {
   "kind": "numbers",
   "title": "Your own numbers",
   "wrong": "",
   "metrics": [
    "rmse",
    "below"
   ]
  },
  "own_labels": {
   "kind": "two",
   "title": "Your own two classes",
   "wrong": "",
   "metrics": [
    "accuracy",
    "pulling"
   ]
  }
 },
 "metrics": {
  "rmse": "RMSE to the true curve",
  "below": "share of the training targets below the fit",
  "accuracy": "test accuracy",
  "f1": "F1 of the rare class, on the test set",
  "found": "share of the rare class that is found, on the test set",
  "calibration": "mean distance to the true probability",
  "pulling": "share of the training points that pull"
 },
 "ownMetrics": {
  "rmse": "RMSE on your points",
  "accuracy": "accuracy on your points"
 },
 "outputs": {
  "logits": "linear, from_logits=True"
 },
 "says": [
  [
   "error",
   "targets-outside-output",
   "the targets go from -1.60371 to 1.7546, and the output layer ends in 'sigmoid', which goes from 0 to 1",
   "end in a linear layer, Dense(1), or scale the targets into this range"
  ],
  [
   "error",
   "targets-outside-output",
   "the targets go from -1.60371 to 1.7546, and the output layer ends in 'tanh', which goes from -1 to 1",
   "end in a linear layer, Dense(1), or scale the targets into this range"
  ],
  [
   "error",
   "poisson-output",
   "the output layer ends in 'linear', which may be negative, and poisson takes means above 0",
   "end in activation='exponential' or 'softplus'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and binary_crossentropy takes them for such",
   "end in activation='sigmoid', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'tanh', whose values are no probabilities, and binary_crossentropy takes them for such",
   "end in activation='sigmoid', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "softmax-one-unit",
   "the output layer is a softmax over 1 unit, so that every prediction is 1.0",
   "for two classes: Dense(1, activation='sigmoid') with 'binary_crossentropy'; for K classes: Dense(K, activation='softmax'); for a number: Dense(1)"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and binary_focal_crossentropy takes them for such",
   "end in activation='sigmoid', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'tanh', whose values are no probabilities, and binary_focal_crossentropy takes them for such",
   "end in activation='sigmoid', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "hinge-output",
   "the output layer ends in 'sigmoid', which is never negative, and hinge decides by the sign",
   "end in Dense(1), or activation='tanh'; for probabilities: a sigmoid with 'binary_crossentropy'"
  ],
  [
   "error",
   "hinge-output",
   "the output layer ends in 'softmax', which is never negative, and hinge decides by the sign",
   "end in Dense(1), or activation='tanh'; for probabilities: a sigmoid with 'binary_crossentropy'"
  ],
  [
   "error",
   "hinge-output",
   "the output layer ends in 'sigmoid', which is never negative, and squared_hinge decides by the sign",
   "end in Dense(1), or activation='tanh'; for probabilities: a sigmoid with 'binary_crossentropy'"
  ],
  [
   "error",
   "hinge-output",
   "the output layer ends in 'softmax', which is never negative, and squared_hinge decides by the sign",
   "end in Dense(1), or activation='tanh'; for probabilities: a sigmoid with 'binary_crossentropy'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_squared_error",
   "activation='sigmoid' with 'binary_crossentropy'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_absolute_error",
   "activation='sigmoid' with 'binary_crossentropy'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and dice takes them for such",
   "end in activation='sigmoid'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'tanh', whose values are no probabilities, and dice takes them for such",
   "end in activation='sigmoid'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and tversky takes them for such",
   "end in activation='sigmoid'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'tanh', whose values are no probabilities, and tversky takes them for such",
   "end in activation='sigmoid'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and categorical_crossentropy takes them for such",
   "end in activation='softmax', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "sigmoid-categorical",
   "the output layer ends in 'sigmoid' with 3 units, and categorical_crossentropy takes a row of probabilities that add up to 1",
   "for exclusive classes: activation='softmax'; for several labels at once: 'binary_crossentropy'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and sparse_categorical_crossentropy takes them for such",
   "end in activation='softmax', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "sigmoid-categorical",
   "the output layer ends in 'sigmoid' with 3 units, and sparse_categorical_crossentropy takes a row of probabilities that add up to 1",
   "for exclusive classes: activation='softmax'; for several labels at once: 'binary_crossentropy'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and kl_divergence takes them for such",
   "end in activation='softmax'"
  ],
  [
   "error",
   "sigmoid-categorical",
   "the output layer ends in 'sigmoid' with 3 units, and kl_divergence takes a row of probabilities that add up to 1",
   "for exclusive classes: activation='softmax'; for several labels at once: 'binary_crossentropy'"
  ],
  [
   "error",
   "logits-as-probabilities",
   "the output layer ends in 'linear', whose values are no probabilities, and categorical_focal_crossentropy takes them for such",
   "end in activation='softmax', or end in a linear layer and give the loss from_logits=True"
  ],
  [
   "error",
   "sigmoid-categorical",
   "the output layer ends in 'sigmoid' with 3 units, and categorical_focal_crossentropy takes a row of probabilities that add up to 1",
   "for exclusive classes: activation='softmax'; for several labels at once: 'binary_crossentropy'"
  ],
  [
   "error",
   "sigmoid-categorical",
   "the output layer ends in 'sigmoid' with 3 units, and categorical_generalized_cross_entropy takes a row of probabilities that add up to 1",
   "for exclusive classes: activation='softmax'; for several labels at once: 'binary_crossentropy'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_squared_error",
   "'categorical_crossentropy'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_squared_error",
   "'categorical_crossentropy' after activation='softmax'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_absolute_error",
   "'categorical_crossentropy'"
  ],
  [
   "warning",
   "regression-loss-for-classes",
   "the targets are classes (0, 1), and the loss is mean_absolute_error",
   "'categorical_crossentropy' after activation='softmax'"
  ],
  [
   "error",
   "targets-outside-output",
   "the targets go from -0.75 to 1.75, and the output layer ends in 'sigmoid', which goes from 0 to 1",
   "end in a linear layer, Dense(1), or scale the targets into this range"
  ],
  [
   "error",
   "targets-outside-output",
   "the targets go from -0.75 to 1.75, and the output layer ends in 'tanh', which goes from -1 to 1",
   "end in a linear layer, Dense(1), or scale the targets into this range"
  ]
 ],
 "findings": {
  "curve": {
   "mean_squared_error/sigmoid": [
    0
   ],
   "mean_squared_error/tanh": [
    1
   ],
   "mean_absolute_error/sigmoid": [
    0
   ],
   "mean_absolute_error/tanh": [
    1
   ],
   "huber/sigmoid": [
    0
   ],
   "huber/tanh": [
    1
   ],
   "log_cosh/sigmoid": [
    0
   ],
   "log_cosh/tanh": [
    1
   ],
   "pinball/sigmoid": [
    0
   ],
   "pinball/tanh": [
    1
   ]
  },
  "counts": {
   "poisson/linear": [
    2
   ]
  },
  "circles": {
   "binary_crossentropy/linear": [
    3
   ],
   "binary_crossentropy/tanh": [
    4
   ],
   "binary_crossentropy/softmax": [
    5
   ],
   "binary_focal_crossentropy/linear": [
    6
   ],
   "binary_focal_crossentropy/tanh": [
    7
   ],
   "binary_focal_crossentropy/softmax": [
    5
   ],
   "hinge/sigmoid": [
    8
   ],
   "hinge/softmax": [
    5,
    9
   ],
   "squared_hinge/sigmoid": [
    10
   ],
   "squared_hinge/softmax": [
    5,
    11
   ],
   "mean_squared_error/sigmoid": [
    12
   ],
   "mean_squared_error/softmax": [
    5,
    12
   ],
   "mean_absolute_error/sigmoid": [
    13
   ],
   "mean_absolute_error/softmax": [
    5,
    13
   ],
   "dice/linear": [
    14
   ],
   "dice/tanh": [
    15
   ],
   "dice/softmax": [
    5
   ],
   "tversky/linear": [
    16
   ],
   "tversky/tanh": [
    17
   ],
   "tversky/softmax": [
    5
   ]
  },
  "blobs": {
   "categorical_crossentropy/linear": [
    18
   ],
   "categorical_crossentropy/sigmoid": [
    19
   ],
   "sparse_categorical_crossentropy/linear": [
    20
   ],
   "sparse_categorical_crossentropy/sigmoid": [
    21
   ],
   "kl_divergence/linear": [
    22
   ],
   "kl_divergence/sigmoid": [
    23
   ],
   "categorical_focal_crossentropy/linear": [
    24
   ],
   "categorical_focal_crossentropy/sigmoid": [
    25
   ],
   "categorical_generalized_cross_entropy/sigmoid": [
    26
   ],
   "mean_squared_error/softmax": [
    27
   ],
   "mean_squared_error/sigmoid": [
    28
   ],
   "mean_absolute_error/softmax": [
    29
   ],
   "mean_absolute_error/sigmoid": [
    30
   ]
  },
  "rare": {
   "binary_crossentropy/linear": [
    3
   ],
   "binary_crossentropy/tanh": [
    4
   ],
   "binary_crossentropy/softmax": [
    5
   ],
   "binary_focal_crossentropy/linear": [
    6
   ],
   "binary_focal_crossentropy/tanh": [
    7
   ],
   "binary_focal_crossentropy/softmax": [
    5
   ],
   "hinge/sigmoid": [
    8
   ],
   "hinge/softmax": [
    5,
    9
   ],
   "squared_hinge/sigmoid": [
    10
   ],
   "squared_hinge/softmax": [
    5,
    11
   ],
   "mean_squared_error/sigmoid": [
    12
   ],
   "mean_squared_error/softmax": [
    5,
    12
   ],
   "mean_absolute_error/sigmoid": [
    13
   ],
   "mean_absolute_error/softmax": [
    5,
    13
   ],
   "dice/linear": [
    14
   ],
   "dice/tanh": [
    15
   ],
   "dice/softmax": [
    5
   ],
   "tversky/linear": [
    16
   ],
   "tversky/tanh": [
    17
   ],
   "tversky/softmax": [
    5
   ]
  },
  "own_numbers": {
   "mean_squared_error/sigmoid": [
    31
   ],
   "mean_squared_error/tanh": [
    32
   ],
   "mean_absolute_error/sigmoid": [
    31
   ],
   "mean_absolute_error/tanh": [
    32
   ],
   "huber/sigmoid": [
    31
   ],
   "huber/tanh": [
    32
   ],
   "log_cosh/sigmoid": [
    31
   ],
   "log_cosh/tanh": [
    32
   ],
   "pinball/sigmoid": [
    31
   ],
   "pinball/tanh": [
    32
   ]
  },
  "own_labels": {
   "binary_crossentropy/linear": [
    3
   ],
   "binary_crossentropy/tanh": [
    4
   ],
   "binary_crossentropy/softmax": [
    5
   ],
   "binary_focal_crossentropy/linear": [
    6
   ],
   "binary_focal_crossentropy/tanh": [
    7
   ],
   "binary_focal_crossentropy/softmax": [
    5
   ],
   "hinge/sigmoid": [
    8
   ],
   "hinge/softmax": [
    5,
    9
   ],
   "squared_hinge/sigmoid": [
    10
   ],
   "squared_hinge/softmax": [
    5,
    11
   ],
   "mean_squared_error/softmax": [
    5
   ],
   "mean_absolute_error/softmax": [
    5
   ],
   "dice/linear": [
    14
   ],
   "dice/tanh": [
    15
   ],
   "dice/softmax": [
    5
   ],
   "tversky/linear": [
    16
   ],
   "tversky/tanh": [
    17
   ],
   "tversky/softmax": [
    5
   ]
  }
 },
 "student": [
  0,
  0,
  12.706205,
  4.302653,
  3.182446,
  2.776445,
  2.570582,
  2.446912,
  2.364624,
  2.306004,
  2.262157,
  2.228139,
  2.200985,
  2.178813,
  2.160369,
  2.144787,
  2.13145,
  2.119905,
  2.109816,
  2.100922,
  2.093024
 ],
 "python": {
  "curve": [
   "def uniform(seed, size):\n    \"\"\"Return the playground's random numbers from 0 to 1 (mulberry32).\"\"\"\n    count = np.arange(1, size + 1, dtype=np.uint32)\n    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)\n    t = (a ^ (a >> 15)) * (a | 1)\n    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t\n    return (t ^ (t >> 14)) / 2**32\n",
   "def normal(seed, size):\n    \"\"\"Return standard normal numbers, by the method of Box and Muller.\"\"\"\n    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))\n    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))\n",
   "def curve(draw):\n    \"\"\"Draw a curve with noise; the test targets are the curve itself.\"\"\"\n    seed = 1000 * draw + 100\n    x = 6 * uniform(seed, 150).reshape(-1, 1) - 3\n    y = 1.2 * np.sin(1.5 * x) + 0.25 * normal(seed + 1, 150).reshape(-1, 1)\n    x_test = np.linspace(-3, 3, 121).reshape(-1, 1)\n    return x, y, x_test, 1.2 * np.sin(1.5 * x_test)\n",
   "def wrong_rows(size, percent, draw):\n    \"\"\"Return the rows whose target is wrong; a larger share keeps those of a smaller one.\"\"\"\n    chosen = np.argsort(uniform(1000 * draw + 900, size), kind=\"stable\")\n    return chosen[: int(percent / 100 * size + 0.5)]\n"
  ],
  "counts": [
   "def uniform(seed, size):\n    \"\"\"Return the playground's random numbers from 0 to 1 (mulberry32).\"\"\"\n    count = np.arange(1, size + 1, dtype=np.uint32)\n    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)\n    t = (a ^ (a >> 15)) * (a | 1)\n    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t\n    return (t ^ (t >> 14)) / 2**32\n",
   "def normal(seed, size):\n    \"\"\"Return standard normal numbers, by the method of Box and Muller.\"\"\"\n    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))\n    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))\n",
   "def counts(draw):\n    \"\"\"Draw counts around a mean that grows; the test targets are the mean.\"\"\"\n    seed = 1000 * draw + 200\n    x = 6 * uniform(seed, 208).reshape(-1, 1) - 3\n    mean = np.exp(0.6 + 0.5 * x)\n    ratios = np.hstack([np.ones_like(mean), mean / np.arange(1, 40)])\n    below = np.cumsum(np.exp(-mean) * np.cumprod(ratios, axis=1), axis=1)\n    y = (uniform(seed + 1, 208).reshape(-1, 1) > below).sum(axis=1, keepdims=True).astype(float)\n    x_test = np.linspace(-3, 3, 121).reshape(-1, 1)\n    return x, y, x_test, np.exp(0.6 + 0.5 * x_test)\n",
   "def wrong_rows(size, percent, draw):\n    \"\"\"Return the rows whose target is wrong; a larger share keeps those of a smaller one.\"\"\"\n    chosen = np.argsort(uniform(1000 * draw + 900, size), kind=\"stable\")\n    return chosen[: int(percent / 100 * size + 0.5)]\n"
  ],
  "circles": [
   "def uniform(seed, size):\n    \"\"\"Return the playground's random numbers from 0 to 1 (mulberry32).\"\"\"\n    count = np.arange(1, size + 1, dtype=np.uint32)\n    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)\n    t = (a ^ (a >> 15)) * (a | 1)\n    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t\n    return (t ^ (t >> 14)) / 2**32\n",
   "def normal(seed, size):\n    \"\"\"Return standard normal numbers, by the method of Box and Muller.\"\"\"\n    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))\n    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))\n",
   "def circles(draw):\n    \"\"\"Draw two circles, blurred; the inner one is class 1.\"\"\"\n\n    def points(seed, size):\n        y = np.arange(size) % 2\n        angle = 2 * np.pi * uniform(seed, size)\n        radius = np.where(y == 1, 0.8, 1.0)\n        x = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])\n        x += 0.1 * np.column_stack([normal(seed + 1, size), normal(seed + 3, size)])\n        return x, y.reshape(-1, 1).astype(float)\n\n    return *points(1000 * draw + 300, 500), *points(1000 * draw + 320, 500)\n",
   "def wrong_rows(size, percent, draw):\n    \"\"\"Return the rows whose target is wrong; a larger share keeps those of a smaller one.\"\"\"\n    chosen = np.argsort(uniform(1000 * draw + 900, size), kind=\"stable\")\n    return chosen[: int(percent / 100 * size + 0.5)]\n"
  ],
  "blobs": [
   "def uniform(seed, size):\n    \"\"\"Return the playground's random numbers from 0 to 1 (mulberry32).\"\"\"\n    count = np.arange(1, size + 1, dtype=np.uint32)\n    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)\n    t = (a ^ (a >> 15)) * (a | 1)\n    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t\n    return (t ^ (t >> 14)) / 2**32\n",
   "def normal(seed, size):\n    \"\"\"Return standard normal numbers, by the method of Box and Muller.\"\"\"\n    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))\n    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))\n",
   "def blobs(draw):\n    \"\"\"Draw three overlapping clusters; targets are one-hot.\"\"\"\n\n    def points(seed, size):\n        label = np.arange(size) % 3\n        centers = np.array([[-2.5, -1.5], [2.5, -1.5], [0.0, 2.5]])\n        x = centers[label] + 1.8 * np.column_stack([normal(seed, size), normal(seed + 2, size)])\n        return x, np.eye(3)[label]\n\n    return *points(1000 * draw + 400, 300), *points(1000 * draw + 420, 600)\n",
   "def wrong_rows(size, percent, draw):\n    \"\"\"Return the rows whose target is wrong; a larger share keeps those of a smaller one.\"\"\"\n    chosen = np.argsort(uniform(1000 * draw + 900, size), kind=\"stable\")\n    return chosen[: int(percent / 100 * size + 0.5)]\n",
   "def next_class(draw, size, classes):\n    \"\"\"Return how many classes further a wrong label is.\"\"\"\n    return 1 + (uniform(1000 * draw + 901, size) * (classes - 1)).astype(int)\n"
  ],
  "rare": [
   "def uniform(seed, size):\n    \"\"\"Return the playground's random numbers from 0 to 1 (mulberry32).\"\"\"\n    count = np.arange(1, size + 1, dtype=np.uint32)\n    a = np.uint32(seed) + count * np.uint32(0x6D2B79F5)\n    t = (a ^ (a >> 15)) * (a | 1)\n    t = (t + (t ^ (t >> 7)) * (t | 61)) ^ t\n    return (t ^ (t >> 14)) / 2**32\n",
   "def normal(seed, size):\n    \"\"\"Return standard normal numbers, by the method of Box and Muller.\"\"\"\n    radius = np.sqrt(-2 * np.log(1 - uniform(seed, size)))\n    return radius * np.cos(2 * np.pi * uniform(seed + 1, size))\n",
   "def rare(draw):\n    \"\"\"Draw a cloud of class 0, and within it a smaller one of class 1: one row in sixteen.\"\"\"\n\n    def points(seed, size):\n        y = (np.arange(size) % 16 == 0).astype(float).reshape(-1, 1)\n        noise = np.column_stack([normal(seed, size), normal(seed + 2, size)])\n        return np.where(y == 1, 1.5 + 0.7 * noise, noise), y\n\n    return *points(1000 * draw + 500, 656), *points(1000 * draw + 520, 1280)\n",
   "def wrong_rows(size, percent, draw):\n    \"\"\"Return the rows whose target is wrong; a larger share keeps those of a smaller one.\"\"\"\n    chosen = np.argsort(uniform(1000 * draw + 900, size), kind=\"stable\")\n    return chosen[: int(percent / 100 * size + 0.5)]\n"
  ],
  "own_numbers": [
   "def own_numbers(draw):\n    \"\"\"Return a few points to drag; all that is measured is measured on them.\"\"\"\n    x = np.linspace(-2.5, 2.5, 11).reshape(-1, 1)\n    y = 0.5 * x + 0.5\n    return x, y, x, y\n"
  ],
  "own_labels": [
   "def own_labels(draw):\n    \"\"\"Return a few points of two classes to drag; all is measured on them.\"\"\"\n    x = np.array(\n        [\n            *([-2.0, -1.0], [-1.5, 0.5], [-1.0, -0.5], [-0.5, 1.0], [-0.5, -1.5], [-2.0, 1.0]),\n            *([0.5, -0.5], [1.0, 0.5], [1.5, -1.0], [1.5, 1.0], [2.0, 0.0], [0.5, 1.5]),\n        ]\n    )\n    y = np.repeat([0.0, 1.0], 6).reshape(-1, 1)\n    return x, y, x, y\n"
  ]
 }
};
