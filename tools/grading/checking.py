"""Tests that a notebook cannot pass by changing what they rest on, or not unnoticed."""

import ast
import builtins

# Each of these must fail. Where one passes, the notebook changed what the tests rest on.
_MUST_FAIL = (
    "False",
    "abs(5.0 - 2.0) < 1e-6",
    "np.isclose(1.0, 2.0)",
    "np.allclose([1.0, 3.0], [1.0, 2.0])",
    "np.array_equal([1.0], [2.0])",
    "np.all([True, False])",
    "np.any([False, False])",
    "np.max(np.abs(np.asarray([1.0, -4.0], dtype=float))) < 1e-6",
    "isinstance(1.5, str)",
    "callable(1.5)",
    "len([1, 2]) == 3",
    "float('2.5') == 1.0",
    "all([True, False])",
    "any([False, False])",
    "round(2.6) == 2",
    "sum([1, 2]) == 4",
    "max([1, 2]) == 1",
    "min([1, 2]) == 2",
    "sorted([2, 1]) == [2, 1]",
    "set([1]) == set([2])",
)

# What tests call has to be what it was before the student's cells: functions, their code, and what
# these call in turn by a name of their module.
_STATE = """
def _state():
    import sys, keras, numpy, pandas, builtins as b
    frame = sys._getframe(1)
    found = [("tracing", b.id(sys.gettrace()), b.id(sys.getprofile()))]
    if b.hasattr(sys, "monitoring"):
        found += [("monitoring", b.str(sys.monitoring.get_tool(at))) for at in b.range(6)]
    own = {"__builtins__": b}
    b.exec(OWN, own)
    del own["__builtins__"]
    told = [frame.f_globals.get(name, value) is value for name, value in own.items()]
    found.append(("own", told.count(False)))
    found.append(("names", frame.f_locals is frame.f_globals, b.type(frame.f_globals) is b.dict))
    found.append(("builtins", b.id(frame.f_builtins)))
    owners = [b, b.float, b.int, b.str, b.list, b.tuple, b.dict, b.set, numpy.ndarray]
    owners += [numpy, numpy.random, numpy.linalg, pandas.DataFrame, pandas.Series]
    owners += [keras, keras.layers, keras.Model, keras.Sequential, keras.layers.Dense]
    owners += [sys.modules[module] for module in MODULES]
    # A module of another class answers as it likes; what a type is, no module is asked.
    kind = ().__class__.__class__
    found += [("owner", b.id(owner), b.id(kind(owner))) for owner in [sys, *owners]]
    for module in MODULES:
        package, _, name = module.rpartition(".")
        found.append((name, b.id(b.getattr(sys.modules.get(package), name, None))))
    seen = {b.id(b.vars(b))}
    waiting = [b.vars(owner) for owner in owners]
    while waiting:
        names = waiting.pop()
        for name, value in b.list(names.items()):
            if b.type(value) is b.type(sys):
                # A module may get more modules below it at any time.
                if sys.modules.get(b.str(names.get("__name__")) + "." + name) is not value:
                    found.append((name, b.id(value)))
                continue
            if b.type(value) is b.property:
                value = value.fget
            # ipykernel sets input anew for each cell.
            if not b.callable(value) or name == "input":
                continue
            inner = b.getattr(value, "__wrapped__", value)
            inside = ("__code__", "__defaults__", "__kwdefaults__")
            parts = [b.id(b.getattr(inner, key, None)) for key in inside]
            found.append((name, b.id(value), b.id(inner), *parts))
            around = b.getattr(inner, "__globals__", {})
            home = b.str(around.get("__name__"))
            if home.startswith(("numpy", "lossutils")) and b.id(around) not in seen:
                seen.add(b.id(around))
                waiting.append(around)
    return b.hash(b.tuple(b.sorted(found, key=b.repr)))
"""


def own_imports(cells):
    """Return the statement that imports each module of an assignment, by the name it goes by.

    Parameters
    ----------
    cells : iterable of nbformat.NotebookNode
        Code cells that every student has.

    Returns
    -------
    dict of str to ast.stmt
    """
    found = {}
    for cell in cells:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = (node, alias)
    return {name: _import(*where, name) for name, where in found.items()}


def _import(node, alias, name):
    names = [ast.alias(alias.name, name)]
    if isinstance(node, ast.Import):
        return ast.Import(names)
    return ast.ImportFrom(node.module, names, 0)


class Guard:
    """Writes tests so that they call what the release means, whatever a notebook defines.

    A notebook may define its own ``abs`` or ``np``, and tests run in its namespace. So they import
    what they use under names that it cannot know before.

    Parameters
    ----------
    imports : dict of str to ast.stmt
        From `own_imports`.
    word : str
        A random word, the same for all tests of one notebook: a function that a test defines is
        called by later ones.
    """

    def __init__(self, imports, word):
        self._word = word
        self._imports = {
            name: ast.ImportFrom("builtins", [ast.alias(name)], 0)
            for name, value in vars(builtins).items()
            # Not what a shell or an interactive session adds, such as exit.
            if name[0] != "_" and isinstance(value, type | type(len))
        } | {"np": ast.Import([ast.alias("numpy")]), **imports}

    def _alias(self, name):
        return f"_{self._word}_{name}"

    def _imported(self, names):
        """Return statements that import names under those that nobody knows."""
        statements = []
        for name in sorted(names):
            node = self._imports[name]
            aliases = [ast.alias(node.names[0].name, self._alias(name))]
            statements.append(
                ast.Import(aliases)
                if isinstance(node, ast.Import)
                else ast.ImportFrom(node.module, aliases, 0)
            )
        return statements

    def write(self, source):
        """Return code that means the same, where no notebook has changed anything.

        Parameters
        ----------
        source : str
            Code of the release.

        Returns
        -------
        str
        """
        tree = ast.parse(source)
        nodes = list(ast.walk(tree))
        bound = {node.id for node in nodes if isinstance(node, ast.Name) and _stores(node)}
        bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
        bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        used = set()
        for node in nodes:
            if isinstance(node, ast.Name) and node.id in self._imports.keys() - bound:
                used.add(node.id)
                node.id = self._alias(node.id)
        tree.body = self._imported(used) + tree.body
        return ast.unparse(ast.fix_missing_locations(tree))

    def canary(self, word, modules=()):
        """Return a cell that must fail, with a message that nobody knows before.

        Parameters
        ----------
        word : str
            A random word.
        modules : iterable of str
            Names of the book's modules whose functions have to stay what they are.

        Returns
        -------
        source, message : str
            The cell, and how the message of the error begins that it ends with. A number follows,
            the same as long as what tests call is the same.
        """
        own = ast.unparse(ast.Module(self._imported(self._imports), []))
        state = _STATE.replace("OWN", repr(own)).replace("MODULES", repr(list(modules)))
        lines = ["_failed = 0"]
        for statement in _MUST_FAIL:
            lines += ["try:", f"    assert {statement}", "except AssertionError:"]
            lines += ["    _failed += 1"]
        lines.append(f"assert False, '{word} ' + str(_failed) + ' ' + str(_now)")
        # The state is taken first: what follows imports the names that it looks at.
        source = f"{state}\n_now = _state()\n{self.write(chr(10).join(lines))}"
        return source, f"{word} {len(_MUST_FAIL)} "


def _stores(node):
    return isinstance(node.ctx, ast.Store | ast.Del)


def turned(source):
    """Return a test once as it is and once for each assert that is turned around.

    Parameters
    ----------
    source : str
        A test that passes.

    Returns
    -------
    plain : str
        The test, written as the others are.
    others : list of (str, str)
        Tests that must fail wherever the plain one passes, and their messages.
    """
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    asserts = [node for node in tree.body if isinstance(node, ast.Assert)]
    loops = [node for node in tree.body if isinstance(node, ast.For)]
    # In a loop the first round tells, unless there is none.
    asserts = asserts or [
        node for loop in loops for node in loop.body if isinstance(node, ast.Assert)
    ]
    others = []
    for node in asserts:
        right, node.test = node.test, ast.UnaryOp(ast.Not(), node.test)
        others.append((ast.unparse(tree), node.msg.value))
        node.test = right
    return plain, others


_UNDEFINED = "name '{}' is not defined"


def message(source, error):
    """Return what a student may read of an error in a test.

    Parameters
    ----------
    source : str
        The test, which may be hidden.
    error : nbformat.NotebookNode
        The output.

    Returns
    -------
    str
        A message of the test itself, or the kind of error; never a text that the student's code
        made up, since it could contain the test.
    """
    own = {
        node.msg.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assert) and isinstance(node.msg, ast.Constant)
    }
    if error.evalue in own:
        return error.evalue
    if error.ename == "NotImplementedError":
        return "There is no solution yet."
    if error.ename == "NameError":
        missing = [name for name in _names(source) if error.evalue == _UNDEFINED.format(name)]
        return (
            f"The name {missing[0]} is not defined."
            if missing
            else "A name that is used is not defined."
        )
    kind = getattr(builtins, str(error.ename), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        return f"Your code raises {error.ename} when this check calls it."
    return "Your code raises an error when this check calls it."


def _names(source):
    return sorted({node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)})
