"""Free aliases move freely; protected ones, and the stage that means the same, do not."""

import pytest

from core.actors import Actor
from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from registry import retention, services
from registry.models import ModelVersion
from tests.registry.test_registering_models import events

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def test_a_free_alias_is_set_moved_and_removed(make_model, make_version, scientist, actor):
    model = make_model()
    first, second = make_version(model), make_version(model)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=first)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=second)
    assert model.aliases.get().version == second
    assert services.delete_alias(actor=actor(scientist), model=model, alias="challenger")
    assert not services.delete_alias(actor=actor(scientist), model=model, alias="challenger")
    moves = events("registry.alias_set")
    assert [(each["before"]["version"], each["after"]["version"]) for each in moves] == [(None, 1), (1, 2)]


@pytest.mark.parametrize(
    "alias", ["latest", "LATEST", "v1", "V22", "", "a b", "a/b", "x" * 256, "nul\x00", "bidi\u202e", 7]
)
def test_words_that_mean_something_else_are_no_alias(make_model, make_version, scientist, actor, alias):
    model = make_model()
    version = make_version(model)
    with pytest.raises(Invalid):
        services.set_alias(actor=actor(scientist), model=model, alias=alias, version=version)
    assert not model.aliases.exists()


def test_nobody_sets_a_protected_alias_here(make_model, make_version, scientist, admin, actor):
    model = make_model()
    version = make_version(model)
    for account in (scientist, admin):
        with pytest.raises(NotAllowed) as refusal:
            services.set_alias(actor=actor(account), model=model, alias="champion", version=version)
        assert refusal.value.code == "protected_alias"
    assert len(events("registry.set_alias")) == 2


@pytest.mark.parametrize(
    "alias", ["Champion", "CHAMPION", "CHAMPlON", "сhampion", "сһамріоп"]
)  # the last two in Cyrillic
def test_no_alias_passes_for_a_protected_one(make_model, make_version, scientist, actor, alias):
    model = make_model()
    version = make_version(model)
    with pytest.raises(Invalid, match="looks like the alias champion"):
        services.set_alias(actor=actor(scientist), model=model, alias=alias, version=version)
    assert not model.aliases.exists()


def test_a_policy_may_protect_further_names(make_model, make_version, scientist, admin, actor):
    services.protect_alias(actor=actor(admin), alias="shadow-of-production")
    assert services.is_protected_alias("shadow-of-production")
    with pytest.raises(NotAllowed):
        services.set_alias(
            actor=actor(scientist),
            model=(model := make_model()),
            alias="shadow-of-production",
            version=make_version(model),
        )
    with pytest.raises(NotAllowed):
        services.unprotect_alias(actor=actor(scientist), alias="shadow-of-production")
    services.unprotect_alias(actor=actor(admin), alias="shadow-of-production")
    with pytest.raises(Conflict):
        services.unprotect_alias(actor=actor(admin), alias="champion")


def test_the_stage_follows_the_protected_alias(make_model, make_version):
    model = make_model()
    first, second = make_version(model), make_version(model)
    services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=first)
    services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=second)
    assert list(model.versions.order_by("number").values_list("stage", flat=True)) == [
        "Archived",
        "Production",
    ]
    services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=None)
    assert not model.aliases.exists()
    assert not model.versions.filter(stage="Production").exists()


def test_only_ready_versions_become_champion(make_model, tracking, scientist, actor):
    model = make_model()
    version = services.create_version(actor=actor(scientist), model=model, source="runs:/r1/model")
    with pytest.raises(Conflict, match="hashing files"):
        services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=version)


def test_an_alias_never_points_at_another_models_version(make_model, make_version, scientist, actor):
    theirs = make_version(make_model("other"))
    with pytest.raises(Conflict):
        services.set_alias(actor=actor(scientist), model=make_model("delays"), alias="x", version=theirs)


def test_stages_move_except_production(make_model, make_version, scientist, actor):
    model = make_model()
    first, second = make_version(model), make_version(model)
    services.transition_stage(actor=actor(scientist), version=first, stage="staging")
    services.transition_stage(actor=actor(scientist), version=second, stage="Staging", archive_existing=True)
    assert list(model.versions.order_by("number").values_list("stage", flat=True)) == ["Archived", "Staging"]
    with pytest.raises(NotAllowed) as refusal:
        services.transition_stage(actor=actor(scientist), version=second, stage="Production")
    assert refusal.value.code == "protected_stage"
    with pytest.raises(Invalid):
        services.transition_stage(actor=actor(scientist), version=second, stage="Live")
    services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=second)
    with pytest.raises(Conflict):
        services.transition_stage(actor=actor(scientist), version=second, stage="None")


def test_a_live_or_retained_version_is_not_deleted(make_model, make_version, scientist, actor, monkeypatch):
    model = make_model()
    champion, retained, free = make_version(model), make_version(model), make_version(model)
    services.move_protected_alias(actor=SYSTEM, model=model, alias="champion", version=champion)
    monkeypatch.setitem(retention._keepers, "test", lambda ids: {retained.pk: "is under legal hold"})
    for version, why in ((champion, "protected alias champion"), (retained, "legal hold")):
        with pytest.raises(Conflict, match=why):
            services.delete_version(actor=actor(scientist), version=version)
    with pytest.raises(Conflict, match=r"version [12] "):
        services.delete_model(actor=actor(scientist), model=model)
    services.set_alias(actor=actor(scientist), model=model, alias="challenger", version=free)
    services.delete_version(actor=actor(scientist), version=free)
    assert not model.aliases.filter(name="challenger").exists()
    assert ModelVersion.objects.visible_to(actor(scientist)).count() == 2


def test_a_reviewer_changes_no_alias_tag_or_version(make_model, make_version, reviewer, actor):
    model = make_model()
    version = make_version(model)
    refusals = (
        lambda asking: services.set_alias(actor=asking, model=model, alias="x", version=version),
        lambda asking: services.delete_alias(actor=asking, model=model, alias="x"),
        lambda asking: services.set_tag(actor=asking, target=version, key="k", value="v"),
        lambda asking: services.delete_tag(actor=asking, target=version, key="k"),
        lambda asking: services.update_version(actor=asking, version=version, description="x"),
        lambda asking: services.delete_version(actor=asking, version=version),
        lambda asking: services.transition_stage(actor=asking, version=version, stage="Staging"),
        lambda asking: services.retry_registration(actor=asking, version=version),
    )
    for refused in refusals:
        with pytest.raises(NotAllowed):
            refused(actor(reviewer))


def test_a_stale_description_of_a_version_is_refused(make_model, make_version, scientist, actor):
    version = make_version(make_model())
    services.update_version(
        actor=actor(scientist), version=version, description="One.", expected_rev=version.rev
    )
    with pytest.raises(PreconditionFailed):
        services.update_version(
            actor=actor(scientist), version=version, description="Two.", expected_rev=version.rev
        )
