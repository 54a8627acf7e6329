"""The software bill of materials of a version: CycloneDX 1.6 from its locked requirements."""

from __future__ import annotations

import uuid
from urllib.parse import quote

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from core.errors import Conflict
from registry.models import ModelVersion
from registry.requirements import Locked, Requirements, read_requirements

MEDIA_TYPE = "application/vnd.cyclonedx+json; version=1.6"
PREFIX = "controlplane"
# The library needs 0.6 ms per component; the manifest has the rest.
MOST_FILES = 1000


def bill_of(version: ModelVersion) -> str:
    """The document as JSON text; the same version always gives the same bytes."""
    if not version.is_ready:
        raise Conflict(f"{version} {version.state_words}; its requirements are not known yet.")
    read = read_requirements(version.requirements)
    model = _model(version, read)
    libraries = [_library(each) for each in read.known.values()]
    if python := str(version.environment.get("python") or ""):
        libraries.append(
            Component(name="python", version=python, type=ComponentType.PLATFORM, bom_ref="python")
        )
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"{version.pk}:{version.digest}"),
        metadata=BomMetaData(component=model, timestamp=version.ready_at),
        components=libraries,
    )
    needs = [Dependency(ref=each.bom_ref) for each in libraries]
    bom.dependencies.add(Dependency(ref=model.bom_ref, dependencies=needs))
    bom.dependencies.update(needs)
    return JsonV1Dot6(bom).output_as_string(indent=2)


def _model(version: ModelVersion, read: Requirements) -> Component:
    """The model itself, its files hashed one by one, and what could not be read of its requirements."""
    facts = {
        "digest": f"sha256:{version.digest}",
        "requirements": "all pinned" if read.are_all_pinned else "not all pinned",
        "format_warning": version.format_warning,
        "code_commit": version.code_commit,
        "files_left_out": str(max(0, len(version.manifest) - MOST_FILES) or ""),
    }
    said = [Property(name=f"{PREFIX}:{name}", value=value) for name, value in facts.items() if value]
    said += [Property(name=f"{PREFIX}:unreadable_requirement", value=line) for line in read.unreadable]
    return Component(
        name=version.model.name,
        version=str(version.number),
        type=ComponentType.MACHINE_LEARNING_MODEL,
        bom_ref=f"model:{quote(version.model.name, safe='')}:{version.number}",
        description=version.description[:1000] or None,
        properties=said,
        components=[
            Component(
                name=entry["path"],
                type=ComponentType.FILE,
                bom_ref=f"file:{entry['sha256']}:{quote(entry['path'])}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=entry["sha256"])],
            )
            for entry in version.manifest[:MOST_FILES]
        ],
    )


def _library(locked: Locked) -> Component:
    """A distribution; without a pin it has no version, and the range is told beside it."""
    address = PackageURL(type="pypi", name=locked.name, version=locked.version or None)
    return Component(
        name=locked.name,
        version=locked.version or None,
        type=ComponentType.LIBRARY,
        bom_ref=str(address),
        purl=address,
        properties=[] if locked.version else [Property(name=f"{PREFIX}:requirement", value=locked.says)],
    )
