"""An evaluation as JUnit's XML, for what collects tests: requirements as tests, and rows that a
variant could not answer as errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from .figures import checks, sentences


def junit(document: Mapping[str, Any]) -> str:
    """A suite with one test for each requirement, and one for each variant: that all of its answers
    could be had and scored."""
    name = _fit(document["suite"]["name"])
    requirements, variants = document["requirements"], document["variants"]
    failures = sum(not it["met"] for it in requirements)
    errors = sum(bool(it["errors"] or it["unscored"]) for it in variants)
    count = len(requirements) + len(variants)
    root = Element("testsuites")
    counts = {"tests": f"{count}", "failures": f"{failures}", "errors": f"{errors}"}
    suite = SubElement(root, "testsuite", {"name": name, **counts})
    for it in requirements:
        case = SubElement(suite, "testcase", {"classname": name, "name": _fit(it["that"])})
        if not it["met"]:
            SubElement(case, "failure", {"message": _fit(it["figures"])})
    for it in variants:
        label = f"answers of {_fit(it['label'])}"
        case = SubElement(suite, "testcase", {"classname": name, "name": label})
        if it["errors"] or it["unscored"]:
            said = f"{it['errors']} errors, {it['unscored']} answers without a score"
            SubElement(case, "error", {"message": said})
    said = sentences(document)
    if found := checks(document):
        (_, *labels), *rows = found
        said += [
            f"{name}: {', '.join(map(' '.join, zip(labels, scores, strict=True)))}"
            for name, *scores in rows
        ]
    if decided := document["decision"]:
        said.append(decided["verdict"])
    SubElement(suite, "system-out").text = _fit("\n".join(said))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _fit(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
