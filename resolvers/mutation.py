"""The root fields that change something."""

from datetime import datetime
from typing import Annotated

import strawberry

from db.writing.consent import StudyConsent
from resolvers.archives.administration import (
    ArchiveChanges,
    ArchiveInput,
    ManagedArchive,
    RefreshRequest,
    RemovedArchive,
    add_archive,
    change_archive,
    confirm_removals,
    refresh,
    remove_archive,
    switch_archive,
)
from resolvers.cohorts.cohort import Cohort, CohortVersion
from resolvers.cohorts.mutations import (
    DeletedCohort,
    delete_cohort,
    freeze_cohort,
    rename_cohort,
    save_cohort,
    share_cohort,
    with_first_version,
)
from resolvers.consent.change import ConsentChange, change_consent
from resolvers.context import Info
from resolvers.descriptions import argument
from resolvers.filters.inputs import StudyFilter
from resolvers.scalars import UID


@strawberry.type(description="What can be changed.")
class Mutation:
    @strawberry.mutation(
        description="Says what the patient of a study agreed to, in one archive; a withdrawal takes effect "
        "at once. For people with full access and the verb admin for the archive's ERN."
    )
    async def set_consent(
        self,
        info: Info,
        study_instance_uid: Annotated[UID, argument("StudyInstanceUID.")],
        archive: Annotated[str, argument("Code of the archive that holds the study.")],
        care: Annotated[bool, argument("Consent to use in care.")],
        registry: Annotated[bool, argument("Consent to ERN databases and registries.")],
        research: Annotated[bool, argument("Consent to research.")],
    ) -> ConsentChange | None:
        wanted = StudyConsent(study_instance_uid, care, registry, research)
        return await change_consent(info.context, archive, wanted)

    @strawberry.mutation(
        description="Asks for a look at an archive now, instead of when it is due; a worker takes it up. For "
        "people with the verb admin for the archive's ERN."
    )
    async def refresh_archive(
        self,
        info: Info,
        code: Annotated[str, argument("Code of the archive.")],
        reconcile: Annotated[
            bool, argument("Compare everything, which finds what was removed and changed unnoticed.")
        ] = False,
    ) -> RefreshRequest | None:
        return await refresh(info.context, code, reconcile=reconcile)

    @strawberry.mutation(
        description="Says that a suspicious removal is right: studies that an archive does not list any more, which no "
        "run removed because they are too many. Asks for a run that removes them, as many as were found until then and "
        "no more. For people with the verb admin for the archive's ERN."
    )
    async def confirm_removals(
        self,
        info: Info,
        code: Annotated[str, argument("Code of the archive.")],
        since: Annotated[
            datetime,
            argument("`since` of the archive's `index { suspiciousRemoval }`, as you have seen it."),
        ],
    ) -> RefreshRequest | None:
        return await confirm_removals(info.context, code, since)

    @strawberry.mutation(
        description="Adds an archive, at once and without a restart. For people with the verb admin for its ERN."
    )
    async def add_archive(
        self, info: Info, archive: Annotated[ArchiveInput, argument("What it is.")]
    ) -> ManagedArchive | None:
        return await add_archive(info.context, archive)

    @strawberry.mutation(
        description="Changes an archive that was added here; of one that is in archives.toml the file decides. "
        "Another address or depth has it indexed anew. For people with the verb admin for its ERN."
    )
    async def update_archive(
        self,
        info: Info,
        code: Annotated[str, argument("Code of the archive.")],
        changes: Annotated[ArchiveChanges, argument("What is different now.")],
    ) -> ManagedArchive | None:
        return await change_archive(info.context, code, changes)

    @strawberry.mutation(
        description="Switches an archive off: it is not asked and not shown, its rows are kept. Also one of "
        "archives.toml. For people with the verb admin for its ERN."
    )
    async def disable_archive(
        self, info: Info, code: Annotated[str, argument("Code of the archive.")]
    ) -> ManagedArchive | None:
        return await switch_archive(info.context, code, disabled=True)

    @strawberry.mutation(
        description="Switches an archive on again. For people with the verb admin for its ERN."
    )
    async def enable_archive(
        self, info: Info, code: Annotated[str, argument("Code of the archive.")]
    ) -> ManagedArchive | None:
        return await switch_archive(info.context, code, disabled=False)

    @strawberry.mutation(
        description="Removes an archive that was added here, or purges one that was removed before or left "
        "archives.toml. For people with the verb admin for its ERN."
    )
    async def remove_archive(
        self,
        info: Info,
        code: Annotated[str, argument("Code of the archive.")],
        purge: Annotated[
            bool, argument("Whether its rows go too; else they are kept, unseen, until it comes back.")
        ],
    ) -> RemovedArchive | None:
        return await remove_archive(info.context, code, purge=purge)

    @strawberry.mutation(
        description="Saves a filter as a cohort, at most 200 of a person. Its name and description are shown to "
        "all with whom it is shared: name no patient there."
    )
    async def save_cohort(
        self,
        info: Info,
        name: Annotated[str, argument("What to call it: 1 to 200 characters.")],
        filter: Annotated[StudyFilter, argument("Which studies; without a cohort in it.")],
        description: Annotated[str | None, argument("What it is for: at most 1000 characters.")] = None,
        archives: Annotated[list[str] | None, argument("Only these archives, by code; null: all.")] = None,
        freeze: Annotated[bool, argument("Whether to keep what it finds now as version 1, too.")] = False,
    ) -> Cohort | None:
        saved = await save_cohort(info.context, name, description, filter, archives)
        return await with_first_version(info, saved) if freeze else saved

    @strawberry.mutation(
        description="Keeps what a cohort's filter finds now as its next version: at most 20 versions, 100,000 "
        "copies of studies each and 1,000,000 of a person. For its owner."
    )
    async def freeze_cohort(
        self, info: Info, id: Annotated[strawberry.ID, argument("Id of the cohort.")]
    ) -> CohortVersion | None:
        return await freeze_cohort(info, id)

    @strawberry.mutation(description="Gives a cohort another name and description. For its owner.")
    async def rename_cohort(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument("Id of the cohort.")],
        name: Annotated[str, argument("What to call it: 1 to 200 characters.")],
        description: Annotated[str | None, argument("What it is for; null: nothing.")] = None,
    ) -> Cohort | None:
        return await rename_cohort(info.context, id, name, description)

    @strawberry.mutation(
        description="Says who may open a cohort by its id, beside its owner; who is not named may not any more. "
        "What they see of it is what their own rights show. For its owner."
    )
    async def share_cohort(
        self,
        info: Info,
        id: Annotated[strawberry.ID, argument("Id of the cohort.")],
        people: Annotated[list[str], argument("Subjects of people.")] = [],  # noqa: B006
        erns: Annotated[list[str], argument("ERNs: everybody who may see anything of one of them.")] = [],  # noqa: B006
        everyone: Annotated[bool, argument("Everybody who can sign in.")] = False,
    ) -> Cohort | None:
        return await share_cohort(info.context, id, people, erns, everyone=everyone)

    @strawberry.mutation(
        description="Deletes a cohort with its versions, or one version by its id. For its owner."
    )
    async def delete_cohort(
        self, info: Info, id: Annotated[strawberry.ID, argument("Id of the cohort or version.")]
    ) -> DeletedCohort | None:
        return await delete_cohort(info.context, id)
