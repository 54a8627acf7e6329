"""One import, from the server's list of models to the last alias; nothing here is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from accounts.models import Account
from core.actors import Actor
from core.errors import Conflict, DomainError, Unavailable
from core.looks import look_sha256
from registry.contents import Contents
from registry.imports import services
from registry.imports.fetching import copy_of, fetch, find, is_copy, link_to_run, rehearse
from registry.imports.fitting import fitting_description, fitting_tags
from registry.imports.models import ImportedModel, ImportedVersion
from registry.imports.pointing import bring_aliases, note_stage
from registry.imports.report import Report
from registry.imports.server import FoundModel, FoundVersion, MlflowServer
from registry.models import ModelVersion, RegisteredModel
from registry.names import checked_name
from registry.sources import parse_source
from registry.taken import refuse_taken

Say = Callable[[str], None]


@dataclass
class Home:
    """A model there and what it is here; ``imported`` is None as long as it is only rehearsed."""

    found: FoundModel
    imported: ImportedModel | None
    copies: list[FoundVersion] = field(default_factory=list)
    numbers: set[int] = field(default_factory=set)


@dataclass
class Importer:
    """Brings models with the authority of the host, or with ``report.is_rehearsal`` only looks."""

    server: MlflowServer
    owner: Account
    report: Report
    say: Say
    actor: Actor = field(default_factory=Actor.command_line)
    rehearsed: set[tuple[str, int]] = field(default_factory=set)

    def bring(self, models: Iterable[FoundModel]) -> None:
        """Models with their versions first, then versions that are copies, then aliases."""
        homes = [home for model in models if (home := self._home(model)) is not None]
        for home in homes:
            for version in self._versions(home):
                if is_copy(version):
                    home.copies.append(version)
                else:
                    self._bring(home, version)
        copies = [(home, version) for home in homes for version in home.copies]
        for home, version in sorted(copies, key=lambda pair: pair[1].registered_at_ms):
            self._bring(home, version)
        for home in homes:
            bring_aliases(self.actor, home.found, home.imported, home.numbers, self.report)

    def _home(self, found: FoundModel) -> Home | None:
        self.say(found.name)
        try:
            name = checked_name(found.name)
            known = ImportedModel.objects.filter(server=self.server.url, name=found.name)
            imported = known.select_related("model").first()
            if imported is None:
                return Home(found, self._new_model(found, name))
        except Unavailable:
            raise
        except DomainError as error:
            self.report.could_not(_kind(found), found.name, error)
            return None
        if imported.model.deleted_at is not None:
            self.report.could_not(_kind(found), found.name, "It came before and was deleted here since.")
            return None
        self.report.here(_kind(found), found.name)
        self._fitting(found.name, found.tags, found.description)
        return Home(found, imported)

    def _new_model(self, found: FoundModel, name: str) -> ImportedModel | None:
        if RegisteredModel.objects.named(name).exists():
            raise Conflict(
                f"A registered model named {name!r} is here already and did not come from this server;"
                " rename one of the two and import again."
            )
        refuse_taken(self.actor, RegisteredModel(name=name, look_sha256=look_sha256(name)))
        tags, description = self._fitting(found.name, found.tags, found.description)
        imported = None
        if not self.report.is_rehearsal:
            imported = services.import_model(
                actor=self.actor,
                server=self.server.url,
                name=found.name,
                owner=self.owner,
                description=description,
                tags=tags,
            )
        self.report.came(_kind(found), found.name)
        self._note_tags(found.name, tags)
        return imported

    def _versions(self, home: Home) -> list[FoundVersion]:
        try:
            return self.server.versions(home.found)
        except Unavailable:
            raise
        except DomainError as error:
            self.report.could_not("version", home.found.name, error)
            return []

    def _bring(self, home: Home, found: FoundVersion) -> None:
        """One version: here already, brought, or the reason why not."""
        self.say(str(found))
        known = home.imported and home.imported.versions.filter(number=found.number).first()
        if known:
            deleted = known.version.deleted_at is not None
            self.report.here("version", str(found), "It was deleted here since." if deleted else "")
            home.numbers.add(found.number)
            self._note_lost(home, found)
            return
        if found.status != ModelVersion.Status.READY:
            self.report.could_not("version", str(found), f"Its status on the server is {found.status}.")
            return
        try:
            if home.found.is_prompt:
                self._take_prompt(home, found)
            elif is_copy(found):
                self._copy(home, found)
            else:
                self._fetch(home, found)
        except Unavailable:
            raise
        except DomainError as error:
            self.report.could_not("version", str(found), error)

    def _note_lost(self, home: Home, found: FoundVersion) -> None:
        """What could not come with a version that is here: the import that brought it may not have ended."""
        if found.stage not in services.FREE_STAGES:
            note_stage(found, self.report)
        self._fitting(str(found), found.tags, found.description)
        if home.found.is_prompt or is_copy(found):
            return
        try:
            notes = find(self.server, found).notes
        except Unavailable:
            raise
        except DomainError as error:  # it was there when the version came
            notes = [str(error)]
        for note in notes:
            self.report.could_not("run", f"run of {found}", note)

    def _fetch(self, home: Home, found: FoundVersion) -> None:
        origin = find(self.server, found)
        if home.imported is None or self.report.is_rehearsal:
            files, size = rehearse(self.server, origin)
            self._rehearse(home, found, files, size)
        else:
            contents = fetch(self.server, found, origin, home.imported, self._progress(found))
            self._keep(home, home.imported, found, contents, link_to_run(self.server, origin))
        if origin.run is not None:
            self.report.came("run", f"{origin.run.name or origin.run.id} of {found}")
        for note in origin.notes:
            self.report.could_not("run", f"run of {found}", note)

    def _copy(self, home: Home, found: FoundVersion) -> None:
        source = parse_source(found.source)
        origin = ImportedVersion.objects.filter(
            home__server=self.server.url,
            home__name=source.owner,
            number=source.number,
            version__in=ModelVersion.objects.ready(),
        ).select_related("version__model")
        known = origin.first()
        if known is None and (source.owner, source.number) not in self.rehearsed:
            raise Conflict(f"It is a copy of {source.owner} v{source.number}, which has not come or is gone.")
        if home.imported is None or known is None or self.report.is_rehearsal:
            self._rehearse(home, found)
        else:
            contents = copy_of(self.server, found, known.version)
            self._keep(home, home.imported, found, contents, known.version.run_link)

    def _take_prompt(self, home: Home, found: FoundVersion) -> None:
        """A prompt's text is in its version's tags: nothing is fetched."""
        if home.imported is None or self.report.is_rehearsal:
            self._rehearse(home, found)
            return
        tags, description = self._fitting(str(found), found.tags, found.description)
        version = services.import_prompt_version(
            actor=self.actor, home=home.imported, found=found, description=description, tags=tags
        )
        self._note_version(home, found, 0, 0, _moved(found, version))
        self._note_tags(str(found), tags)

    def _rehearse(self, home: Home, found: FoundVersion, files: int = 0, size: int = 0) -> None:
        tags, _ = self._fitting(str(found), found.tags, found.description)
        self.rehearsed.add((found.model, found.number))
        self._note_version(home, found, files, size)
        self._note_tags(str(found), tags)

    def _keep(
        self, home: Home, imported: ImportedModel, found: FoundVersion, contents: Contents, link: str
    ) -> None:
        tags, description = self._fitting(str(found), found.tags, found.description)
        version = services.import_version(
            actor=self.actor,
            home=imported,
            found=found,
            contents=contents,
            description=description,
            tags=tags,
            run_link=link,
        )
        files, size = (0, 0) if contents.parent else (len(contents.manifest), contents.size)
        self._note_version(home, found, files, size, _moved(found, version))
        self._note_tags(str(found), tags)

    def _note_version(self, home: Home, found: FoundVersion, files: int, size: int, note: str = "") -> None:
        self.report.came("version", str(found), note)
        self.report.files += files
        self.report.bytes += size
        home.numbers.add(found.number)
        note_stage(found, self.report)

    def _fitting(self, name: str, tags: dict[str, str], description: str) -> tuple[dict[str, str], str]:
        kept, refused = fitting_tags(tags)
        for key, reason in refused.items():
            self.report.could_not("tag", f"{key[:100]} of {name}", reason)
        text, shortened = fitting_description(description)
        if shortened:
            self.report.could_not("description", name, shortened)
        return kept, text

    def _note_tags(self, name: str, tags: dict[str, str]) -> None:
        for key in tags:
            self.report.came("tag", f"{key} of {name}")

    def _progress(self, found: FoundVersion) -> Callable[[float, str], None]:
        return lambda percent, step: self.say(f"{found}: {step}")


def _kind(found: FoundModel) -> str:
    return "prompt" if found.is_prompt else "model"


def _moved(found: FoundVersion, version: ModelVersion) -> str:
    return "" if version.number == found.number else f"It is version {version.number} here."
