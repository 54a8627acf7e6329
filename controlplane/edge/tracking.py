"""MLflow's runs, experiments, logged models and artifacts, each for whom they belong to.

What a person logs is theirs: edge writes who they are into a tag when an experiment, run or
logged model is created. Its owner may change it. It may be seen by its owner, by roles that see
everything, and by those who may see a registered model one of whose versions came from it.
For everybody else it does not exist.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from controlplane.edge import calls, naming, upstream
from controlplane.edge.answers import Exchange, Refused
from controlplane.edge.configuration import Configuration
from controlplane.edge.headers import Headers
from controlplane.edge.identity import Identity, require_reading, require_writing
from controlplane.edge.ownership import Ownership, Thing
from controlplane.edge.paths import plain_parts
from controlplane.edge.spools import Spools
from controlplane.edge.upstream import Upstream
from controlplane.tracking_endpoints import (
    DIRECT,
    NO_DIRECT,
    SECRET_HEADER,
    Access,
    Endpoint,
    find,
)
from core.actors import Actor

CREATING = {Access.CREATE_EXPERIMENT, Access.CREATE_INSIDE, Access.CREATE_TRACE}
FILES = {Access.READ_FILES, Access.WRITE_FILES}
# No experiment's number, asked for where a name is unknown so that both take the same time.
NOWHERE = "999999999999999999"
DECIDE = "/internal/tracking/decide"
ARTIFACT_HEADERS = (
    (b"content-disposition", b"attachment"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"sandbox; default-src 'none'"),
    (b"cache-control", b"private, no-store"),
)


class Tracking:
    """Decides on a tracking call and streams it."""

    def __init__(
        self,
        configuration: Configuration,
        identity: Identity,
        ownership: Ownership,
        *,
        server: Upstream,
        uploads: Upstream,
        web: Upstream,
        spools: Spools,
    ) -> None:
        self.configuration = configuration
        self.identity, self.ownership = identity, ownership
        self.server, self.uploads, self.web, self.spools = server, uploads, web, spools

    async def answer(self, exchange: Exchange) -> bool:
        """Answer the request; False when it is web's (the registry and the files of versions)."""
        scope = exchange.scope
        if naming.is_webs(scope):
            return False
        actor = await self.identity.of(scope, request_id=exchange.request_id, address=exchange.address)
        exchange.who, exchange.account_id = actor.account_name, str(actor.account_id)
        known = find(scope["method"], scope["path"])
        if known is None and DIRECT.match(scope["path"]):
            raise Refused(501, NO_DIRECT)
        if known is None:
            raise Refused(404, "This installation does not serve this call.", "ENDPOINT_NOT_FOUND")
        endpoint, captured = known
        try:
            require_reading(actor)
            if endpoint.access in {Access.WRITE, Access.WRITE_FILES, *CREATING}:
                require_writing(actor)
        except Refused:
            await self._post(exchange, set(), "refused")
            raise
        if endpoint.access in FILES:
            await self._files(exchange, actor, endpoint, captured)
        else:
            await self._call(exchange, actor, endpoint, captured)
        return True

    # --- calls ------------------------------------------------------------------------

    async def _call(
        self, exchange: Exchange, actor: Actor, endpoint: Endpoint, captured: dict[str, str]
    ) -> None:
        scope = exchange.scope
        has_query = scope["method"] == "GET"
        calls.check(captured, "path")
        if endpoint.access is Access.CREATE_TRACE:
            await self._new_trace(exchange, actor)
            return
        is_exact = "trace_id" in captured
        content = naming.query(scope) if has_query else await self._body(exchange, is_exact=is_exact)
        calls.check_page_token(content)
        if endpoint.access in {Access.WRITE, *CREATING}:
            calls.refuse_reserved(content)
            if captured.get("tag") == calls.OWNER:
                raise Refused(400, f"The tag {calls.OWNER} is reserved.")
        if scope["path"].endswith("experiments/get-by-name"):
            await self._name_to_id(content, actor)
        elif endpoint.access is Access.CREATE_EXPERIMENT:
            await self._refuse_taken(exchange, actor, str(content.get("name", "")))
        skip = (
            frozenset({"experiment_id", "experiment_ids"})
            if endpoint.access is Access.SEARCH
            else frozenset()
        )
        if content.get("request_ids"):  # traces named one by one: each is decided on, not where it lies
            if content.keys() & {"max_timestamp_millis", "max_traces"}:
                raise Refused(400, "Name traces or say how old they are, not both.")
            skip = frozenset({"experiment_id"})
        names = calls.Named() if is_exact else calls.named(content, skip=skip)
        for kind in ("model", "trace"):
            if f"{kind}_id" in captured:
                names.write.add((kind, calls.checked_id(kind, captured[f"{kind}_id"])))
        if endpoint.access in {Access.READ, Access.WRITE, Access.CREATE_INSIDE} and not names.write:
            raise Refused(400, "Say which run, logged model or experiment you mean.")
        if endpoint.access is Access.CREATE_INSIDE and not any(
            kind == "experiment" for kind, _ in names.write
        ):
            raise Refused(400, "experiment_id must say in which experiment this is created.")
        await self._decide(exchange, actor, endpoint.access, names)
        if endpoint.access in CREATING:
            _mark(content, actor, endpoint)
        elif endpoint.access is Access.SEARCH and not actor.holds_everywhere("view"):
            calls.narrow(content, str(actor.person_id))
        await self._forward(exchange, content, has_query)

    async def _new_trace(self, exchange: Exchange, actor: Actor) -> None:
        """A trace is created whole, under an id its maker chose; one that exists is only its owner's."""
        content = await self._body(exchange, is_exact=True)
        calls.refuse_reserved(content)
        info, trace_id, experiment_id = calls.trace_of(content)
        inside = calls.Named(write={("experiment", experiment_id)})
        await self._decide(exchange, actor, Access.CREATE_INSIDE, inside)
        person = str(actor.person_id)
        known = await self.ownership.of({("trace", trace_id)})
        if any(each.owner != person for each in known.values()):
            raise Refused(400, f"The trace id {trace_id} cannot be used; choose another.")
        info["tags"] = {**info.get("tags", {}), calls.OWNER: person}
        await self._forward(exchange, content, False)

    async def _body(self, exchange: Exchange, *, is_exact: bool = False) -> dict[str, Any]:
        limits = self.configuration
        with self.spools.place() as place:
            content, _ = await upstream.whole(exchange, limits.largest_call, limits.idle_seconds, place.take)
            raw = content if isinstance(content, bytes) else content.read()
        return calls.parsed_exactly(raw) if is_exact else calls.parsed(raw)

    async def _name_to_id(self, content: dict[str, Any], actor: Actor) -> None:
        """So that an experiment named is decided on like one numbered; of nobody's and a hidden one alike.

        Clients ask for a name before they create it: that is no attempt, so web is not asked for either.
        """
        name = str(content.get("experiment_name", ""))
        found = await self.ownership.experiment_named(name)
        [thing] = (await self.ownership.of({("experiment", found or NOWHERE)})).values() or [None]
        is_own = thing is not None and (thing.is_shared or thing.owner == str(actor.person_id))
        if thing is None or not (is_own or actor.holds_everywhere("view")):
            raise naming.unnamed(name)
        content["experiment_id"] = thing.id

    async def _refuse_taken(self, exchange: Exchange, actor: Actor, name: str) -> None:
        """Said here, since the server answers with its database's own words; who probes is recorded."""
        known = await self.ownership.experiment_named(name)
        if known is not None:
            [thing] = (await self.ownership.of({("experiment", known)})).values()
            if thing.owner != str(actor.person_id) and not actor.holds_everywhere("view"):
                await self._post(exchange, {thing}, "refused")
            raise Refused(400, f"An experiment named '{name}' exists already.", "RESOURCE_ALREADY_EXISTS")

    async def _forward(self, exchange: Exchange, content: dict[str, Any], has_query: bool) -> None:
        path = quote(exchange.scope["path"], safe="/:@!$&'()*+,;=~-._")
        if has_query:
            content = {name: value for name, value in content.items() if not naming.is_helper(name, exchange)}
            await self.server.forward(
                exchange, f"{path}?{urlencode(content, doseq=True)}", self._headers(exchange), None
            )
            return
        body = json.dumps(content).encode()
        headers = [*self._headers(exchange), (b"content-type", b"application/json")]
        await self.server.forward(exchange, path, headers, body)

    def _headers(self, exchange: Exchange) -> Headers:
        return [
            (b"host", b"localhost"),
            (b"accept", b"application/json"),
            (b"x-request-id", exchange.request_id.encode()),
            (SECRET_HEADER, self.configuration.tracking_secret.encode()),
        ]

    # --- artifacts --------------------------------------------------------------------

    async def _files(
        self, exchange: Exchange, actor: Actor, endpoint: Endpoint, captured: dict[str, str]
    ) -> None:
        scope = exchange.scope
        is_listing = "path" not in captured
        parts = plain_parts(str(naming.query(scope).get("path", "")) if is_listing else captured["path"])
        owner = naming.owner_of(parts)
        if endpoint.access is Access.WRITE_FILES and len(parts) < (
            5 if parts[1] in {"models", "traces"} else 4
        ):
            raise Refused(400, "The artifact path names no file.")
        found = await self._decide(exchange, actor, endpoint.access, calls.Named(write={owner}))
        if any(thing.experiment_id != parts[0] for thing in found.values()):
            raise Refused(404, f"There is no artifact {'/'.join(parts)}.")
        prefix = scope["path"].partition("/mlflow-artifacts/")[0] + "/mlflow-artifacts/artifacts"
        if is_listing:
            target = f"{prefix}?{urlencode({'path': '/'.join(parts)})}"
        else:
            target = f"{prefix}/{quote('/'.join(parts))}"
        if scope["method"] == "PUT":
            await self._upload(exchange, target)
        else:
            more = () if is_listing or scope["method"] == "DELETE" else ARTIFACT_HEADERS
            await self.server.forward(exchange, target, self._headers(exchange), None, *more)

    async def _upload(self, exchange: Exchange, target: str) -> None:
        """Stream the body as it comes, on a connection of its own."""
        limits = self.configuration
        length = upstream.declared_length(exchange.scope)
        if length is not None and length > limits.largest_artifact:
            raise upstream.too_large(limits.largest_artifact)
        headers = self._headers(exchange)
        if length is not None:
            headers.append((b"content-length", str(length).encode()))
        body = upstream.chunks(exchange, limits.largest_artifact, limits.idle_seconds) if length != 0 else b""
        await self.uploads.forward(exchange, target, headers, body)

    # --- rights -----------------------------------------------------------------------

    async def _decide(
        self, exchange: Exchange, actor: Actor, access: Access, names: calls.Named
    ) -> dict[tuple[str, str], Thing]:
        """Refuse unless the actor may do this to each thing named; answers the things."""
        found = await self.ownership.of(names.all())
        if absent := names.all() - found.keys():
            if not actor.holds_everywhere("view"):
                # What is hidden costs this question: an answer's time must not tell the two apart.
                await self._post(exchange, {Thing(*each, "", "") for each in absent}, "read")
            raise naming.unknown(*min(absent))
        changes = access in {Access.WRITE, Access.WRITE_FILES, Access.CREATE_INSIDE}
        own = {name for name, thing in found.items() if thing.owner == str(actor.person_id)}
        shared = {name for name, thing in found.items() if thing.is_shared}
        may_change = own | (shared if access is Access.CREATE_INSIDE else set())
        to_read = (names.read if changes else names.all()) - own - shared
        if to_read and not actor.holds_everywhere("view"):
            await self._ask_web(exchange, {found[each] for each in to_read}, "read")
        to_change = (names.write if changes else set()) - may_change
        if to_change:
            # Whoever may see it learns that it is not theirs; to others it does not exist.
            if not (to_change <= shared or actor.holds_everywhere("view")):
                await self._ask_web(exchange, {found[each] for each in to_change}, "change")
            raise await self._denied(exchange, {found[each] for each in to_change})
        return found

    async def _ask_web(self, exchange: Exchange, things: set[Thing], what: str) -> None:
        """Web knows the registered models, and writes refusals into the ledger."""
        status = await self._post(exchange, things, what)
        if status == 404:
            raise naming.unknown(*min((each.kind, each.id) for each in things))
        if status == 503:
            raise Refused(503, "web does not answer. Try again in a few seconds.")
        if status != 204:
            raise Refused(500, "The decision on this call failed.")

    async def _denied(self, exchange: Exchange, things: set[Thing]) -> Refused:
        await self._post(exchange, things, "refused")
        kind, name = min((each.kind, each.id) for each in things)
        return Refused(403, f"Only who created the {naming.word(kind)} {name} may change it.")

    async def _post(self, exchange: Exchange, things: set[Thing], what: str) -> int:
        authorization = next(value for name, value in exchange.scope["headers"] if name == b"authorization")
        names = sorted((each.kind, each.id, each.owner) for each in things)
        body = {"names": names, "what": what, "call": exchange.scope["path"]}
        status, _ = await self.web.ask(
            DECIDE,
            json.dumps(body).encode(),
            {
                "Host": "localhost",
                "Authorization": authorization.decode("latin1"),
                "Content-Type": "application/json",
                "X-Request-ID": exchange.request_id,
                "X-Forwarded-For": exchange.address,
            },
        )
        exchange.is_recorded |= what == "refused" or status == 404
        return status


def _mark(content: dict[str, Any], actor: Actor, endpoint: Endpoint) -> None:
    calls.mark_owner(content, str(actor.person_id))
    if content.get("artifact_location"):
        raise Refused(400, "artifact_location must be empty: this installation keeps the artifacts.")
    if endpoint.access is Access.CREATE_INSIDE and endpoint.pattern.pattern == "runs/create":
        content["user_id"] = actor.account_name
