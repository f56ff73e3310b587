"""Validates SBOMs with the libraries of the projects that specify them.

usage: validate.py cyclonedx|spdx FILE...  prints one line for each problem.
"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def cyclonedx(path):
    with open(path, encoding="utf-8") as file:
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(file.read())
    return [] if problem is None else [problem]


def spdx(path):
    return [m.validation_message for m in validate_full_spdx_document(parse_file(path))]


failed = False
for name in sys.argv[2:]:
    for problem in {"cyclonedx": cyclonedx, "spdx": spdx}[sys.argv[1]](name):
        failed = True
        print(f"{name}: {problem}")
sys.exit(1 if failed else 0)
