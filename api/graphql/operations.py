"""Which operation a request asks to run, as far as HTTP and WebSockets have to know before it is run."""

import re

from graphql import GraphQLError, get_operation_ast, parse
from strawberry.types.graphql import OperationType

from api.document.limits import MAX_TOKENS

_OTHER_THAN_QUERIES = re.compile(r"\b(?:mutation|subscription)\b", re.ASCII)


def kind_of(document: str, name: str | None) -> OperationType:
    """QUERY also for what cannot be run: whoever runs it says why.

    A document without the word of another kind, as most are, is not parsed for this.
    """
    if _OTHER_THAN_QUERIES.search(document) is None:
        return OperationType.QUERY
    try:
        operation = get_operation_ast(parse(document, no_location=True, max_tokens=MAX_TOKENS), name)
    except GraphQLError:
        return OperationType.QUERY
    return OperationType(operation.operation.value) if operation is not None else OperationType.QUERY
