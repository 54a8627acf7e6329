"""One changed byte in the store: the incident, the inbox and the version say the same, in words."""

import pytest

from core.object_store import store
from monitoring.incidents.models import Incident
from registry import services
from registry.integrity import DigestMismatch, verify
from tests.registry.conftest import make_model, make_version, tracking  # noqa: F401 - fixtures
from tests.registry.tracking import FILES
from tests.tampering import digest_in, overwrite, remove

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client_for):
    return lambda account, address: client_for(account).get(address).content.decode()


@pytest.fixture
def version(make_model, make_version):
    return make_version(make_model("delays"))


def test_a_changed_file_is_told_once_and_in_words(
    version, scientist, operator, stranger, actor, run_jobs, page, client_for
):
    registered = digest_in(version)
    overwrite(registered)
    services.request_verification(actor=actor(scientist), version=version)
    run_jobs()
    incident = Incident.objects.get()
    assert incident.title == "model.pkl of delays v1 is not what was registered"
    inbox = page(scientist, "/inbox/")
    assert "1 thing waits for you" in inbox
    assert incident.title in inbox

    shown = page(operator, f"/incidents/{incident.pk}/")
    assert '<a class="link mono" href="/models/delays/versions/1/#artifact">model.pkl</a>' in shown
    assert f'data-copy="sha256:{registered}"' in shown
    assert "What to do" in shown
    assert "Put the registered bytes back" in shown

    seen = page(scientist, "/models/delays/versions/1/")
    assert "model.pkl is not what was registered" in seen
    assert f'href="/incidents/{incident.pk}/"' in seen
    assert "Request promotion" not in seen
    assert "Use this version" not in seen
    assert '<span class="pill ok">' not in seen.split("</header>")[0]
    assert client_for(stranger).get(f"/incidents/{incident.pk}/").status_code == 404

    overwrite(registered, FILES["model.pkl"])
    verify(version)
    assert "Every file was as registered when hashed" in page(operator, f"/incidents/{incident.pk}/")
    assert "Request promotion" in page(scientist, "/models/delays/versions/1/")


def test_a_file_that_is_gone_is_told_as_gone(version, run_jobs, scientist, page):
    gone = digest_in(version)
    remove(gone)
    with pytest.raises(DigestMismatch):
        verify(version)
    run_jobs()
    assert not store().exists(gone)
    assert Incident.objects.get().title == "model.pkl of delays v1 is gone from the store"
    assert "gone from the store" in page(scientist, "/models/delays/versions/1/").split('id="artifact"')[1]
