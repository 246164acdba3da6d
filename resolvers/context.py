"""What a GraphQL request has at hand: the request, the loaders of its answer, and how long that has grown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.dataloader import DataLoader

from access.scope import Projection
from db.cohorts import cohorts
from db.lists.nodes import data_set, key_of
from db.pool import Row
from model.attributes import Level
from model.dicom_json import DataSet
from reads.batches import Batches, VersionBatches
from reads.cohort_scope import person_of
from reads.named_elements import has_all
from reads.request import Request
from resolvers.records.loaders import Loaders, VersionLists
from resolvers.selections import is_below_a_list, is_plain


@dataclass
class Context(Request):
    """One GraphQL request."""

    made: int = 0
    """Nodes of the answer so far."""
    loaders: dict[Projection, Loaders] = field(init=False)
    version_lists: VersionLists = field(init=False)
    cohort_by_id: DataLoader[UUID, cohorts.Cohort | None] = field(init=False)
    """By the key of a cohort or of one of its versions; None where the viewer may not open it."""
    shares_by_cohort: DataLoader[UUID, list[tuple[str, str]]] = field(init=False)
    """With whom each of the viewer's own cohorts is shared."""
    _plain: dict[int, bool] = field(default_factory=dict)

    def _begin(self) -> None:
        super()._begin()
        on_demand = self.services.on_demand
        self.loaders = {
            scope.projection: Loaders(Batches(self.database, scope, on_demand, self.touched))
            for scope in self.access_scope.projections
        }
        self.version_lists = VersionLists(VersionBatches(self.database))
        self.cohort_by_id = DataLoader(load_fn=self._read_cohorts)
        self.shares_by_cohort = DataLoader(load_fn=self._read_shares)

    def may_wait(self, info: GraphQLResolveInfo[Any]) -> bool:
        """Whether the nodes of the list that is being answered may be made later than those of other lists."""
        if not is_below_a_list(info.path):
            return True
        if (known := self._plain.get(id(info.field_nodes[0]))) is None:
            known = all(is_plain(each.selection_set, info.fragments) for each in info.field_nodes)
            self._plain[id(info.field_nodes[0])] = known
        return known

    def loaders_of(self, row: Row) -> Loaders:
        """The loaders of the projection that a node's row belongs to."""
        return self.loaders[Projection(row["projection"])]

    async def data_set_of_instance(self, row: Row, names: Sequence[str] | None) -> DataSet:
        """The data set of an instance, whole where a name asks for more than the index holds."""
        loaders, key = self.loaders_of(row), key_of(row, Level.INSTANCE)
        copies = await loaders.data_sets(Level.INSTANCE).load(key)
        known = data_set(copies[0]) if copies else {}
        if names is not None and has_all(known, names):
            return known
        whole, error = await loaders.whole_data_set_by_instance.load(key)
        if error is not None:
            why = (
                error.message
                if Projection(row["projection"]) is Projection.IDENTIFIED
                else "the archive did not answer as it should."
            )
            self.warnings[error.code] = f"Some attributes of instances are missing: {why}"
        return whole

    async def _read_cohorts(self, keys: list[UUID]) -> list[cohorts.Cohort | None]:
        found = await cohorts.opened(self.services.owner, person_of(self.viewer), keys)
        by_key = {
            key: each for each in found for key in (each.cohort_id, *(v.version_id for v in each.versions))
        }
        return [by_key.get(key) for key in keys]

    async def _read_shares(self, cohort_ids: list[UUID]) -> list[list[tuple[str, str]]]:
        found = await cohorts.shares(self.services.owner, person_of(self.viewer), cohort_ids)
        return [found[each] for each in cohort_ids]


Info = strawberry.Info[Context, None]
"""The `info` argument of resolvers."""
