"""Which fields of the schema an answer reached, and what stands in each."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

Found = tuple[str, Any]
"""('Study.patientName', its value; of an object None)."""


def reached(schema: GraphQLSchema, document: DocumentNode, data: Any) -> Iterator[Found]:
    """Every field that was answered, null or not, as (Type.field, leaf value)."""
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and isinstance(data, dict):
            root = schema.get_root_type(node.operation)
            assert root is not None
            yield from _in(schema, root, node.selection_set, data)


def _in(
    schema: GraphQLSchema, of: GraphQLObjectType | GraphQLInterfaceType, nodes: SelectionSetNode, data: Any
) -> Iterator[Found]:
    if isinstance(data, list):
        for item in data:
            yield from _in(schema, of, nodes, item)
        return
    if not isinstance(data, dict):
        return
    for node in nodes.selections:
        if isinstance(node, InlineFragmentNode) and node.type_condition:
            name = node.type_condition.name.value
            if data.get("__typename", name) == name:
                inner = schema.get_type(name)
                assert isinstance(inner, GraphQLObjectType)
                yield from _in(schema, inner, node.selection_set, data)
        elif isinstance(node, FieldNode) and not node.name.value.startswith("__"):
            yield from _field(schema, of, node, data)


def _field(
    schema: GraphQLSchema, of: GraphQLObjectType | GraphQLInterfaceType, node: FieldNode, data: dict[str, Any]
) -> Iterator[Found]:
    key = (node.alias or node.name).value
    if key not in data:
        return
    name, value = f"{of.name}.{node.name.value}", data[key]
    below = get_named_type(of.fields[node.name.value].type)
    if node.selection_set is None or value is None:
        yield name, value
    elif isinstance(below, GraphQLObjectType | GraphQLInterfaceType):
        yield name, None
        yield from _in(schema, below, node.selection_set, value)
