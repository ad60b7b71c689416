"""Schema, documentation and dataclasses say the same."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from efficienttam.contract import job as jobs
from efficienttam.contract.document import examine, from_json, job_schema, to_json
from efficienttam.contract.fields import Choice, Flag, Many, Maybe, Number, Record, Text, Whole
from efficienttam.contract.prompts import Prompt, RotoFile
from efficienttam.contract.region import Region, RegionBox
from efficienttam.contract.rules import broken_rules

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA_FILE = REPOSITORY / "docs" / "job.schema.json"
DOCUMENTATION = REPOSITORY / "docs" / "job.md"
RECORDS = {
    "": jobs.TrackJob,
    "plate": jobs.Plate,
    "range": jobs.FrameRange,
    "model": jobs.Model,
    "objects[]": jobs.TrackedObject,
    "objects[].prompts[]": Prompt,
    "objects[].prompts[].mask": RotoFile,
    "objects[].region": Region,
    "objects[].region.boxes[]": RegionBox,
    "tracking": jobs.Tracking,
    "mattes": jobs.Mattes,
    "output": jobs.Output,
}
VALIDATOR = jsonschema.Draft202012Validator(job_schema())


def documented_rows(prefix, cls):
    for name, entry in Record(cls).entries.items():
        if entry.required:
            default = "required"
        else:
            default = (
                "`" + json.dumps(entry.kind.write(entry.default)) + "`"
                if entry.default is not None
                else "`null`"
            )
        if isinstance(entry.kind, Record) and not entry.required:
            default = "all defaults"
        place = f"{prefix}.{name}" if prefix else name
        choices = ""
        if isinstance(entry.kind, Choice):
            choices = " " + ", ".join(f"`{value}`" for value in entry.kind.values) + "."
        yield f"| `{place}` | {default} | {entry.meaning}{choices} |"


def test_committed_schema_is_the_one_of_the_code():
    text = json.dumps(job_schema(), indent=2) + "\n"
    assert SCHEMA_FILE.read_text() == text, "Write job_schema() into docs/job.schema.json."


def test_documentation_has_a_row_for_every_field():
    text = DOCUMENTATION.read_text()
    rows = [row for prefix, cls in RECORDS.items() for row in documented_rows(prefix, cls)]
    assert [row for row in rows if row not in text] == []
    places = re.findall(r"^\| `([a-z_\[\].]+)` \|", text, re.M)
    assert len(places) == len(rows) + 1, "docs/job.md has rows for fields that do not exist."


def test_examples_in_the_documentation_are_jobs():
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENTATION.read_text(), re.S)
    assert blocks
    for block in blocks:
        VALIDATOR.validate(json.loads(block))
        from_json(block)


def test_schema_itself_is_valid():
    jsonschema.Draft202012Validator.check_schema(job_schema())


def values(kind):
    """Any JSON value of a kind."""
    if isinstance(kind, Text):
        text = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=8)
        return text if kind.empty else text.filter(bool)
    if isinstance(kind, Number):
        if kind.least is not None:
            return st.floats(kind.least, 10**6 if kind.most is None else kind.most)
        return st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
    if isinstance(kind, Whole):
        return st.integers(kind.least, kind.most)
    if isinstance(kind, Flag):
        return st.booleans()
    if isinstance(kind, Choice):
        return st.sampled_from(kind.values)
    if isinstance(kind, Maybe):
        return st.none() | values(kind.kind)
    if isinstance(kind, Many):
        least, most = (kind.length, kind.length) if kind.length is not None else (kind.least, kind.least + 2)
        return st.lists(values(kind.kind), min_size=least, max_size=most)
    required = {name: values(entry.kind) for name, entry in kind.entries.items() if entry.required}
    optional = {name: values(entry.kind) for name, entry in kind.entries.items() if not entry.required}
    return st.fixed_dictionaries(required, optional=optional)


DOCUMENTS = values(Record(jobs.TrackJob)).map(lambda document: {"version": 1, **document})
#: Rules that a schema cannot tell: they belong to values, not to form.
BEYOND_FORM = re.compile(r"has no area|is empty|is included and excluded")


def form_faults(text):
    job, faults = examine(text)
    rules = broken_rules(job) if job is not None else []
    return [fault for fault in faults if fault not in rules and not BEYOND_FORM.search(" ".join(fault[1:3]))]


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_what_the_schema_allows_is_read(document):
    VALIDATOR.validate(document)
    assert form_faults(json.dumps(document)) == []


@settings(max_examples=150, deadline=None)
@given(DOCUMENTS)
def test_what_is_read_without_fault_round_trips_and_validates(document):
    job, faults = examine(json.dumps(document))
    if faults:
        return
    text = to_json(job)
    assert from_json(text) == job
    assert to_json(from_json(text)) == text
    VALIDATOR.validate(json.loads(text))


def spots(value, path=()):
    """Paths of every value inside a JSON value."""
    if path:
        yield path
    for key, held in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from spots(held, (*path, key))


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, st.data())
def test_a_mutated_document_is_refused_where_the_schema_refuses_it(document, data):
    path = data.draw(st.sampled_from(list(spots(document))))
    holder = document
    for key in path[:-1]:
        holder = holder[key]
    change = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if change == "remove":
        del holder[path[-1]]
    elif change == "add" and isinstance(holder, dict):
        holder["surprise"] = 1
    else:
        holder[path[-1]] = data.draw(
            st.sampled_from([None, True, -1, 1.5, "x", "", [], {}, [1], {"a": 1}, 10**12])
        )
    assert VALIDATOR.is_valid(document) == (form_faults(json.dumps(document)) == [])


@pytest.mark.parametrize("name", ["paths", "Plate.", "_x"])
def test_a_wrong_row_would_be_seen(name):
    assert f"| `{name}` |" not in DOCUMENTATION.read_text()
