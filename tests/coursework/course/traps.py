"""Wrong answers whose grades are known: each known trap of the homeworks is a change of the source.

A trap costs points of its own question and of no other. `HOSTILE` are answers that attack the
grader; what they score is the truth about the rest of the module.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Trap:
    """A mistake.

    Attributes
    ----------
    name
        The mistake in words.
    question
        Which question it costs.
    path
        The module.
    changes
        What stands in the right answer, and what stands there instead.
    """

    name: str
    question: str
    path: str
    changes: tuple[tuple[str, str], ...]

    def applied(self, source: str) -> str:
        """Return a module with the mistake; each change has to match exactly once."""
        for old, new in self.changes:
            assert source.count(old) == 1, (
                f"{self.name}: {old!r} is there {source.count(old)} times"
            )
            source = source.replace(old, new)
        return source


def _traps(question: str, path: str, *rows: tuple[str, str, str]) -> list[Trap]:
    return [Trap(name, question, path, ((old, new),)) for name, old, new in rows]


EXTRACTOR, PIPELINE = "hw3/features/extractor.py", "hw3/features/pipeline.py"
EXTRACTION, SOFTMAX = "hw3/features/extraction.py", "hw3/softmax.py"
REGRESSION, ROC = "hw3/softmax_regression.py", "hw3/roc.py"
NETWORKS, TRAINING = "hw4/flowers/networks.py", "hw4/flowers/training.py"
LINEAR, BATCHES = "hw4/imbalanced/linear_net.py", "hw4/imbalanced/batches.py"
MEASURES, EXPERIMENT = "hw4/imbalanced/measures.py", "hw4/flowers/experiment.py"

TRAPS = [
    *_traps(
        "hw3_q1",
        EXTRACTOR,
        ("frozen BatchNorm moves", "return super().train(False)", "return super().train(mode)"),
        (
            "the final layer stays",
            "    setattr(network, BACKBONES[backbone].head, nn.Identity())\n",
            "",
        ),
        (
            "pretrained by mistake",
            "build_classifier(backbone, weights, seed=seed)",
            'build_classifier(backbone, weights or "imagenet", seed=seed)',
        ),
        (
            "unseeded network",
            "build_classifier(backbone, weights, seed=seed)",
            "build_classifier(backbone, weights, seed=torch.seed() % 1000 + 1)",
        ),
    ),
    *_traps(
        "hw3_q1",
        PIPELINE,
        ("not divided by the deviation", "x = (x - self.mean) / self.std", "x = x - self.mean"),
        ("mean not subtracted", "x = (x - self.mean) / self.std", "x = x / self.std"),
        (
            "one channel instead of three equal ones",
            "return x.expand(-1, 3, -1, -1)",
            "return torch.cat([x, 0 * x, 0 * x], 1)",
        ),
        (
            "always resized",
            "if self.image_size is not None and x.shape[-2:] != (self.image_size, self.image_size):"
            "\n            size = (self.image_size, self.image_size)",
            "if True:\n            size = (self.image_size or 224, self.image_size or 224)",
        ),
    ),
    *_traps(
        "hw3_q1",
        EXTRACTION,
        (
            "the last image of each batch dropped",
            "features[place] = pipeline(images)",
            "features[place] = np.vstack([pipeline(images)[:-1], 0 * pipeline(images)[-1:]])",
        ),
        (
            "one image at a time",
            "features[place] = pipeline(images)",
            "features[place] = np.vstack([pipeline(image[None]) for image in images])",
        ),
        ("labels of the first batch everywhere", "labels[place] = batch_labels", "pass"),
        (
            "labels as a row",
            "    return features, labels\n\n\n@contextmanager",
            "    return features, labels[None]\n\n\n@contextmanager",
        ),
    ),
    *_traps(
        "hw3_q2",
        SOFTMAX,
        (
            "softmax shifted by the maximum of the whole matrix",
            "E = np.exp(Z - Z.max(axis=1, keepdims=True))",
            "E = np.exp(Z - Z.max())",
        ),
        (
            "softmax not shifted",
            "E = np.exp(Z - Z.max(axis=1, keepdims=True))",
            "E = np.exp(Z)",
        ),
        (
            "softmax normalised by columns",
            "P: Floats = E / E.sum(axis=1, keepdims=True)",
            "P: Floats = E / E.sum(axis=0, keepdims=True)",
        ),
        (
            "log(0)",
            "log_P: Floats = S - np.log(np.exp(S).sum(axis=1, keepdims=True))",
            "log_P: Floats = np.log(softmax(Z))",
        ),
        (
            "log of a probability pushed away from 0",
            "log_P: Floats = S - np.log(np.exp(S).sum(axis=1, keepdims=True))",
            "log_P: Floats = np.log(softmax(Z) + 1e-12)",
        ),
        (
            "sum of the losses instead of their mean",
            "dtype=np.float64) / len(Y))",
            "dtype=np.float64))",
        ),
        (
            "loss divided by classes too",
            "dtype=np.float64) / len(Y))",
            "dtype=np.float64) / Y.size)",
        ),
        (
            "gradient of the bias thrown away",
            "residual.sum(axis=0)])",
            "0 * residual.sum(axis=0)])",
        ),
        ("no bias", "(X @ W[:-1] + W[-1])", "(X @ W[:-1])"),
        (
            "gradient not divided by the batch",
            "residual = (predict_proba(W, X) - Y) / len(X)",
            "residual = predict_proba(W, X) - Y",
        ),
        (
            "a step uphill",
            "return W - learning_rate * gradient(W, X, Y)",
            "return W + learning_rate * gradient(W, X, Y)",
        ),
        (
            "a step in place",
            "return W - learning_rate * gradient(W, X, Y)",
            "W -= learning_rate * gradient(W, X, Y)\n    return W",
        ),
        (
            "classes of the batch instead of the training",
            "(labels[:, np.newaxis] == classes)",
            "(labels[:, np.newaxis] == np.unique(labels))",
        ),
        ("unknown labels pass", "    if len(unknown):\n", "    if False:\n"),
        (
            "the column instead of the class",
            "classes[all_logits(W, X).argmax(axis=1)]",
            "all_logits(W, X).argmax(axis=1)",
        ),
        (
            "accuracy over a literal",
            "return float(np.mean(y_true == y_pred))",
            "return float(np.sum(y_true == y_pred) / 10000)",
        ),
    ),
    *_traps(
        "hw3_q2",
        REGRESSION,
        (
            "the last sample of every batch dropped",
            "order[start : start + batch_size]",
            "order[start : start + batch_size - 1]",
        ),
        (
            "the last short batch dropped",
            "for start in range(0, len(X), batch_size):\n            batch",
            "for start in range(0, len(X) - batch_size + 1, batch_size):\n            batch",
        ),
        (
            "unseeded order",
            "before, order = W, rng.permutation(len(X))",
            "before, order = W, np.random.permutation(len(X))",
        ),
        (
            "unseeded initialisation",
            "W = np.zeros((X.shape[1] + 1, len(classes)), X.dtype)",
            "W = np.random.normal(size=(X.shape[1] + 1, len(classes))).astype(X.dtype)",
        ),
        (
            "never shuffled",
            "before, order = W, rng.permutation(len(X))",
            "before, order = W, np.arange(len(X))",
        ),
        (
            "never stops",
            "converged = not overflowed and bool(np.linalg.norm(W - before) < tol)",
            "converged = False",
        ),
        (
            "stops by the largest weight",
            "np.linalg.norm(W - before) < tol",
            "np.abs(W - before).max() < tol",
        ),
        (
            "measured before the epoch",
            "loss, train_accuracy = measure(W, X, Y)\n        overflowed",
            "loss, train_accuracy = measure(before, X, Y)\n        overflowed",
        ),
        (
            "test accuracy of the training set",
            "accuracy(y_test, predict(W, X_test, classes))",
            "train_accuracy",
        ),
    ),
    *_traps(
        "hw3_q3",
        ROC,
        (
            "ties split",
            "last = np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)",
            "last = np.arange(len(score))",
        ),
        (
            "does not end at (1, 1)",
            "last = np.append(np.flatnonzero(score[1:] != score[:-1]), len(score) - 1)",
            "last = np.flatnonzero(score[1:] != score[:-1])",
        ),
        (
            "rates that fall",
            'order = np.argsort(runs, kind="stable")[::-1]',
            'order = np.argsort(runs, kind="stable")',
        ),
        ("rates over all samples", "fp / fp[-1]", "fp / len(score)"),
        ("an absent class divides by zero", "if count in (0, len(labels)):", "if False:"),
        (
            "the area by rectangles",
            "return float(np.trapezoid(curve.tpr, curve.fpr))",
            "return float(np.sum(np.diff(curve.fpr) * curve.tpr[1:]))",
        ),
        ("the rest against one", "roc_curve(labels == label,", "roc_curve(labels != label,"),
        (
            "a label taken for a column",
            "scores[:, column])",
            "scores[:, hash(label) % len(known)])",
        ),
    ),
    Trap(
        "does not start at (0, 0)",
        "hw3_q3",
        ROC,
        (
            ("fpr=np.concatenate([[0.0], fp / fp[-1]])", "fpr=fp / fp[-1]"),
            ("tpr=np.concatenate([[0.0], tp / tp[-1]])", "tpr=tp / tp[-1]"),
            ("thresholds=np.concatenate([[np.inf], score[last]])", "thresholds=score[last]"),
        ),
    ),
    *_traps(
        "hw4_theory1",
        "hw4/theory/convolutions.py",
        ("no bias", "return filters * (weights + bias)", "return filters * weights"),
        (
            "one bias for all filters",
            "return filters * (weights + bias)",
            "return filters * weights + bias",
        ),
        ("one position too few", "// stride + 1", "// stride"),
        ("dilation forgotten", "covered = dilation * (kernel - 1) + 1", "covered = kernel"),
        ("padding at one end", "n + 2 * padding", "n + padding"),
    ),
    *_traps(
        "hw4_theory2",
        "hw4/theory/radial_neuron.py",
        (
            "circles only",
            "return Circle(semi_axes[0]) if w1 == w2 else Ellipse(semi_axes)",
            "return Circle(semi_axes[0])",
        ),
        (
            "no crossing lines",
            "            if signs_differ(w1, w2):\n                return Crossing",
            "            if False:\n                return Crossing",
        ),
        (
            "hyperbola always along one axis",
            "Hyperbola(2 if signs_differ(c, w1) else 1, semi_axes)",
            "Hyperbola(1, semi_axes)",
        ),
        (
            "a product that underflows",
            "return (first < 0 < second) or (second < 0 < first)",
            "return first * second < 0",
        ),
        (
            "a quotient that overflows",
            "return math.sqrt(abs(c)) / math.sqrt(abs(w))",
            "return math.sqrt(abs(c / w))",
        ),
        (
            "below -1 nothing is left",
            "        c = -math.log(-b)\n",
            "        if b < -1:\n            return Empty()\n        c = -math.log(-b)\n",
        ),
    ),
    *_traps(
        "hw4_theory3",
        "hw4/theory/threshold_neurons.py",
        (
            "the open end of the interval",
            "return (1, 1, 1, 1, 1), -2.4",
            "return (1, 1, 1, 1, 1), -2.5",
        ),
        ("an OR instead of an AND", "return (1, 1, 1, 1, 1), -2.4", "return (1, 1, 1, 1, 1), -1.2"),
        (
            "the largest weight instead of the smallest",
            "(high - low) * min(weights))",
            "(high - low) * max(weights))",
        ),
        ("the level of off", "lower = -high * sum(weights)", "lower = -low * sum(weights)"),
    ),
    *_traps(
        "hw4_theory3",
        "hw4/theory/half_planes.py",
        ("moved to the wrong side", "b=self.b - distance *", "b=self.b + distance *"),
        (
            "the length of the weights forgotten",
            "distance * math.hypot(self.w1, self.w2)",
            "distance",
        ),
    ),
    *_traps(
        "hw4_flowers",
        NETWORKS,
        ("frozen BatchNorm moves", "        self.frozen.eval()\n", ""),
        (
            "1,000 outputs",
            "nn.Linear(architecture.width, classes)",
            "nn.Linear(architecture.width, 1000)",
        ),
        ("pretrained by mistake", "weights if pretrained else None", "weights"),
        (
            "only the head trained",
            'architecture.last_stage.replace(".", "_"))',
            "architecture.head)",
        ),
        ("unseeded head", "    with seeded(seed):\n        stages", "    if True:\n        stages"),
    ),
    *_traps(
        "hw4_flowers",
        TRAINING,
        (
            "loss divided by the size of the data set",
            "(loss / len(batch)).backward()",
            "(loss / samples).backward()",
        ),
        ("gradients never zeroed", "            self.optimizer.zero_grad()\n", ""),
        ("the same order in every epoch", "self.settings.seed, number)", "self.settings.seed, 0)"),
        (
            "unshuffled",
            "= epoch_batches(samples, self.settings.batch_size, self.settings.seed, number)",
            "= np.array_split(np.arange(samples), range(self.settings.batch_size, samples, "
            "self.settings.batch_size))",
        ),
        (
            "the last epoch instead of the best",
            "if self.history.best_epoch == len(self.history):",
            "if True:",
        ),
        (
            "trained in evaluation mode",
            "        self.network.train()\n        samples",
            "        self.network.eval()\n        samples",
        ),
        ("a sum called a mean", "return total / samples", "return total"),
    ),
    *_traps(
        "hw4_flowers",
        "hw4/flowers/evaluation.py",
        ("gradients recorded in validation", "@torch.no_grad()\ndef evaluate(", "def evaluate("),
        (
            "evaluated in training mode",
            "    inputs.network.eval()\n",
            "    inputs.network.train()\n",
        ),
        (
            "accuracies of batches averaged",
            "sums += torch.stack([loss, right])",
            "sums += torch.stack([loss, right]) / len(y) * samples / len(batches)",
        ),
    ),
    *_traps(
        "hw4_flowers",
        EXPERIMENT,
        ("learning rates continue one model", "copy.deepcopy(fresh),", "fresh,"),
        ("the last rate chosen", "return max(finished, key=quality)", "return list(finished)[-1]"),
        (
            "the rate of the worst accuracy",
            "return max(finished, key=quality)",
            "return min(finished, key=quality)",
        ),
    ),
    *_traps(
        "hw4_flowers",
        "hw4/flowers/dataset.py",
        ("labels from 1", "int(self.labels[index])}", "int(self.labels[index]) + 1}"),
        (
            "augmented alike in every epoch",
            "default_rng((self.seed, epoch, index))",
            "default_rng((self.seed, index))",
        ),
    ),
    *_traps(
        "hw4_flowers",
        "hw4/flowers/transforms.py",
        ("not unnormalised", "(images.float() * stds + means)", "(images.float() * stds)"),
        ("never mirrored", "        if view.mirrored:\n", "        if False:\n"),
    ),
    *_traps(
        "hw4_imbalanced",
        LINEAR,
        (
            "the arg max of a single logit",
            "positive: torch.Tensor = model(data) > 0",
            "positive: torch.Tensor = model(data).unsqueeze(-1).argmax(-1).bool()",
        ),
        ("gradients never zeroed", "            sgd.zero_grad()\n", ""),
        (
            "loss divided by the size of the data set",
            "            mean.backward()",
            "            (mean * len(chosen) / len(samples)).backward()",
        ),
        (
            "test set measured with the sampler of the training",
            "    return measure(samples.labels.numpy(), predict(model, samples.data).numpy()",
            "    from hw4.imbalanced.batches import BalancedBatchSampler\n"
            "    i = sum(BalancedBatchSampler(samples.labels, 10), [])\n"
            "    return measure(samples.labels[i].numpy(), predict(model, samples.data[i]).numpy()",
        ),
        (
            "logits in a column",
            "return torch.squeeze(self.layer(data), -1)",
            "return self.layer(data)",
        ),
        ("the line on the wrong side", "HalfPlane(w1, w2, b)", "HalfPlane(-w1, -w2, -b)"),
        (
            "probabilities compared with 0",
            "positive: torch.Tensor = model(data) > 0",
            "positive: torch.Tensor = model(data).sigmoid() > 0",
        ),
        (
            "the weight of the positives forgotten",
            ".numpy(), positive_weight)\n\n\ndef decision",
            ".numpy())\n\n\ndef decision",
        ),
    ),
    *_traps(
        "hw4_imbalanced",
        BATCHES,
        (
            "sampler length counts samples",
            "return self.batches\n",
            "return self.batches * self.quota * len(self.members)\n",
        ),
        (
            "never shuffled",
            "RandomSampler(range(samples), generator=generator)",
            "torch.utils.data.SequentialSampler(range(samples))",
        ),
        ("the last batch dropped", "drop_last=False", "drop_last=True"),
        (
            "the same order in every epoch",
            "torch.randint(2**63 - 1, (), generator=self.generator).item()",
            "0",
        ),
        (
            "balanced only in expectation",
            "batch = np.concatenate([next(stream) for stream in streams])",
            "batch = np.concatenate([rng.choice(self.members[k], 1) for k in "
            "rng.integers(len(streams), size=self.quota * len(streams))])",
        ),
        (
            "the batch is sorted by class",
            "yield rng.permutation(batch).tolist()",
            "yield batch.tolist()",
        ),
        (
            "drawn with replacement",
            "left = rng.permutation(members)\n        while True",
            "left = rng.choice(members, len(members))\n        while True",
        ),
    ),
    *_traps(
        "hw4_imbalanced",
        MEASURES,
        (
            "accuracy divided by a literal",
            "return right / (self.positives + self.negatives)",
            "return right / (128 * 100)",
        ),
        (
            "a sum called the balanced accuracy",
            "return (self.tpr + self.tnr) / 2",
            "return self.tpr + self.tnr",
        ),
        (
            "a precision called the true-positive rate",
            "return self.true_positives / self.positives",
            "return self.true_positives / max(1, self.true_positives + self.false_positives)",
        ),
        (
            "false positives and negatives exchanged",
            "tn, fp, fn, tp = counts.tolist()",
            "tn, fn, fp, tp = counts.tolist()",
        ),
        (
            "the weight forgotten",
            "return (self.positive_weight * self.tpr + self.tnr)",
            "return (self.tpr + self.tnr)",
        ),
    ),
    *_traps(
        "hw4_imbalanced",
        "hw4/imbalanced/samples.py",
        (
            "labels as the first coordinate",
            '"label": self.labels[index]}',
            '"label": self.data[index][..., 0]}',
        ),
    ),
]


def _hostile(name: str, code: str) -> Trap:
    """Put code at the head of ``softmax``, where it runs whenever a test calls it."""
    line = "    E = np.exp(Z - Z.max(axis=1, keepdims=True))\n"
    inside = "".join(f"    {part}\n" for part in code.splitlines())
    return Trap(name, "hw3_q2", SOFTMAX, ((line, inside + line),))


def _at_import(name: str, code: str, broken: bool = True) -> Trap:
    """Put code at the head of the module of question 3, whose answer is wrong besides."""
    changes = [("Any\n\nimport numpy as np\n", f"Any\n\nimport numpy as np\n\n{code}\n")]
    if broken:
        changes.append(("fp / fp[-1]", "fp / len(score)"))
    return Trap(name, "hw3_q3", ROC, tuple(changes))


HOSTILE = [
    _hostile("hangs", "while True: pass"),
    _hostile("ends the process", "import os; os._exit(0)"),
    _hostile("raises SystemExit", "raise SystemExit(0)"),
    _hostile("skips the test", "import pytest; pytest.skip('passed')"),
    _hostile("ends the session", "import pytest; pytest.exit('all passed', 0)"),
    _hostile(
        "forks without end",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    ),
    _hostile(
        "fills the disk",
        "import os\nfor n in range(10**6):\n"
        "    open(os.path.join(os.environ['HOME'], f'{n}.bin'), 'wb').write(bytes(2**27))",
    ),
    _hostile(
        "writes outside of its folder",
        "open('/tmp/coursework-was-here', 'w').write('here')\n"
        "open('/var/tmp/coursework-was-here', 'w').write('here')",
    ),
    _hostile("prints without end", "while True: print('x' * 10**6)"),
    _hostile("takes all memory", "hoard = []\nwhile True: hoard.append(np.ones(10**7))"),
    _hostile("recurses without end", "softmax(Z)"),
    _hostile(
        "overflows the stack",
        "import sys; sys.setrecursionlimit(10**9)\ndef down(f): return down(f) + max([f], key=down)"
        "\ndown(1)",
    ),
    _hostile(
        "leaves threads and ignores signals",
        "import signal, threading, time\n"
        "try: signal.signal(signal.SIGTERM, signal.SIG_IGN)\nexcept ValueError: pass\n"
        "if threading.active_count() < 9:\n"
        "    threading.Thread(target=time.sleep, args=(10**6,)).start()",
    ),
    _hostile(
        "leaves a process behind",
        "import subprocess\nglobal _left\ntry: _left\n"
        "except NameError: _left = subprocess.Popen(['sleep', '1000'], start_new_session=True)",
    ),
    _hostile(
        "uses the network",
        "import socket; socket.create_connection(('1.1.1.1', 80), timeout=3)",
    ),
    _at_import("ends the process when imported", "import os; os._exit(0)"),
    _at_import(
        "replaces the comparisons of NumPy",
        "np.testing.assert_array_equal = np.testing.assert_allclose = lambda *a, **k: None",
    ),
    _at_import(
        "changes the code of the comparisons of NumPy",
        "def _no(*a, **k): return None\nnp.testing.assert_array_equal.__code__ = _no.__code__",
    ),
    _at_import(
        "replaces pytest's reports",
        "import _pytest.reports\n"
        "_pytest.reports.TestReport.outcome = property(lambda s: 'passed', lambda s, v: None)\n"
        "import _pytest.runner\n_pytest.runner.call_runtest_hook = lambda *a, **k: None",
    ),
    _at_import(
        "replaces pytest.raises and approx",
        "import pytest\nclass _Any:\n    def __init__(self, *a, **k): pass\n"
        "    def __eq__(self, other): return True\n    def __enter__(self): return self\n"
        "    def __exit__(self, *a): return True\npytest.raises = pytest.approx = _Any",
    ),
    _at_import(
        "replaces the oracle",
        "import sklearn.metrics\nsklearn.metrics.roc_auc_score = lambda y, s: auc(roc_curve(y, s))",
    ),
    _at_import(
        "writes results of its own",
        "import os\nfor fd in range(3, 64):\n"
        "    try: os.write(fd, b'0 {\"finished\": true}\\n')\n    except OSError: pass",
    ),
]
