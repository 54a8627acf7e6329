"""A scientist registers a model; others may or may not see and change it."""

import pytest
from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.errors import Conflict, Invalid, NotAllowed, PreconditionFailed
from registry import services
from registry.models import ModelVersion, RegisteredModel

pytestmark = pytest.mark.django_db


def events(action):
    with connection.cursor() as cursor:
        cursor.execute("SELECT body::jsonb FROM audit.event ORDER BY id")
        bodies = [row[0] for row in cursor.fetchall()]
    return [body for body in map(as_dict, bodies) if body["action"] == action]


def as_dict(body):
    import json

    return body if isinstance(body, dict) else json.loads(body)


def test_a_scientist_registers_a_model_and_owns_it(scientist, actor):
    model = services.create_model(
        actor=actor(scientist), name="delays", description="Late or not?", tags={"team": "ops"}
    )
    assert model.owner == scientist.person
    assert list(model.tags.values_list("key", "value")) == [("team", "ops")]
    assert RegisteredModel.objects.visible_to(actor(scientist)).get() == model
    [event] = events("registry.model_created")
    assert event["object"]["name"] == "delays"
    assert event["after"]["owner"] == str(scientist.person_id)


def test_only_those_who_may_create_do(reviewer, stranger, actor):
    for account in (reviewer, stranger):
        with pytest.raises(NotAllowed):
            services.create_model(actor=actor(account), name="delays")
    assert not RegisteredModel.objects.exists()
    assert [event["outcome"] for event in events("registry.create_model")] == ["denied", "denied"]


def test_a_stranger_sees_nothing_and_other_roles_see_everything(
    make_model, stranger, reviewer, auditor, admin, actor
):
    make_model()
    assert not RegisteredModel.objects.visible_to(actor(stranger)).exists()
    for account in (reviewer, auditor, admin):
        assert RegisteredModel.objects.visible_to(actor(account)).count() == 1


def test_another_scientist_sees_only_their_own_models(make_model, make_account, actor):
    make_model("delays")
    colleague = make_account("colleague", "data-scientist")
    own = make_model("cancellations", by=colleague)
    assert list(RegisteredModel.objects.visible_to(actor(colleague))) == [own]


def test_a_token_without_the_scope_sees_nothing(make_model, scientist):
    from accounts.actors import actor_for

    make_model()
    narrow = actor_for(scientist, via="token", scopes=frozenset({"predict"}))
    assert not RegisteredModel.objects.visible_to(narrow).exists()
    assert RegisteredModel.objects.visible_to(
        actor_for(scientist, via="token", scopes=frozenset({"view"}))
    ).exists()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        ".",
        "..",
        " .. ",
        "a/b",
        "a:b",
        "nul\x00",
        "bell\x07",
        "zero\u200bwidth",
        "bidi\u202ename",
        "half\ud800",
        "x" * 257,
        7,
        None,
    ],
)
def test_names_that_deceive_or_break_addresses_are_refused(scientist, actor, name):
    with pytest.raises(Invalid) as refusal:
        services.create_model(actor=actor(scientist), name=name)
    assert refusal.value.field == "name"
    assert not RegisteredModel.objects.exists()


@pytest.mark.parametrize("name", ["détour", "航班延误", "flights 🛫", "x" * 256, "weather-2013_v1.0"])
def test_names_of_people_are_fine(scientist, actor, name):
    assert services.create_model(actor=actor(scientist), name=name).name == name


def test_wide_letters_become_plain_ones(scientist, actor):
    assert services.create_model(actor=actor(scientist), name="ｉris").name == "iris"


@pytest.mark.parametrize(
    ("known", "lookalike"),
    [("iris", "іris"), ("Iris", "Іris"), ("iris", "iris "), ("paypal", "раураl"), ("ΑΒ", "АВ")],
)
def test_a_name_that_looks_like_another_is_refused(
    make_model, stranger, actor, make_account, known, lookalike
):
    make_model(known)
    other = make_account("other", "data-scientist")
    with pytest.raises(Conflict) as refusal:
        services.create_model(actor=actor(other), name=lookalike)
    assert refusal.value.code == "name_confusable"


def test_plain_names_that_differ_do_not_clash(make_model):
    for name in ("model1", "modell", "model0", "modelO", "Model1"):
        make_model(name)
    assert RegisteredModel.objects.count() == 5


@pytest.mark.parametrize(
    ("known", "lookalike"),
    [
        ("kestrel", "kestreI"),
        ("modern", "modem"),
        ("fraud-v10", "fraud-v1O"),
        ("flight-delay", "Flight-Delay"),
        ("flight-delay", "fl1ght-delay"),
        ("Mail", "rnai1"),
    ],
)
def test_a_plain_name_that_passes_for_somebody_elses_is_refused(
    make_model, make_account, scientist, actor, known, lookalike
):
    make_model(known)
    other = make_account("other", "data-scientist")
    for create in (services.create_model, services.rename_model):
        asked = {"name": lookalike}
        if create is services.rename_model:
            asked = {"model": make_model("mine", by=other), "new_name": lookalike}
        with pytest.raises(Conflict) as refusal:
            create(actor=actor(other), **asked)
        assert refusal.value.code == "name_confusable"
    denied = [event for event in events("registry.create_model") if event["outcome"] == "denied"]
    assert [each["actor"]["name"] for each in denied] == ["other"]
    assert make_model(lookalike).name == lookalike, "who works on the one may have the other"


@pytest.mark.parametrize(
    ("known", "beside"),
    [("model-1", "model-l"), ("churn-m1", "churn-ml"), ("phase-II", "phase-11"), ("mail", "mall")],
)
def test_ordinary_names_stand_beside_those_of_others(make_model, make_account, known, beside):
    make_model(known)
    make_model(beside, by=make_account("other", "data-scientist"))
    assert RegisteredModel.objects.count() == 2


def test_names_kept_before_are_found_in_any_case_too(make_model, make_account, actor):
    make_model("flight-delay")
    RegisteredModel.objects.update(look_sha256="0" * 64)
    known = MigrationLoader(None).disk_migrations.values()
    [migration] = [each for each in known if each.name.endswith("_find_look_alike_names_in_any_case")]
    migration.operations[0].code(apps, None)
    with pytest.raises(Conflict):
        make_model("FLIGHT-DELAY", by=make_account("other", "data-scientist"))


def test_a_taken_name_says_so_even_to_those_who_may_not_see_it(make_model, make_account, actor):
    make_model("delays")
    with pytest.raises(Conflict) as refusal:
        services.create_model(actor=actor(make_account("other", "data-scientist")), name="delays")
    assert refusal.value.code == "name_taken"


def test_owner_and_on_call_person_are_named(make_model, scientist, operator, actor):
    model = make_model()
    changed = services.update_model(actor=actor(scientist), model=model, on_call=operator.person, tier="high")
    assert (changed.on_call, changed.tier, changed.rev) == (operator.person, "high", 2)
    [event] = events("registry.model_updated")
    assert set(event["after"]) == {"on_call", "tier"}


def test_somebody_without_an_active_account_cannot_be_on_call(make_model, scientist, operator, actor):
    operator.is_active = False
    operator.save()
    with pytest.raises(Invalid) as refusal:
        services.update_model(actor=actor(scientist), model=make_model(), on_call=operator.person)
    assert refusal.value.field == "on_call"


def test_a_reviewer_may_look_but_not_change(make_model, reviewer, actor):
    model = make_model()
    with pytest.raises(NotAllowed):
        services.update_model(actor=actor(reviewer), model=model, description="Mine now.")
    with pytest.raises(NotAllowed):
        services.delete_model(actor=actor(reviewer), model=model)
    model.refresh_from_db()
    assert (model.description, model.deleted_at) == ("", None)


def test_a_change_of_what_is_no_longer_current_is_refused(make_model, scientist, actor):
    model = make_model()
    services.update_model(actor=actor(scientist), model=model, description="First.", expected_rev=1)
    with pytest.raises(PreconditionFailed):
        services.update_model(actor=actor(scientist), model=model, description="Second.", expected_rev=1)


def test_a_renamed_model_keeps_its_versions_and_frees_its_name(make_model, make_version, scientist, actor):
    model = make_model("delays")
    version = make_version(model)
    services.rename_model(actor=actor(scientist), model=model, new_name="late-arrivals")
    assert ModelVersion.objects.get(model__name="late-arrivals") == version
    make_model("delays")


def test_a_deleted_name_starts_anew_with_no_old_grants(
    make_model, make_version, scientist, make_account, actor
):
    old = make_model("delays")
    make_version(old)
    services.delete_model(actor=actor(scientist), model=old)
    other = make_account("other", "data-scientist")
    new = make_model("delays", by=other)
    assert new.pk != old.pk
    assert not RegisteredModel.objects.visible_to(actor(scientist)).exists()
    assert make_version(new, by=other).number == 1


def test_tags_are_set_replaced_and_removed(make_model, scientist, actor):
    model = make_model()
    services.set_tag(actor=actor(scientist), target=model, key="team", value="ops")
    services.set_tag(actor=actor(scientist), target=model, key="team", value="risk")
    assert model.tags.get().value == "risk"
    services.delete_tag(actor=actor(scientist), target=model, key="team")
    services.delete_tag(actor=actor(scientist), target=model, key="team")
    assert not model.tags.exists()
    assert len(events("registry.tag_deleted")) == 1


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("k" * 251, "x"), ("k", "v" * 100_001), ("k", "nul\x00"), ("k", None), ("k\x00", "v")],
)
def test_tags_that_cannot_be_kept_are_refused(make_model, scientist, actor, key, value):
    model = make_model()
    with pytest.raises(Invalid):
        services.set_tag(actor=actor(scientist), target=model, key=key, value=value)
    assert not model.tags.exists()
