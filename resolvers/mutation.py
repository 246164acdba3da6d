"""The root fields that change something."""

from typing import Annotated, Any

import strawberry

from db.consent import StudyConsent
from resolvers.consent import ConsentChange, change_consent
from resolvers.info import Info
from resolvers.managing import (
    ArchiveChanges,
    ArchiveInput,
    ManagedArchive,
    RefreshRequest,
    RemovedArchive,
    add_archive,
    change_archive,
    refresh,
    remove_archive,
    switch_archive,
)
from resolvers.scalars import UID


def _argument(description: str) -> Any:
    return strawberry.argument(description=description)


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(
        description="Says what the patient of a study agreed to, in one archive; a withdrawal takes effect "
        "at once. For people with full access and the verb admin for the archive's ERN."
    )
    async def set_consent(
        self,
        info: Info,
        study_instance_uid: Annotated[UID, _argument("StudyInstanceUID.")],
        archive: Annotated[str, _argument("Code of the archive that holds the study.")],
        care: Annotated[bool, _argument("Consent to use in care.")],
        registry: Annotated[bool, _argument("Consent to ERN databases and registries.")],
        research: Annotated[bool, _argument("Consent to research.")],
    ) -> ConsentChange:
        wanted = StudyConsent(study_instance_uid, care, registry, research)
        return await change_consent(info.context, archive, wanted)

    @strawberry.mutation(
        description="Asks for a look at an archive now, instead of when it is due; a worker takes it up. For "
        "people with the verb admin for the archive's ERN."
    )
    async def refresh_archive(
        self,
        info: Info,
        code: Annotated[str, _argument("Code of the archive.")],
        reconcile: Annotated[
            bool, _argument("Compare everything, which finds what was removed and changed unnoticed.")
        ] = False,
    ) -> RefreshRequest:
        return await refresh(info.context, code, reconcile=reconcile)

    @strawberry.mutation(
        description="Adds an archive, at once and without a restart. For people with the verb admin for its ERN."
    )
    async def add_archive(
        self, info: Info, archive: Annotated[ArchiveInput, _argument("What it is.")]
    ) -> ManagedArchive:
        return await add_archive(info.context, archive)

    @strawberry.mutation(
        description="Changes an archive that was added here; of one that is in archives.toml the file decides. "
        "Another address or depth has it indexed anew. For people with the verb admin for its ERN."
    )
    async def update_archive(
        self,
        info: Info,
        code: Annotated[str, _argument("Code of the archive.")],
        changes: Annotated[ArchiveChanges, _argument("What is different now.")],
    ) -> ManagedArchive:
        return await change_archive(info.context, code, changes)

    @strawberry.mutation(
        description="Switches an archive off: it is not asked and not shown, its rows are kept. Also one of "
        "archives.toml. For people with the verb admin for its ERN."
    )
    async def disable_archive(
        self, info: Info, code: Annotated[str, _argument("Code of the archive.")]
    ) -> ManagedArchive:
        return await switch_archive(info.context, code, disabled=True)

    @strawberry.mutation(
        description="Switches an archive on again. For people with the verb admin for its ERN."
    )
    async def enable_archive(
        self, info: Info, code: Annotated[str, _argument("Code of the archive.")]
    ) -> ManagedArchive:
        return await switch_archive(info.context, code, disabled=False)

    @strawberry.mutation(
        description="Removes an archive that was added here, or purges one that was removed before or left "
        "archives.toml. For people with the verb admin for its ERN."
    )
    async def remove_archive(
        self,
        info: Info,
        code: Annotated[str, _argument("Code of the archive.")],
        purge: Annotated[
            bool, _argument("Whether its rows go too; else they are kept, unseen, until it comes back.")
        ],
    ) -> RemovedArchive:
        return await remove_archive(info.context, code, purge=purge)
