"""Rules, and what they find."""

import html
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a set-up, or worth knowing.

    Parameters
    ----------
    code : str
        Its rule, a key of `RULES`.
    severity : {"error", "warning", "info"}
        "error": the model will not learn what you think. "warning": this is probably wrong.
        "info": this is right, but may surprise.
    message : str
        What was seen in this model and these arrays.
    fix : str
        What to write instead.
    """

    code: str
    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True)
class Rule:
    """A mistake that `check_setup` looks for.

    Parameters
    ----------
    code : str
        A stable name, which is also the anchor of its section in the chapter on mistakes.
    severity : {"error", "warning", "info"}
        The severity of its findings, or of the worst of them.
    title : str
        The mistake in a few words.
    explanation : str
        Why it is one, and what it looks like in training.
    """

    code: str
    severity: Severity
    title: str
    explanation: str
    check: Callable | None = field(default=None, repr=False, compare=False)

    def find(self, *subject):
        """Apply the rule; return a list of findings."""
        return [
            Finding(self.code, *(severity or [self.severity]), message, fix)
            for message, fix, *severity in self.check(*subject)
        ]


def rule(registry, code, severity, title):
    """Make a generator of findings a rule of a registry; its docstring explains the rule.

    It yields (message, fix), or (message, fix, severity) where a finding is a milder one.
    """

    def register(check):
        explanation = " ".join(check.__doc__.split())
        registry[code] = Rule(code, severity, title, explanation, check)
        return check

    return register


class Findings(list):
    """A list of `Finding`, the most severe first, that prints as a table.

    It is empty, and so false, where all that was given could be read and no rule found anything.
    What could not be read is a finding of its own, so that silence never means that nobody looked.

    Attributes
    ----------
    read : str
        What was looked at: rows, inputs, and each output with its loss and targets.
    not_judged : tuple of str
        What the rules had to leave out.
    """

    def __init__(self, found=(), read="", not_judged=()):
        super().__init__(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
        self.read = read
        self.not_judged = tuple(not_judged)

    def __str__(self):
        if self:
            return "\n\n".join(_as_text(finding) for finding in self)
        return "\n".join(["No mistakes found.", *(_line(*part) for part in self._what_was_read())])

    __repr__ = __str__

    def _what_was_read(self):
        if self.read:
            yield "read:", self.read
        for part in self.not_judged:
            yield "not judged:", part

    def _repr_html_(self):
        if not self:
            parts = (html.escape(" ".join(part)) for part in self._what_was_read())
            return f"<p>{'<br>'.join(['No mistakes found.', *parts])}</p>"
        names = ("severity", "code", "seen", "instead")
        head = "".join(f'<th style="text-align: left">{name}</th>' for name in names)
        rows = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align: left; white-space: normal">{html.escape(text)}</td>'
                for text in (found.severity, found.code, found.message, found.fix)
            )
            + "</tr>"
            for found in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _as_text(finding):
    body = [_line("seen:", finding.message, 9), _line("instead:", finding.fix, 9)]
    return "\n".join([f"{finding.severity}: {finding.code}", *body])


def _line(label, text, width=None):
    start = f"  {label:{width or len(label) + 1}}"
    return textwrap.fill(start + text, 88, subsequent_indent=" " * len(start))
