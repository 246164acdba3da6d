"""The schema object; `ernfed schema` prints it, and schema.graphql is that print, committed."""

from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from resolvers.mutation import Mutation
from resolvers.query import Query
from resolvers.records.nodes import Instance, Series, Study
from resolvers.scalars import SCALARS
from resolvers.subscription import Subscription


class Warnings(SchemaExtension):
    """Puts what an answer lacks, where no field can say it, into `extensions.warnings`."""

    def get_results(self) -> dict[str, Any]:
        warnings = getattr(self.execution_context.context, "warnings", None)
        if not warnings:
            return {}
        return {"warnings": [{"code": code, "message": text} for code, text in sorted(warnings.items())]}


schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    types=[Study, Series, Instance],
    extensions=[Warnings],
    config=StrawberryConfig(scalar_map=SCALARS),
)
