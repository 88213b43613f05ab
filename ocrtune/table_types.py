"""What the columns of a table hold, told by their types and first values."""

import json
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from ocrtune.cells import example_of, stored_path
from ocrtune.columns import (
    EXAMPLE_CHARS,
    LABEL,
    NUMBER,
    OTHER,
    PATH,
    PICTURE,
    PICTURES,
    RECORD,
    TEXTS,
    Column,
    kind_of_strings,
)


def describe(schema: pa.Schema, examples: Sequence[dict[str, Any]]) -> list[Column]:
    """Return what each column holds, by its type, the features kept beside it, and first values."""
    features = kept_features(schema)
    columns = []
    for one in schema:
        feature = features.get(one.name)
        names = feature.get("names") if isinstance(feature, dict) else None
        labels = tuple(map(str, names)) if isinstance(names, list) else ()
        values = [row[one.name] for row in examples if row.get(one.name) is not None]
        kind = LABEL if labels else kind_of(one.type, values)
        example = example_of(values[0], labels, EXAMPLE_CHARS) if values else ""
        columns.append(
            Column(
                name=one.name,
                type="class label" if labels else type_words(one.type),
                kind=kind,
                example=example,
                labels=labels,
            )
        )
    return columns


def kept_features(schema: pa.Schema) -> dict[str, Any]:
    """Return the features that `datasets` keeps in a table's metadata."""
    try:
        about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        features = about["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return features if isinstance(features, dict) else {}


def kind_of(kind: pa.DataType, values: Sequence[Any]) -> str:
    """Return what a column of this type and with these first values holds."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if holds_pictures(kind):
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return PICTURES
        only_path = [value for value in values if stored_path(value) and not value.get("bytes")]
        return PATH if only_path else PICTURE
    if is_string(kind):
        return kind_of_strings([value for value in values if isinstance(value, str)])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        inner = kind.value_type
        return TEXTS if is_string(inner) else RECORD if pa.types.is_struct(inner) else OTHER
    if pa.types.is_struct(kind):
        return RECORD
    return NUMBER if pa.types.is_integer(kind) or pa.types.is_floating(kind) else OTHER


def holds_pictures(kind: pa.DataType) -> bool:
    """Whether the values of a type are bytes: a picture, or a list of them."""
    if pa.types.is_struct(kind):
        return any(one.name == "bytes" and holds_pictures(one.type) for one in kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return holds_pictures(kind.value_type)
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def is_string(kind: pa.DataType) -> bool:
    """Whether the values of a type are texts."""
    view = getattr(pa.types, "is_string_view", lambda one: False)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or view(kind)


def type_words(kind: pa.DataType) -> str:
    """Return a type in a few words."""
    if pa.types.is_struct(kind) and holds_pictures(kind):
        return "image"
    words = str(kind)
    return words if len(words) <= 60 else words[:60] + "…"
