"""Holds a document against the structures of FHIR R4 (tests/fhir): which elements there are, how
many, of which type, codes of required bindings, and the invariants of the resources in question.
Profiles, terminology servers and extensible bindings are not looked at."""

import json
import pathlib
import re

TABLE = json.loads((pathlib.Path(__file__).parent.parent / "fhir" / "r4.json").read_text())
RESOURCES = ("Consent", "Provenance", "AuditEvent", "Bundle", "RiskAssessment", "Observation")

DATE = r"(\d(\d(\d[1-9]|[1-9]0)|[1-9]00)|[1-9]000)"
TIME = r"T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|(\+|-)((0\d|1[0-3]):[0-5]\d|14:00))"
PATTERNS = {  # of the specification's page of data types
    "id": r"[A-Za-z0-9\-.]{1,64}",
    "code": r"\S+(\s\S+)*",
    "uri": r"\S+",
    "url": r"\S+",
    "canonical": r"\S+",
    "oid": r"urn:oid:[0-2](\.(0|[1-9]\d*))+",
    "string": r"[ \r\n\t\S]+",
    "markdown": r"\s*(\S|\s)*",
    "base64Binary": r"(\s*([0-9a-zA-Z+/=]){4}\s*)+",
    "dateTime": DATE + r"(-(0[1-9]|1[0-2])(-(0[1-9]|[1-2]\d|3[0-1])(" + TIME + r")?)?)?",
    "instant": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[1-2]\d|3[0-1])" + TIME,
}


def findings(resource, where=None):
    """What is wrong with a resource; empty when nothing is."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if kind not in RESOURCES:
        return [f"{where or 'document'}: resourceType {kind!r} is none of {RESOURCES}"]
    rest = {name: value for name, value in resource.items() if name != "resourceType"}
    return _object(kind, rest, where or kind) + _invariants(resource, where or kind)


def _invariants(resource, where):
    if resource["resourceType"] == "RiskAssessment":
        return [f"{where}.prediction: ras-2: a probability must be at most 100"
                for one in resource.get("prediction", [])
                if isinstance(one, dict) and one.get("probabilityDecimal", 0) > 100]
    if resource["resourceType"] == "Observation":
        has_value = any(name.startswith("value") for name in resource)
        return [f"{where}: obs-6: a value and a reason why there is none"] \
            if has_value and "dataAbsentReason" in resource else []
    if resource["resourceType"] != "Consent":
        return []
    if "policy" in resource or "policyRule" in resource:
        return []
    return [f"{where}: ppc-1: either a policy or a policyRule"]


def _object(kind, value, where):
    if not isinstance(value, dict):
        return [f"{where}: must be an object ({kind})"]
    if not value:
        return [f"{where}: is empty"]
    elements, found = TABLE[kind], []
    for name in value:
        if name not in elements:
            found.append(f"{where}.{name}: is no element of {kind}")
    chosen = {}
    for name, (type_of, many, required, *rest) in elements.items():
        if required and name not in value:
            found.append(f"{where}.{name}: is missing")
        if name not in value:
            continue
        choice = rest[1] if len(rest) > 1 else None
        if choice is not None:
            if choice in chosen:
                found.append(f"{where}: {chosen[choice]} and {name} at once")
            chosen[choice] = name
        codes = rest[0] if rest else None
        found += _element(type_of, many, codes, value[name], f"{where}.{name}")
    return found


def _element(type_of, many, codes, value, where):
    if not many:
        return _value(type_of, codes, value, where)
    if not isinstance(value, list) or not value:
        return [f"{where}: must be a list of one or more"]
    found = []
    for number, one in enumerate(value):
        found += _value(type_of, codes, one, f"{where}[{number}]")
    return found


def _value(type_of, codes, value, where):
    type_of = type_of.lstrip("#")
    if type_of in TABLE:
        return _object(type_of, value, where)
    if type_of == "Resource":
        return findings(value, where)
    if type_of == "Extension":
        return _extension(value, where)
    if type_of == "boolean":
        return [] if isinstance(value, bool) else [f"{where}: must be true or false"]
    if type_of in ("integer", "positiveInt", "unsignedInt"):
        least = {"integer": -2**31, "unsignedInt": 0, "positiveInt": 1}[type_of]
        good = isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
        return [] if good else [f"{where}: must be a {type_of}"]
    if type_of == "decimal":
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        return [] if good else [f"{where}: must be a number"]
    if type_of not in PATTERNS:
        return [f"{where}: type {type_of} is not known here"]
    if not isinstance(value, str) or not re.fullmatch(PATTERNS[type_of], value):
        return [f"{where}: {value!r} is no {type_of}"]
    if codes is not None and value not in codes:
        return [f"{where}: {value!r} is none of {codes}"]
    return []


def _extension(value, where):
    if not isinstance(value, dict) or not re.fullmatch(r"\S+", str(value.get("url", ""))):
        return [f"{where}: an extension has a url"]
    rest = [name for name in value if name not in ("url", "id")]
    if len(rest) != 1 or not (rest[0].startswith("value") or rest[0] == "extension"):
        return [f"{where}: ext-1: an extension has a value or extensions"]
    return []
