"""Checks requests to BigQuery without an account.

Usage: prove.py REAL_TYPES REQUESTS

Every statement is analysed by ZetaSQL, Google's own analyser (PyPI zetasql), with the tables that the requests
describe: their columns are those of the emulator's answers, with the types of REAL_TYPES where the real table has
another. Every path, query parameter and body is compared with the published description of the API (it is part of
PyPI google-api-python-client). Prints what is wrong and ends with 1, else prints how much was checked.
"""

import fcntl
import json
import re
import sys
from importlib.resources import files
from urllib.parse import parse_qsl, urlsplit

import wasmtime


class CachingConfig(wasmtime.Config):
    """Compiles the analyser, which takes a minute, once for this Python environment."""

    def __init__(self):
        super().__init__()
        self.cache = SETTINGS


SETTINGS = f"{sys.prefix}/wasmtime.toml"
with open(SETTINGS, "w") as file:
    file.write(f'[cache]\ndirectory = "{sys.prefix}/wasmtime"\n')
wasmtime.Config = CachingConfig

from zetasql.api import Analyzer, CatalogBuilder, TableBuilder, TypeFactory  # noqa: E402
from zetasql.types import (  # noqa: E402
    AnalyzerOptions,
    LanguageOptions,
    TypeKind,
    ZetaSQLBuiltinFunctionOptions,
)

KINDS = {"FLOAT": "DOUBLE", "FLOAT64": "DOUBLE", "INTEGER": "INT64", "BOOLEAN": "BOOL"}


def kind(name):
    return getattr(TypeKind, f"TYPE_{KINDS.get(name, name)}")


class Api:
    """The published description of the API."""

    def __init__(self):
        path = files("googleapiclient") / "discovery_cache/documents/bigquery.v2.json"
        self.document = json.loads(path.read_text())
        self.methods = list(self.walk(self.document["resources"]))

    def walk(self, resources):
        for resource in resources.values():
            yield from resource.get("methods", {}).values()
            yield from self.walk(resource.get("resources", {}))

    def problems(self, request):
        target = urlsplit(request["target"])
        method = self.method(request["method"], target.path)
        if method is None:
            return [f"no such call: {request['method']} {target.path}"]
        known = {**self.document["parameters"], **method["parameters"]}
        found = [
            f"{method['id']} has no parameter {name}"
            for name, _ in parse_qsl(target.query)
            if known.get(name, {}).get("location") != "query"
        ]
        if request["body"] is not None:
            body = method.get("request", {}).get("$ref")
            found += self.mismatches(method["id"], {"$ref": body}, request["body"])
        return found

    def method(self, verb, path):
        for method in self.methods:
            template = re.escape("/" + self.document["servicePath"] + method["flatPath"])
            if method["httpMethod"] == verb and re.fullmatch(
                re.sub(r"\\\{\w+\\\}", "[^/]+", template), path
            ):
                return method
        return None

    def mismatches(self, place, schema, value):
        if "$ref" in schema:
            schema = self.document["schemas"][schema["$ref"]]
        expected = schema.get("type")
        if expected == "object":
            if not isinstance(value, dict):
                return [f"{place} is not an object: {value!r}"]
            found = []
            for name, inner in value.items():
                of = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
                if of is None:
                    found.append(f"{place} has no field {name}")
                else:
                    found += self.mismatches(f"{place}.{name}", of, inner)
            return found
        if expected == "array":
            if not isinstance(value, list):
                return [f"{place} is not a list: {value!r}"]
            return [
                problem
                for at, inner in enumerate(value)
                for problem in self.mismatches(f"{place}[{at}]", schema["items"], inner)
            ]
        types = {"string": str, "boolean": bool, "integer": int, "number": (int, float)}
        if not isinstance(value, types[expected]) or (isinstance(value, bool) and expected != "boolean"):
            return [f"{place} is not of type {expected}: {value!r}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{place} is none of {schema['enum']}: {value!r}"]
        return []


class Sql:
    """The analyser, with the tables that were described."""

    def __init__(self, requests, real_types):
        with open(SETTINGS) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self.language = LanguageOptions.maximum_features()
        builder = CatalogBuilder("project").with_builtin_functions(
            ZetaSQLBuiltinFunctionOptions(language_options=self.language)
        )
        self.catalog = builder.build()
        tables = {}
        for request in requests:
            described = re.search(r"/datasets/(\w+)/tables/(\w+)\?", request["target"])
            if described and "schema" in (request["answer"] or {}):
                tables[described.groups()] = request["answer"]["schema"]["fields"]
        datasets = {}
        for (dataset, name), fields in tables.items():
            real = real_types.get(f"{dataset}.{name}", {})
            table = TableBuilder(name)
            for field in fields:
                simple = TypeFactory.create_simple_type(kind(real.get(field["name"], field["type"])))
                repeated = field.get("mode") == "REPEATED"
                table.add_column(
                    field["name"], TypeFactory.create_array_type(simple) if repeated else simple
                )
            catalog = datasets.setdefault(dataset, CatalogBuilder(dataset))
            catalog.add_table(table.build())
        self.catalog.catalog.extend(catalog.build() for catalog in datasets.values())

    def problems(self, body):
        options = AnalyzerOptions(language_options=self.language)
        for parameter in body["queryParameters"]:
            options.query_parameters.append(
                AnalyzerOptions.QueryParameter(
                    name=parameter["name"],
                    type=TypeFactory.create_simple_type(kind(parameter["parameterType"]["type"])),
                )
            )
        try:
            Analyzer(options, self.catalog).analyze_statement(body["query"])
        except Exception as error:  # the package's own errors share no base
            return [f"{error}: {body['query']}"]
        return []


def main(real_types, requests):
    with open(real_types) as file:
        real_types = json.load(file)
    with open(requests) as file:
        requests = [json.loads(line) for line in file]
    api, sql = Api(), Sql(requests, real_types)
    statements = {json.dumps(r["body"]["query"]): r["body"] for r in requests if (r["body"] or {}).get("query")}
    problems = [problem for request in requests for problem in api.problems(request)]
    problems += [problem for body in statements.values() for problem in sql.problems(body)]
    for problem in sorted(set(problems)):
        print(problem)
    if problems or not statements:
        sys.exit(1)
    print(f"{len(requests)} requests, {len(statements)} statements")


main(*sys.argv[1:])
